import { ManagedIdentityCredential } from "@azure/identity";
import { startMetadataService, type MetadataService } from "../../../local/vm/metadata-service";
import { gpuVm, namedTokens, userAssigned } from "./test-fleet";

const services: MetadataService[] = [];
afterEach(async () => {
  await Promise.all(services.splice(0).map((service) => service.close()));
});

async function start(identities = [userAssigned("a"), userAssigned("b")]): Promise<MetadataService> {
  const service = await startMetadataService({ ...gpuVm("vm1"), identities }, namedTokens);
  services.push(service);
  return service;
}

async function get(service: MetadataService, path: string, headers: Record<string, string> = { Metadata: "true" }) {
  const response = await fetch(service.url + path, { headers });
  return { status: response.status, body: (await response.json()) as Record<string, unknown> };
}

const TOKEN = "/metadata/identity/oauth2/token?api-version=2018-02-01&resource=https%3A%2F%2Fvault.azure.net";

it("tells which VM it is", async () => {
  const { body } = await get(await start(), "/metadata/instance?api-version=2021-02-01");

  expect(body["compute"]).toMatchObject({
    name: "vm1",
    vmId: gpuVm("vm1").vmId,
    location: "westeurope",
    tags: "corral:org:contoso",
  });
});

it.each([
  {
    what: "the only identity",
    identities: [userAssigned("a")],
    query: "",
    token: "client-a for https://vault.azure.net",
  },
  {
    what: "an identity by its client id",
    identities: undefined,
    query: "&client_id=client-b",
    token: "client-b for https://vault.azure.net",
  },
  {
    what: "an identity by its resource id",
    identities: undefined,
    query: `&mi_res_id=${userAssigned("b").resourceId}`,
    token: "client-b for https://vault.azure.net",
  },
])("gives a token of $what", async ({ identities, query, token }) => {
  const { body } = await get(await start(identities), TOKEN + query);

  expect(body).toMatchObject({ access_token: token, token_type: "Bearer", resource: "https://vault.azure.net" });
  expect(Number(body["expires_on"])).toBeGreaterThan(Date.now() / 1000);
});

it.each([
  { what: "no header", path: TOKEN, headers: {}, text: "Required metadata header not specified" },
  {
    what: "a forwarded request",
    path: TOKEN,
    headers: { Metadata: "true", "x-forwarded-for": "1.2.3.4" },
    text: "Required metadata header not specified",
  },
  {
    what: "no resource",
    path: "/metadata/identity/oauth2/token?api-version=2018-02-01",
    headers: undefined,
    text: "'resource' is missing",
  },
  {
    what: "no choice between two identities",
    path: TOKEN,
    headers: undefined,
    text: "Multiple user assigned identities exist",
  },
  { what: "an unknown identity", path: `${TOKEN}&client_id=x`, headers: undefined, text: "Identity not found" },
])("refuses $what", async ({ path, headers, text }) => {
  const { status, body } = await get(await start(), path, headers);

  expect(status).toBe(400);
  expect(body).toMatchObject({ error: "invalid_request", error_description: expect.stringContaining(text) as string });
});

it("serves Azure's own client", async () => {
  const service = await start();
  process.env["AZURE_POD_IDENTITY_AUTHORITY_HOST"] = service.url;

  const token = await new ManagedIdentityCredential({ clientId: "client-a" }).getToken(
    "https://storage.azure.com/.default",
  );

  delete process.env["AZURE_POD_IDENTITY_AUTHORITY_HOST"];
  expect(token.token).toBe("client-a for https://storage.azure.com");
});

it("announces a preemption until the guest approves it", async () => {
  const service = await start();
  const path = "/metadata/scheduledevents?api-version=2020-07-01";
  const before = await get(service, path);

  service.announcePreemption(30);
  const announced = await get(service, path);
  const [event] = announced.body["Events"] as Record<string, unknown>[];
  await fetch(service.url + path, {
    method: "POST",
    headers: { Metadata: "true" },
    body: JSON.stringify({ StartRequests: [{ EventId: event?.["EventId"] }] }),
  });
  const approved = await get(service, path);

  expect(before.body).toEqual({ DocumentIncarnation: 1, Events: [] });
  expect(event).toMatchObject({ EventType: "Preempt", EventStatus: "Scheduled", Resources: ["vm1"] });
  expect(approved.body["Events"]).toMatchObject([{ EventStatus: "Started", NotBefore: "" }]);
});
