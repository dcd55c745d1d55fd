import { execFile } from "node:child_process";
import { join } from "node:path";
import { promisify } from "node:util";
import { ClientSecretCredential } from "@azure/identity";
import { createRemoteJWKSet, customFetch, decodeJwt, jwtVerify } from "jose";
import {
  type AzureFixture,
  createEstate,
  eventually,
  GROUP,
  GROUP_ID,
  LOCATION,
  rule,
  startFixture,
  stopFixture,
  SUBSCRIPTION,
  vmSpec,
} from "./azure-fixture";
import { call, type RawReply, send, TENANT, tokenFor } from "./wire";

const API = "33333333-3333-4333-8333-333333333333";
let fixture: AzureFixture;
beforeAll(async () => {
  fixture = await startFixture();
  await createEstate(fixture);
});
afterAll(() => stopFixture(fixture));

const form = { "Content-Type": "application/x-www-form-urlencoded" };
const askToken = (fields: Record<string, string>, tenant = TENANT): Promise<RawReply> =>
  send(fixture, {
    method: "POST",
    path: `/${tenant}/oauth2/v2.0/token`,
    headers: form,
    text: new URLSearchParams(fields).toString(),
  });
const credentials = (): Record<string, string> => ({
  grant_type: "client_credentials",
  client_id: fixture.owner.clientId,
  client_secret: fixture.owner.clientSecret,
  scope: "https://management.azure.com/.default",
});

it("signs a service principal in through the official credential", async () => {
  const { armUrl, caPem } = fixture.azure;
  const options = { authorityHost: armUrl, disableInstanceDiscovery: true, tlsOptions: { ca: caPem } };
  const credential = new ClientSecretCredential(TENANT, fixture.owner.clientId, fixture.owner.clientSecret, options);

  const { token } = await credential.getToken("https://management.azure.com/.default");

  expect(decodeJwt(token)).toMatchObject({
    aud: "https://management.azure.com",
    iss: `https://sts.windows.net/${TENANT}/`,
    appid: fixture.owner.clientId,
    oid: fixture.owner.objectId,
    tid: TENANT,
    idtyp: "app",
    ver: "1.0",
  });
});

it("issues version 2 tokens with roles for an API of the tenant, which its keys verify", async () => {
  const { azure } = fixture;
  const admin = azure.addServicePrincipal({ displayName: "admin", roles: ["Corral.Admin"] });
  const fetchKeys = async (): Promise<Response> =>
    Response.json((await send(fixture, { path: `/${TENANT}/discovery/v2.0/keys` })).body);
  const keys = createRemoteJWKSet(new URL(`${azure.armUrl}/${TENANT}/discovery/v2.0/keys`), {
    [customFetch]: fetchKeys,
  });

  const token = await tokenFor(fixture, admin, "api://corral/.default");
  const { payload } = await jwtVerify(token, keys, { issuer: `${azure.armUrl}/${TENANT}/v2.0`, audience: API });

  expect(payload).toMatchObject({ azp: admin.clientId, oid: admin.objectId, roles: ["Corral.Admin"], ver: "2.0" });
});

it("describes the tenant, and no other", async () => {
  const known = await send(fixture, { path: `/${TENANT}/v2.0/.well-known/openid-configuration` });
  const other = await send(fixture, {
    path: "/44444444-4444-4444-8444-444444444444/v2.0/.well-known/openid-configuration",
  });

  expect(known.body).toMatchObject({ issuer: `${fixture.azure.armUrl}/${TENANT}/v2.0` });
  expect([other.status, other.body]).toEqual([
    400,
    expect.objectContaining({ error: "invalid_tenant", error_codes: [90002] }),
  ]);
});

it.each([
  { what: "a wrong secret", change: { client_secret: "no" }, status: 401, error: "invalid_client", number: 7000215 },
  { what: "an unknown client", change: { client_id: API }, status: 400, error: "unauthorized_client", number: 700016 },
  {
    what: "an unknown audience",
    change: { scope: "api://nobody/.default" },
    status: 400,
    error: "invalid_resource",
    number: 500011,
  },
  {
    what: "a scope that is none",
    change: { scope: "User.Read" },
    status: 400,
    error: "invalid_scope",
    number: 1002012,
  },
  {
    what: "another grant",
    change: { grant_type: "password" },
    status: 400,
    error: "unsupported_grant_type",
    number: 70003,
  },
  { what: "no scope", change: { scope: "" }, status: 400, error: "invalid_request", number: 900144 },
])("refuses $what as Entra does", async ({ change, status, error, number }) => {
  const reply = await askToken({ ...credentials(), ...change });

  expect([reply.status, reply.body]).toEqual([status, expect.objectContaining({ error, error_codes: [number] })]);
});

it("keeps the ids of a service principal that is asked for again, and changes its secret", async () => {
  const first = fixture.azure.addServicePrincipal({ displayName: "submitter" });
  const second = fixture.azure.addServicePrincipal({ displayName: "submitter" });
  const ask = ({ clientId, clientSecret }: typeof first): Promise<RawReply> =>
    askToken({ ...credentials(), client_id: clientId, client_secret: clientSecret });

  expect([second.objectId, second.clientId]).toEqual([first.objectId, first.clientId]);
  expect([(await ask(first)).status, (await ask(second)).status]).toEqual([401, 200]);
});

