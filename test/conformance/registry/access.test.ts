import type { ContainerRegistryContentClient } from "@azure/container-registry";
import type { ServicePrincipal } from "../../../local/azure/azure-options";
import { type AzureFixture, startFixture, stopFixture } from "../../local/azure/azure-fixture";
import {
  ask,
  contentOf,
  createRegistry,
  jsonOf,
  pushImage,
  refreshTokenOf,
  type RegistryUnderTest,
} from "./registry-fixture";

let fixture: AzureFixture;
let registry: RegistryUnderTest;
let images: ContainerRegistryContentClient;

beforeAll(async () => {
  fixture = await startFixture();
  registry = await createRegistry(fixture);
  images = contentOf(fixture, registry, { repository: "team/app" });
});
afterAll(() => stopFixture(fixture));

let people = 0;
function holderOf(role: string | undefined): ServicePrincipal {
  const principal = fixture.azure.addServicePrincipal({ displayName: `person ${(people += 1)}` });
  if (role !== undefined) fixture.azure.grant({ principalId: principal.objectId, role, scope: registry.id });
  return principal;
}

it("challenges at /v2/ and at a repository as Docker expects it (distribution: Token Authentication Specification)", async () => {
  const service = `realm="https://${registry.loginServer}/oauth2/token",service="${registry.loginServer}"`;

  const ping = await ask(fixture, registry, { path: "/v2/" });
  const pull = await ask(fixture, registry, { path: "/v2/team/app/manifests/v1" });

  expect([ping.status, ping.headers["www-authenticate"]]).toEqual([401, `Bearer ${service}`]);
  expect(pull.headers["www-authenticate"]).toBe(`Bearer ${service},scope="repository:team/app:pull"`);
  expect(jsonOf(pull)).toMatchObject({ errors: [{ code: "UNAUTHORIZED" }] });
});

it.each([
  { role: "AcrPull", pull: true, push: false, remove: false },
  { role: "AcrPush", pull: true, push: true, remove: false },
  { role: "AcrDelete", pull: false, push: false, remove: true },
  { role: "Reader", pull: true, push: false, remove: false },
  { role: "Contributor", pull: true, push: true, remove: true },
])(
  "lets $role pull: $pull, push: $push, delete: $remove (docs: Azure Container Registry roles)",
  async ({ role, pull, push, remove }) => {
    await pushImage(images, { tag: "roles" });
    const { digest } = await pushImage(images, { label: role });
    const as = holderOf(role);
    const client = contentOf(fixture, registry, { repository: "team/app", as });
    const isDone = (act: Promise<unknown>) =>
      act.then(
        () => true,
        (error: unknown) => (error as { statusCode: number }).statusCode !== 401,
      );

    const may = [
      await isDone(client.getManifest("roles")),
      await isDone(client.uploadBlob(Buffer.from("b"))),
      await isDone(client.deleteManifest(digest)),
    ];

    expect(may).toEqual([pull, push, remove]);
  },
);

it("exchanges no token of somebody who has no right at all (docs: AAD-OAuth, exchange)", async () => {
  const answer = await refreshTokenOf(fixture, registry, holderOf(undefined));

  expect(answer.status).toBe(401);
  expect(jsonOf(answer)).toMatchObject({ errors: [{ code: "UNAUTHORIZED" }] });
});

it("says in Azure's words what is not there (MicrosoftDocs/azure-docs#90060; distribution-spec: NAME_UNKNOWN)", async () => {
  await pushImage(images, { tag: "there" });

  await expect(images.getManifest("not-there")).rejects.toMatchObject({
    statusCode: 404,
    message: expect.stringContaining('manifest tagged by \\"not-there\\" is not found') as string,
  });
  await expect(contentOf(fixture, registry, { repository: "nowhere" }).getManifest("v1")).rejects.toMatchObject({
    statusCode: 404,
    message: expect.stringContaining("NAME_UNKNOWN") as string,
  });
});
