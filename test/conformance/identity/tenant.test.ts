import { ClientSecretCredential } from "@azure/identity";
import { ComputeManagementClient } from "@azure/arm-compute";
import { createRemoteJWKSet, customFetch, jwtVerify } from "jose";
import {
  type AzureFixture,
  createEstate,
  GROUP,
  GROUP_ID,
  rule,
  startFixture,
  stopFixture,
  SUBSCRIPTION,
} from "../../local/azure/azure-fixture";
import { call, closeWire, send, TENANT, tokenFor } from "../../local/azure/wire";
import { makeCertificate } from "./certificates";
import { API, ARM_SCOPE, askToken, authorityOf, AZURE_CLI, claimsOf, numberOf, tokensOf } from "./sign-in";

let fixture: AzureFixture;
beforeAll(async () => {
  fixture = await startFixture();
  await createEstate(fixture);
});
afterAll(() => stopFixture(fixture));

const portal = (path: string, body: unknown = {}, method = "POST"): Promise<Response> =>
  fetch(`${fixture.azure.portalUrl}/entra/${path}`, {
    method,
    ...(method === "GET" ? {} : { body: JSON.stringify(body) }),
  });
const keysOf = async ({ azure }: Pick<AzureFixture, "azure">): Promise<{ keys: { kid: string }[] }> =>
  (await send({ azure }, { path: `/${TENANT}/discovery/v2.0/keys` })).body as Awaited<ReturnType<typeof keysOf>>;

it.each([
  { tenant: TENANT, issuer: `/${TENANT}/v2.0` },
  { tenant: "common", issuer: "/{tenantid}/v2.0" },
  { tenant: "organizations", issuer: "/{tenantid}/v2.0" },
])("describes $tenant (OpenID Connect Discovery 1.0, docs: protocols OIDC)", async ({ tenant, issuer }) => {
  const { body } = await send(fixture, { path: `/${tenant}/v2.0/.well-known/openid-configuration` });

  expect(body).toMatchObject({
    issuer: `${fixture.azure.armUrl}${issuer}`,
    token_endpoint: `${fixture.azure.armUrl}/${tenant}/oauth2/v2.0/token`,
    device_authorization_endpoint: `${fixture.azure.armUrl}/${tenant}/oauth2/v2.0/devicecode`,
  });
});

it("answers where msal looks for an on-premises server (msal 1.21 for Python, ADFS authority)", async () => {
  const { body } = await send(fixture, { path: "/adfs/.well-known/openid-configuration" });
  const { token_endpoint: endpoint } = body as { token_endpoint: string };

  const reply = await send(fixture, {
    method: "POST",
    path: new URL(endpoint).pathname,
    headers: { "Content-Type": "application/x-www-form-urlencoded" },
    text: new URLSearchParams({
      grant_type: "client_credentials",
      client_id: fixture.owner.clientId,
      client_secret: fixture.owner.clientSecret,
      scope: "https://management.azure.com//.default",
    }).toString(),
  });

  expect(claimsOf((reply.body as { access_token: string }).access_token).aud).toBe("https://management.azure.com/");
});

it("publishes a new key beside the old one, and goes on to take the old one's tokens (docs: signing key rollover)", async () => {
  const fetchKeys = async (): Promise<Response> => Response.json(await keysOf(fixture));
  const keys = createRemoteJWKSet(new URL(fixture.azure.armUrl), { [customFetch]: fetchKeys, cooldownDuration: 0 });
  const old = await tokenFor(fixture, fixture.owner, `${API}/.default`);
  const before = await keysOf(fixture);

  await portal("keys/rotate");
  const { body } = await askToken(fixture, {
    grant_type: "client_credentials",
    client_id: fixture.owner.clientId,
    client_secret: fixture.owner.clientSecret,
    scope: `${API}/.default`,
  });
  const verified = await Promise.all(
    [old, (body as { access_token: string }).access_token].map((token) => jwtVerify(token, keys)),
  );
  const reply = await call(fixture, { path: "/subscriptions" });

  const kids = verified.map(({ protectedHeader }) => protectedHeader.kid);
  expect(kids).toEqual([before.keys[0]?.kid, expect.not.stringMatching(before.keys[0]?.kid ?? "")]);
  expect(reply.status).toBe(200);
});

it("forgets the key before the last one, as published keys go in the end (docs: signing key rollover)", async () => {
  const token = await tokenFor(fixture, fixture.azure.addServicePrincipal({ displayName: "late" }));

  await portal("keys/rotate");
  await portal("keys/rotate");
  const reply = await send(fixture, {
    path: "/subscriptions?api-version=2022-12-01",
    headers: { Authorization: `Bearer ${token}` },
  });

  expect([reply.status, (await keysOf(fixture)).keys.length]).toEqual([401, 2]);
});

it("ends sessions: a refresh token from before is refused (docs: revokeSignInSessions, AADSTS50173)", async () => {
  const name = "kurt@local.onmicrosoft.com";
  fixture.azure.addPerson({ displayName: "Kurt", type: "User", userPrincipalName: name });
  const { refresh_token: token } = await tokensOf(fixture, name);
  const renew = () =>
    askToken(fixture, { grant_type: "refresh_token", client_id: AZURE_CLI, refresh_token: token, scope: ARM_SCOPE });

  const before = await renew();
  await portal(`users/${encodeURIComponent(name)}/revoke`);

  expect([before.status, numberOf(await renew())]).toEqual([200, 50173]);
});