it("lets the fault plan fail a token once", async () => {
  fixture.faults.arm(
    rule({
      service: "entra",
      operation: "token",
      stage: "before",
      action: { kind: "fail", status: 503, code: "temporarily_unavailable", message: "later" },
    }),
  );

  const first = await askToken(credentials());
  const second = await askToken(credentials());

  expect([first.status, second.status]).toEqual([503, 200]);
});

function askIdentity(
  query: Record<string, string>,
  header = fixture.azure.identityEnvironment.IDENTITY_HEADER,
): Promise<Response> {
  const url = `${fixture.azure.identityEnvironment.IDENTITY_ENDPOINT}?${new URLSearchParams({ "api-version": "2019-08-01", ...query }).toString()}`;
  return fetch(url, { headers: { "X-IDENTITY-HEADER": header } });
}
const ARM = "https://management.azure.com";

it("hands the app the tokens of exactly the identities that are assigned to it", async () => {
  const identity = fixture.azure.assignAppIdentity(
    `${GROUP_ID}/providers/Microsoft.ManagedIdentity/userAssignedIdentities/runtime`,
  );
  const other = await call(fixture, {
    method: "PUT",
    path: `${GROUP_ID}/providers/Microsoft.ManagedIdentity/userAssignedIdentities/machine`,
    body: { location: LOCATION },
  });
  const otherClientId = (other.body as { properties: { clientId: string } }).properties.clientId;

  const byClient = (await (await askIdentity({ resource: ARM, client_id: identity.clientId })).json()) as {
    access_token: string;
  };
  const byResource = await askIdentity({ resource: ARM, mi_res_id: identity.resourceId });
  const byObject = await askIdentity({ resource: ARM, object_id: identity.principalId });
  const unassigned = await askIdentity({ resource: ARM, client_id: otherClientId });
  const unnamed = await askIdentity({ resource: ARM });
  const wrongHeader = await askIdentity({ resource: ARM, client_id: identity.clientId }, "guess");

  expect(decodeJwt(byClient.access_token)).toMatchObject({ oid: identity.principalId, xms_mirid: identity.resourceId });
  expect([byResource, byObject, unassigned, unnamed, wrongHeader].map(({ status }) => status)).toEqual([
    200, 200, 400, 400, 401,
  ]);
});

it("lets the fault plan fail an identity's token in the endpoint's own words", async () => {
  const identity = fixture.azure.assignAppIdentity(
    `${GROUP_ID}/providers/Microsoft.ManagedIdentity/userAssignedIdentities/runtime`,
  );
  fixture.faults.arm(
    rule({
      service: "identity",
      stage: "after",
      action: { kind: "fail", status: 500, code: "Busy", message: "later" },
    }),
  );

  const first = await askIdentity({ resource: ARM, client_id: identity.clientId });
  const second = await askIdentity({ resource: ARM, client_id: identity.clientId });

  expect([first.status, await first.json(), second.status]).toEqual([
    500,
    expect.objectContaining({ statusCode: 500, message: "later" }),
    200,
  ]);
});

it("gives the same identity again for the same resource", () => {
  const id = `${GROUP_ID}/providers/Microsoft.ManagedIdentity/userAssignedIdentities/twice`;

  expect(fixture.azure.assignAppIdentity(id)).toEqual(fixture.azure.assignAppIdentity(id));
});

it("serves the official clients over TLS with a managed identity, in a process that trusts the local authority", async () => {
  const { armUrl, caFile, identityEnvironment } = fixture.azure;
  const identity = fixture.azure.assignAppIdentity(
    `${GROUP_ID}/providers/Microsoft.ManagedIdentity/userAssignedIdentities/operator`,
  );
  fixture.azure.grant({ principalId: identity.principalId, role: "Contributor", scope: GROUP_ID });
  const given = {
    endpoint: armUrl,
    subscriptionId: SUBSCRIPTION,
    group: GROUP,
    clientId: identity.clientId,
    vm: vmSpec("vm-mi"),
    vmName: "vm-mi",
  };
  const env = { ...process.env, ...identityEnvironment, NODE_EXTRA_CA_CERTS: caFile };

  const { stdout } = await promisify(execFile)(
    process.execPath,
    [join(__dirname, "managed-identity-client.cjs"), JSON.stringify(given)],
    { env },
  );

  expect(JSON.parse(stdout)).toEqual({
    state: "Succeeded",
    power: ["ProvisioningState/succeeded", "PowerState/running"],
    gone: "ResourceNotFound",
  });
  await eventually(() => fixture.azure.remainingByType()["Microsoft.Compute/virtualMachines"] === undefined);
});

it("signs tokens for the identities of VMs", async () => {
  const identity = fixture.azure.assignAppIdentity(
    `${GROUP_ID}/providers/Microsoft.ManagedIdentity/userAssignedIdentities/vm`,
  );

  const { accessToken, expiresAt } = await fixture.azure.tokens.issueForIdentity(identity, API);

  expect(decodeJwt(accessToken)).toMatchObject({
    aud: API,
    oid: identity.principalId,
    ver: "2.0",
    xms_mirid: identity.resourceId,
  });
  expect(expiresAt.getTime()).toBeGreaterThan(Date.now() + 23 * 60 * 60 * 1000);
  await expect(fixture.azure.tokens.issueForIdentity({ ...identity, principalId: API }, API)).rejects.toThrow(
    /does not exist/,
  );
});
