import { statSync, readdirSync } from "node:fs";
import { join } from "node:path";
import * as fc from "fast-check";
import {
  type AzureFixture,
  GROUP,
  LOCATION,
  resourcesOf,
  startFixture,
  stopFixture,
} from "../../local/azure/azure-fixture";
import {
  ask,
  bearerFor,
  collect,
  contentOf,
  createRegistry,
  newRegistryName,
  pushImage,
  registriesOf,
} from "./registry-fixture";

let fixture: AzureFixture;

beforeAll(async () => {
  fixture = await startFixture();
  await resourcesOf(fixture).resourceGroups.createOrUpdate(GROUP, { location: LOCATION });
});
afterAll(() => stopFixture(fixture));

it("creates a registry with a login server, without an admin user (@azure/arm-containerregistry 12.0.0: registries.create)", async () => {
  const name = newRegistryName();
  const { registries } = registriesOf(fixture);

  const made = await registries.create(GROUP, name, { location: LOCATION, sku: { name: "Premium" }, tags: { a: "b" } });
  const read = await registries.get(GROUP, name);

  expect(made).toMatchObject({
    name,
    location: LOCATION,
    sku: { name: "Premium", tier: "Premium" },
    tags: { a: "b" },
    adminUserEnabled: false,
    provisioningState: "Succeeded",
  });
  expect(made.loginServer).toMatch(/^localhost:\d+$/);
  expect(read).toEqual(made);
});

it("changes settings, lists registries, and tells which names are free (@azure/arm-containerregistry 12.0.0: update, list, checkNameAvailability)", async () => {
  const { name, loginServer } = await createRegistry(fixture);
  const { registries } = registriesOf(fixture);

  const changed = await registries.update(GROUP, name, { publicNetworkAccess: "Disabled", tags: { c: "d" } });
  const lists = [await collect(registries.listByResourceGroup(GROUP)), await collect(registries.list())];
  const checks = await Promise.all(
    [name, newRegistryName(), "no-hyphens"].map((one) =>
      registries.checkNameAvailability({ name: one, type: "Microsoft.ContainerRegistry/registries" }),
    ),
  );

  expect(changed).toMatchObject({ publicNetworkAccess: "Disabled", tags: { c: "d" }, loginServer });
  expect(lists.map((list) => list.some((one) => one.name === name))).toEqual([true, true]);
  expect(checks.map(({ nameAvailable }) => nameAvailable)).toEqual([false, true, false]);
});

it("shows no credentials of an admin user that is off (hashicorp/terraform-provider-azurerm#21440)", async () => {
  const { name } = await createRegistry(fixture);

  const listing = registriesOf(fixture).registries.listCredentials(GROUP, name);

  await expect(listing).rejects.toMatchObject({
    statusCode: 400,
    code: "UnAuthorizedForCredentialOperations",
    message: expect.stringContaining("admin user is disabled") as string,
  });
});

it("takes its images along when it is deleted, and frees its name (@azure/arm-containerregistry 12.0.0: delete)", async () => {
  const { name } = await createRegistry(fixture).then(async (registry) => {
    await pushImage(contentOf(fixture, registry, { repository: "r" }), { tag: "t" });
    return registry;
  });
  const { registries } = registriesOf(fixture);
  await registries.delete(GROUP, name);

  await expect(registries.get(GROUP, name)).rejects.toMatchObject({ statusCode: 404 });
  const again = await registries.create(GROUP, name, { location: LOCATION, sku: { name: "Basic" } });
  const fresh = { name, id: again.id ?? "", loginServer: again.loginServer ?? "" };

  await expect(contentOf(fixture, fresh, { repository: "r" }).getManifest("t")).rejects.toMatchObject({
    statusCode: 404,
  });
});

it("keeps images and the login server over a restart (docs/architecture.md: State)", async () => {
  const first = await startFixture();
  const registry = await createRegistry(first);
  const { digest } = await pushImage(contentOf(first, registry, { repository: "r" }), { tag: "t" });
  const https = Number(new URL(first.azure.armUrl).port);
  await first.azure.close();

  const second = await startFixture({ dataFolder: first.folder, ports: { https, identity: 0, portal: 0 } });
  const read = await contentOf(second, registry, { repository: "r" }).getManifest("t");
  const { loginServer } = await registriesOf(second).registries.get(GROUP, registry.name);
  await stopFixture(second);

  expect([read.digest, loginServer]).toEqual([digest, registry.loginServer]);
});