it("challenges a client that can take it to ask for a new token (@azure/core-rest-pipeline, claims challenge)", async () => {
  const { clientId, clientSecret, objectId } = fixture.azure.addServicePrincipal({ displayName: "watched" });
  fixture.azure.grant({ principalId: objectId, role: "Reader", scope: GROUP_ID });
  const credential = new ClientSecretCredential(TENANT, clientId, clientSecret, authorityOf(fixture));
  const asked: (string | undefined)[] = [];
  const watched = {
    getToken: (scope: string | string[], options?: { claims?: string; enableCae?: boolean }) => {
      asked.push(options?.claims);
      return credential.getToken(scope, { ...options, enableCae: true });
    },
  };
  const { armUrl: endpoint, caPem: ca } = fixture.azure;
  const compute = new ComputeManagementClient(watched, SUBSCRIPTION, { endpoint, tlsOptions: { ca } });
  await compute.virtualMachines.list(GROUP).next();

  // A revocation counts whole seconds: the token must be of an earlier one.
  const second = Math.floor(Date.now() / 1000);
  while (Math.floor(Date.now() / 1000) === second) await new Promise(setImmediate);
  await portal(`users/${objectId}/revoke`);
  const after = await compute.virtualMachines.list(GROUP).next();

  expect(after.done).toBe(true);
  expect(asked.at(-1)).toMatch(/"nbf":\{"essential":true,"value":"\d+"\}/);
});

it("adds people and groups by the portal, and lists them (the local portal)", async () => {
  const user = (await (await portal("users", { displayName: "Mary" })).json()) as { id: string };
  const group = (await (await portal("groups", { displayName: "staff" })).json()) as { id: string };

  const added = await portal(`groups/${group.id}/members`, { memberId: user.id });
  const members = (await (await portal(`groups/${group.id}/members`, undefined, "GET")).json()) as { value: unknown };
  const wrong = await portal(`groups/${user.id}/members`, { memberId: user.id });

  expect([added.status, wrong.status]).toEqual([204, 404]);
  expect(members.value).toEqual([
    expect.objectContaining({ id: user.id, userPrincipalName: "mary@local.onmicrosoft.com" }),
  ]);
});

it.each([
  { what: "a broken name", path: "users/%E0%A4%A/revoke", body: {}, status: 404 },
  { what: "an unknown page", path: "nothing", body: {}, status: 404 },
  { what: "a key that is none", path: "applications/nobody/certificates", body: { pem: "x" }, status: 404 },
  { what: "a user without name", path: "users", body: { displayName: "" }, status: 400 },
  { what: "a device that waits for nobody", path: "devices/ABC", body: { decision: "decline" }, status: 404 },
])("refuses $what in the portal, and goes on (the local portal)", async ({ path, body, status }) => {
  const refused = await portal(path, body);
  const next = await portal("users", undefined, "GET");

  expect([refused.status, next.status]).toEqual([status, 200]);
});

it("keeps people, groups, certificates, keys and refresh tokens over a restart (the directory survives)", async () => {
  const first = await startFixture();
  const { azure, folder, owner } = first;
  const [ada, team] = [
    azure.addPerson({ displayName: "Ada", type: "User" }),
    azure.addPerson({ displayName: "team", type: "Group", roles: ["Admin"] }),
  ];
  azure.addGroupMember(team, ada);
  const thumbprint = azure.registerCertificate(owner.clientId, (await makeCertificate()).certificatePem);
  const { refresh_token: token } = await tokensOf(first, "ada@local.onmicrosoft.com");
  const keys = await keysOf(first);
  closeWire(azure);
  await azure.close();

  const second = await startFixture({ dataFolder: folder });
  const again = second.azure.addPerson({
    displayName: "Ada",
    type: "User",
    userPrincipalName: "ada@local.onmicrosoft.com",
  });
  const reply = await askToken(second, {
    grant_type: "refresh_token",
    client_id: AZURE_CLI,
    refresh_token: token,
    scope: "api://corral/.default",
  });
  const kept = await keysOf(second);
  await stopFixture(second);

  expect([again, kept, thumbprint]).toEqual([ada, keys, expect.stringMatching(/^[0-9A-F]{40}$/)]);
  expect(claimsOf((reply.body as { access_token: string }).access_token)["roles"]).toEqual(["Admin"]);
});

it("fails tokens by the fault plan in Entra's own shape (docs: error responses)", async () => {
  fixture.faults.arm(
    rule({
      service: "entra",
      operation: "token",
      stage: "before",
      action: { kind: "fail", status: 503, code: "temporarily_unavailable", message: "AADSTS90033: A passing fault." },
    }),
  );

  const reply = await askToken(fixture, { grant_type: "refresh_token", client_id: AZURE_CLI });

  expect([reply.status, reply.body]).toEqual([
    503,
    expect.objectContaining({ error: "temporarily_unavailable", error_codes: [90033] }),
  ]);
});
