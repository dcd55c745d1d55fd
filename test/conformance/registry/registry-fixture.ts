import { createHash, randomUUID } from "node:crypto";
import { request as httpsRequest } from "node:https";
import { ContainerRegistryManagementClient } from "@azure/arm-containerregistry";
import { ContainerRegistryClient, ContainerRegistryContentClient } from "@azure/container-registry";
import type { ServicePrincipal } from "../../../local/azure/azure-options";
import {
  type AzureFixture,
  credentialOf,
  GROUP,
  GROUP_ID,
  LOCATION,
  resourcesOf,
  SUBSCRIPTION,
} from "../../local/azure/azure-fixture";
import { tokenFor } from "../../local/azure/wire";

export interface RegistryUnderTest {
  readonly name: string;
  readonly id: string;
  readonly loginServer: string;
}

export const registriesOf = (fixture: AzureFixture, principal?: ServicePrincipal) =>
  new ContainerRegistryManagementClient(credentialOf(fixture, principal), SUBSCRIPTION, {
    endpoint: fixture.azure.armUrl,
    tlsOptions: { ca: fixture.azure.caPem },
    retryOptions: { maxRetries: 0 },
  });

export const newRegistryName = (): string => `acr${randomUUID().replaceAll("-", "").slice(0, 16)}`;

export async function createRegistry(fixture: AzureFixture): Promise<RegistryUnderTest> {
  const name = newRegistryName();
  await resourcesOf(fixture).resourceGroups.createOrUpdate(GROUP, { location: LOCATION });
  const made = await registriesOf(fixture).registries.create(GROUP, name, {
    location: LOCATION,
    sku: { name: "Standard" },
  });
  const id = `${GROUP_ID}/providers/Microsoft.ContainerRegistry/registries/${name}`;
  return { name, id, loginServer: made.loginServer ?? "" };
}

const optionsOf = ({ azure }: AzureFixture) => ({ tlsOptions: { ca: azure.caPem }, retryOptions: { maxRetries: 0 } });

const credential = (fixture: AzureFixture, principal = fixture.owner) => ({
  getToken: async (scopes: string | string[]) => ({
    token: await tokenFor(fixture, principal, [scopes].flat()[0]),
    expiresOnTimestamp: Date.now() + 3_000_000,
  }),
});

export const metadataOf = (fixture: AzureFixture, { loginServer }: RegistryUnderTest, principal?: ServicePrincipal) =>
  new ContainerRegistryClient(`https://${loginServer}`, credential(fixture, principal), optionsOf(fixture));

export const contentOf = (
  fixture: AzureFixture,
  { loginServer }: RegistryUnderTest,
  { repository, as }: { repository: string; as?: ServicePrincipal },
) =>
  new ContainerRegistryContentClient(`https://${loginServer}`, repository, credential(fixture, as), optionsOf(fixture));

export const digestOf = (content: Buffer): string => `sha256:${createHash("sha256").update(content).digest("hex")}`;

/** A small image: a configuration and one layer. */
export async function pushImage(
  client: ContainerRegistryContentClient,
  { tag, layer = Buffer.from("layer"), label = "one" }: { tag?: string; layer?: Buffer; label?: string },
) {
  const config = Buffer.from(JSON.stringify({ architecture: "amd64", os: "linux", config: { Labels: { label } } }));
  await client.uploadBlob(config);
  await client.uploadBlob(layer);
  const manifest = {
    schemaVersion: 2,
    mediaType: "application/vnd.oci.image.manifest.v1+json",
    config: { mediaType: "application/vnd.oci.image.config.v1+json", digest: digestOf(config), size: config.length },
    layers: [{ mediaType: "application/vnd.oci.image.layer.v1.tar", digest: digestOf(layer), size: layer.length }],
  } as const;
  const content = Buffer.from(JSON.stringify(manifest));
  const { digest } = await client.setManifest(content, tag === undefined ? {} : { tag });
  return { digest, content, config, layer };
}

export interface RawAnswer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly body: Buffer;
}

export interface RawCall {
  readonly method?: string;
  readonly path: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string | Buffer;
}

/** A request as it stands. */
export function ask(fixture: AzureFixture, { loginServer }: RegistryUnderTest, call: RawCall): Promise<RawAnswer> {
  const { method = "GET", path, headers = {}, body } = call;
  const { promise, resolve, reject } = Promise.withResolvers<RawAnswer>();
  const length = body === undefined ? {} : { "Content-Length": String(Buffer.byteLength(body)) };
  const sent = httpsRequest(
    {
      host: "127.0.0.1",
      port: loginServer.split(":")[1],
      path,
      method,
      headers: { ...length, ...headers },
      ca: fixture.azure.caPem,
      agent: false,
    },
    (response) => {
      const chunks: Buffer[] = [];
      response.on("data", (chunk: Buffer) => chunks.push(chunk));
      response.on("error", reject);
      response.on("end", () =>
        resolve({ status: response.statusCode ?? 0, headers: response.headers, body: Buffer.concat(chunks) }),
      );
    },
  );
  sent.on("error", reject);
  sent.end(body);
  return promise;
}

export const jsonOf = ({ body }: RawAnswer): unknown => JSON.parse(body.toString("utf8")) as unknown;

/** The refresh token that an Entra token is exchanged for. */
export async function refreshTokenOf(
  fixture: AzureFixture,
  registry: RegistryUnderTest,
  as = fixture.owner,
): Promise<RawAnswer> {
  const form = new URLSearchParams({
    grant_type: "access_token",
    service: registry.loginServer,
    access_token: await tokenFor(fixture, as, "https://containerregistry.azure.net/.default"),
  });
  return ask(fixture, registry, { method: "POST", path: "/oauth2/exchange", body: form.toString() });
}

export async function bearerFor(
  fixture: AzureFixture,
  registry: RegistryUnderTest,
  { scope, as = fixture.owner }: { scope: string; as?: ServicePrincipal },
): Promise<string> {
  const { refresh_token: refreshToken } = jsonOf(await refreshTokenOf(fixture, registry, as)) as {
    refresh_token: string;
  };
  const form = new URLSearchParams({
    grant_type: "refresh_token",
    service: registry.loginServer,
    scope,
    refresh_token: refreshToken,
  });
  const answer = await ask(fixture, registry, { method: "POST", path: "/oauth2/token", body: form.toString() });
  return `Bearer ${(jsonOf(answer) as { access_token: string }).access_token}`;
}

export async function collect<Item>(items: AsyncIterable<Item>): Promise<Item[]> {
  const all: Item[] = [];
  for await (const item of items) all.push(item);
  return all;
}