it("does not keep a layer in memory, nor let others read it (measured: 64 MB through the heap of a process that grows by less than 40)", async () => {
  const registry = await createRegistry(fixture);
  const layer = Buffer.alloc(64 * 1024 * 1024, 7);
  const before = process.memoryUsage().heapUsed;

  await contentOf(fixture, registry, { repository: "big" }).uploadBlob(layer);
  const grownMiB = (process.memoryUsage().heapUsed - before) / 2 ** 20;
  const [folder = ""] = readdirSync(join(fixture.folder, "registries")).filter((one) =>
    readdirSync(join(fixture.folder, "registries", one, "blobs")).some(
      (blob) => statSync(join(fixture.folder, "registries", one, "blobs", blob)).size === layer.length,
    ),
  );
  const modes = readdirSync(join(fixture.folder, "registries", folder, "blobs")).map(
    (blob) => statSync(join(fixture.folder, "registries", folder, "blobs", blob)).mode & 0o777,
  );

  expect(grownMiB).toBeLessThan(40);
  expect(modes).toEqual([0o600]);
});

const word = fc.oneof(
  fc.constantFrom(
    "v2",
    "acr",
    "v1",
    "oauth2",
    "token",
    "exchange",
    "r",
    "manifests",
    "blobs",
    "uploads",
    "tags",
    "list",
    "_catalog",
    "_tags",
    "_manifests",
  ),
  fc.constantFrom(
    "..",
    "%",
    "%zz",
    "UPPER",
    "constructor",
    "__proto__",
    `sha256:${"0".repeat(64)}`,
    "sha256:../../etc/passwd",
    "a".repeat(300),
  ),
  fc.string({ maxLength: 10 }),
);
const hostileCall = fc.record({
  method: fc.constantFrom("GET", "PUT", "POST", "PATCH", "DELETE", "HEAD", "OPTIONS"),
  path: fc.array(word, { maxLength: 6 }).map((words) => `/${words.map(encodeURI).join("/")}`),
  query: fc.constantFrom("", "?n=-1", "?n=2&last=%00", "?digest=sha256:x", "?mount=x&from=y", "?digest=sha256:../../x"),
  body: fc.oneof(
    fc.json(),
    fc.constantFrom(
      "",
      "{",
      '{"schemaVersion":2}',
      '{"schemaVersion":2,"config":{"digest":"../x"},"layers":[]}',
      "grant_type=refresh_token&refresh_token=x",
      "grant_type=password",
    ),
  ),
  range: fc.constantFrom("bytes=5-1", "bytes=-", "x"),
  type: fc.constantFrom("application/vnd.oci.image.manifest.v1+json", "application/x-www-form-urlencoded", "x"),
});

it("answers whatever is sent in a registry's shape and stays up (fast-check 4; distribution-spec: Error Codes)", async () => {
  const registry = await createRegistry(fixture);
  await pushImage(contentOf(fixture, registry, { repository: "r" }), { tag: "t" });
  const scope = "repository:r:pull,push,delete,metadata_read registry:catalog:*";
  const authorization = await bearerFor(fixture, registry, { scope });

  await fc.assert(
    fc.asyncProperty(hostileCall, async ({ path, query, range, type, ...call }) => {
      const headers = { authorization, range, "content-type": type };
      const { status, body } = await ask(fixture, registry, { ...call, path: `${path}${query}`, headers });

      expect(status).toBeLessThan(500);
      if (status >= 400 && call.method !== "HEAD")
        expect(JSON.parse(body.toString("utf8"))).toMatchObject({ errors: [{ code: expect.any(String) as string }] });
    }),
    { numRuns: 250, seed: 11 },
  );

  expect((await ask(fixture, registry, { path: "/v2/", headers: { authorization } })).status).toBe(200);
}, 120_000);
