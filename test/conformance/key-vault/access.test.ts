import { CryptographyClient } from "@azure/keyvault-keys";
import type { ServicePrincipal } from "../../../local/azure/azure-options";
import {
  type AzureFixture,
  startFixture,
  SUBSCRIPTION,
  stopFixture,
  newGuid,
  GROUP,
} from "../../local/azure/azure-fixture";
import { createRoleGiver } from "../../local/azure/role-giver";
import { call, messageOf, TENANT, tokenFor } from "../../local/azure/wire";
import {
  collect,
  createGroup,
  createVault,
  cryptographyOptions,
  keysOf,
  secretsOf,
  vaultCredentialOf,
  vaultsOf,
  type VaultUnderTest,
} from "./vault-fixture";
import { askVault } from "./vault-wire";

let fixture: AzureFixture;
let vault: VaultUnderTest;

beforeAll(async () => {
  fixture = await startFixture();
  await createGroup(fixture);
  vault = await createVault(fixture);
  await secretsOf(fixture, vault).setSecret("shared", "v");
  await secretsOf(fixture, vault).setSecret("other", "v");
  await keysOf(fixture, vault).createRsaKey("k");
});
afterAll(() => stopFixture(fixture));

let people = 0;
const newPrincipal = (): ServicePrincipal =>
  fixture.azure.addServicePrincipal({ displayName: `person ${(people += 1)}` });

function holderOf(role: string, scope = vault.id): ServicePrincipal {
  const principal = newPrincipal();
  fixture.azure.grant({ principalId: principal.objectId, role, scope });
  return principal;
}

/** What a principal may do with secrets and keys, tried one by one. */
async function rightsOf(principal: ServicePrincipal): Promise<string[]> {
  const secrets = secretsOf(fixture, vault, principal);
  const keys = keysOf(fixture, vault, principal);
  const { id = "" } = await keysOf(fixture, vault).getKey("k");
  const attempts: [string, () => Promise<unknown>][] = [
    ["get secret", () => secrets.getSecret("shared")],
    ["list secrets", () => collect(secrets.listPropertiesOfSecrets())],
    ["set secret", () => secrets.setSecret("mine", "v")],
    ["get key", () => keys.getKey("k")],
    [
      "unwrap",
      () =>
        new CryptographyClient(id, vaultCredentialOf(fixture, principal), cryptographyOptions(fixture)).unwrapKey(
          "RSA-OAEP",
          new Uint8Array(256),
        ),
    ],
    ["create key", () => keys.createRsaKey("mine")],
  ];
  const held: string[] = [];
  for (const [name, attempt] of attempts) {
    const status = await attempt().then(
      () => 200,
      (error: unknown) => (error as { statusCode: number }).statusCode,
    );
    if (status !== 403) held.push(name);
  }
  return held;
}

it.each([
  { role: "Key Vault Secrets User", rights: ["get secret", "list secrets"] },
  { role: "Key Vault Secrets Officer", rights: ["get secret", "list secrets", "set secret"] },
  { role: "Key Vault Reader", rights: ["list secrets", "get key"] },
  { role: "Key Vault Crypto User", rights: ["get key", "unwrap"] },
  { role: "Key Vault Crypto Officer", rights: ["get key", "unwrap", "create key"] },
  {
    role: "Key Vault Administrator",
    rights: ["get secret", "list secrets", "set secret", "get key", "unwrap", "create key"],
  },
  { role: "Owner", rights: [] },
])(
  "gives who is $role: $rights (docs: Azure built-in roles for Key Vault data plane operations)",
  async ({ role, rights }) => {
    const principal = holderOf(role);

    const held = await rightsOf(principal);

    expect(held).toEqual(rights);
  },
);

it("gives a right on one secret alone (docs: Secret scope role assignment)", async () => {
  const principal = holderOf("Key Vault Secrets User", `${vault.id}/secrets/shared`);
  const secrets = secretsOf(fixture, vault, principal);

  const own = await secrets.getSecret("shared");

  expect(own.value).toBe("v");
  await expect(secrets.getSecret("other")).rejects.toMatchObject({ statusCode: 403 });
  await expect(collect(secrets.listPropertiesOfSecrets())).rejects.toMatchObject({ statusCode: 403 });
});

it("gives what a role of one's own names: to unwrap, and nothing besides (docs: Azure custom roles, dataActions)", async () => {
  const principal = newPrincipal();
  const guid = newGuid();
  const permissions = [{ actions: [], dataActions: ["Microsoft.KeyVault/vaults/keys/unwrap/action"] }];
  const properties = { roleName: "key unwrapper", assignableScopes: [`/subscriptions/${SUBSCRIPTION}`], permissions };
  await call(fixture, {
    method: "PUT",
    path: `/subscriptions/${SUBSCRIPTION}/providers/Microsoft.Authorization/roleDefinitions/${guid}`,
    body: { properties },
  });
  await createRoleGiver(fixture, principal).assign({ scope: vault.id, guid });

  const held = await rightsOf(principal);

  expect(held).toEqual(["unwrap"]);
});

it("says who lacks which action on what: ForbiddenByRbac (hashicorp/terraform-provider-azurerm#27817)", async () => {
  const principal = newPrincipal();

  const refusal = await askVault(fixture, { url: vault.url, path: "/secrets/shared", as: principal });

  const { clientId, objectId } = principal;
  const resource = `${vault.id}/secrets/shared`
    .replace("resourceGroups", "resourcegroups")
    .replace("Microsoft.KeyVault", "microsoft.keyvault");
  expect(refusal.status).toBe(403);
  expect(refusal.body).toEqual({
    error: {
      code: "Forbidden",
      innererror: { code: "ForbiddenByRbac" },
      message: `Caller is not authorized to perform action on resource.\r\nIf role assignments, deny assignments or role definitions were changed recently, please observe propagation time.\r\nCaller: appid=${clientId};oid=${objectId};iss=https://sts.windows.net/${TENANT}/\r\nAction: 'Microsoft.KeyVault/vaults/secrets/getSecret/action'\r\nResource: '${resource}'\r\nAssignment: (not found)\r\nDenyAssignmentId: null\r\nDecisionReason: null \r\nVault: ${vault.name};location=westus3\r\n`,
    },
  });
});

it("judges by access policies alone where roles are off (docs: Assign a Key Vault access policy)", async () => {
  const [holder, roleOwner] = [newPrincipal(), newPrincipal()];
  const policies = [{ tenantId: TENANT, objectId: holder.objectId, permissions: { secrets: ["Get", "Set"] } }];
  const byPolicy = await createVault(fixture, { enableRbacAuthorization: false, accessPolicies: policies });
  fixture.azure.grant({ principalId: roleOwner.objectId, role: "Key Vault Administrator", scope: byPolicy.id });
  const secrets = secretsOf(fixture, byPolicy, holder);

  await secrets.setSecret("s", "v");
  const refusals = await Promise.all([
    askVault(fixture, { url: byPolicy.url, path: "/secrets", as: holder }),
    askVault(fixture, { url: byPolicy.url, path: "/secrets/s", as: roleOwner }),
  ]);

  expect(refusals.map(({ status }) => status)).toEqual([403, 403]);
  expect(refusals.map(messageOf)).toEqual([
    expect.stringContaining("does not have secrets list permission on key vault"),
    expect.stringContaining("does not have secrets get permission on key vault"),
  ]);
});

it("adds and removes access policies one by one (@azure/arm-keyvault 5.0.0: updateAccessPolicy)", async () => {
  const principal = newPrincipal();
  const byPolicy = await createVault(fixture, { enableRbacAuthorization: false, accessPolicies: [] });
  const entry = { tenantId: TENANT, objectId: principal.objectId, permissions: { secrets: ["list"] } };
  const list = () => collect(secretsOf(fixture, byPolicy, principal).listPropertiesOfSecrets());
  const { vaults } = vaultsOf(fixture);

  await vaults.updateAccessPolicy(GROUP, byPolicy.name, "add", { properties: { accessPolicies: [entry] } });
  const listed = await list();
  await vaults.updateAccessPolicy(GROUP, byPolicy.name, "remove", { properties: { accessPolicies: [entry] } });

  expect(listed).toEqual([]);
  await expect(list()).rejects.toMatchObject({ statusCode: 403 });
});

it("challenges who brings no token with authority and resource (docs: Authentication, requests and responses)", async () => {
  const { status, headers, body } = await askVault(fixture, { url: vault.url, path: "/secrets/shared", token: "" });

  expect(status).toBe(401);
  expect(headers["www-authenticate"]).toBe(
    `Bearer authorization="${fixture.azure.authorityUrl}/${TENANT}", resource="https://vault.azure.net"`,
  );
  expect(body).toEqual({
    error: { code: "Unauthorized", message: "AKV10000: Request is missing a Bearer or PoP token." },
  });
});

it("takes no token that was made for something else: AKV10022 (MicrosoftDocs/azure-docs#109562)", async () => {
  const token = await tokenFor(fixture, fixture.owner, "https://management.azure.com/.default");

  const { status, body } = await askVault(fixture, { url: vault.url, path: "/secrets/shared", token });

  expect(status).toBe(401);
  expect(body).toMatchObject({
    error: {
      message: expect.stringContaining(
        "AKV10022: Invalid audience. Expected https://vault.azure.net, found: https://management.azure.com",
      ) as string,
    },
  });
});

it.each([
  { path: "/secrets/shared", query: "", status: 400 },
  { path: "/secrets/shared", query: "?api-version=1.0", status: 400 },
  { path: "/secrets/shared", query: "?api-version=7.4", status: 200 },
  { path: "/secrets/bad_name", query: "?api-version=7.4", status: 400 },
  { path: "/certificates", query: "?api-version=7.4", status: 404 },
])("answers $path$query with $status (docs: Key Vault versions)", async ({ path, query, status }) => {
  const reply = await askVault(fixture, { url: vault.url, path, query });

  expect(reply.status).toBe(status);
});
