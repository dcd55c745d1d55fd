import type { KeyVaultManagementClient } from "@azure/arm-keyvault";
import {
  type AzureFixture,
  fast,
  GROUP,
  LOCATION,
  resourcesOf,
  startFixture,
  SUBSCRIPTION,
  stopFixture,
} from "../../local/azure/azure-fixture";
import { TENANT } from "../../local/azure/wire";
import {
  collect,
  createGroup,
  createVault,
  keysOf,
  newVaultName,
  secretsOf,
  STANDARD,
  vaultsOf,
} from "./vault-fixture";

let fixture: AzureFixture;
let client: KeyVaultManagementClient;

beforeAll(async () => {
  fixture = await startFixture();
  await createGroup(fixture);
  client = vaultsOf(fixture);
});
afterAll(() => stopFixture(fixture));

it("creates a vault with Azure's defaults; since 2026-02-01 it judges by roles (@azure/arm-keyvault 5.0.0: vaults.createOrUpdate)", async () => {
  const name = newVaultName();
  const tags = { "corral:org": "acme" };

  const made = await client.vaults.createOrUpdate(GROUP, name, { location: "West US 3", tags, properties: STANDARD });
  const read = await client.vaults.get(GROUP, name);

  expect(read).toEqual(made);
  expect(made).toMatchObject({
    id: `/subscriptions/${SUBSCRIPTION}/resourceGroups/${GROUP}/providers/Microsoft.KeyVault/vaults/${name}`,
    name,
    type: "Microsoft.KeyVault/vaults",
    location: LOCATION,
    tags,
    properties: {
      ...STANDARD,
      accessPolicies: [],
      enableSoftDelete: true,
      softDeleteRetentionInDays: 90,
      enableRbacAuthorization: true,
      provisioningState: "Succeeded",
      publicNetworkAccess: "Enabled",
      vaultUri: expect.stringMatching(/^https:\/\/localhost:\d+\/$/) as string,
    },
  });
});

it("keeps what a PATCH does not name, and network rules as they were written (@azure/arm-keyvault 5.0.0: vaults.update)", async () => {
  const { name, url } = await createVault(fixture, { enabledForDeployment: true });
  const networkAcls = { bypass: "None", defaultAction: "Deny", ipRules: [{ value: "203.0.113.7/32" }] };

  await client.vaults.update(GROUP, name, { tags: { a: "b" } });
  const changed = await client.vaults.update(GROUP, name, { properties: { networkAcls } });

  expect(changed).toMatchObject({
    tags: { a: "b" },
    properties: { networkAcls, enabledForDeployment: true, enableRbacAuthorization: true, vaultUri: url },
  });
});

it.each([
  { properties: { enableSoftDelete: false }, message: "enableSoftDelete" },
  { properties: { enablePurgeProtection: false }, message: "irreversible" },
  { properties: { softDeleteRetentionInDays: 6 }, message: "between 7 and 90" },
  { properties: { tenantId: SUBSCRIPTION }, message: "tenantId" },
  { properties: { enableRbacAuthorization: false }, message: "accessPolicies is not specified" },
])("refuses $properties (docs: Soft-delete overview; Vaults - Create Or Update)", async ({ properties, message }) => {
  const making = client.vaults.createOrUpdate(GROUP, newVaultName(), {
    location: LOCATION,
    properties: { ...STANDARD, ...properties },
  });

  await expect(making).rejects.toMatchObject({
    statusCode: 400,
    code: "BadRequest",
    message: expect.stringContaining(message) as string,
  });
});

it("never changes how long it keeps what was deleted (docs: Soft-delete overview)", async () => {
  const { name } = await createVault(fixture, { softDeleteRetentionInDays: 7 });

  const changing = client.vaults.update(GROUP, name, { properties: { softDeleteRetentionInDays: 30 } });

  await expect(changing).rejects.toMatchObject({
    statusCode: 400,
    message: expect.stringContaining("set already") as string,
  });
});

it("lists vaults of a group and of the subscription (@azure/arm-keyvault 5.0.0: listByResourceGroup, listBySubscription, list)", async () => {
  const { name } = await createVault(fixture);

  const lists = [
    await collect(client.vaults.listByResourceGroup(GROUP)),
    await collect(client.vaults.listBySubscription()),
    await collect(client.vaults.list()),
  ];

  expect(lists.map((list) => list.some((one) => one.name === name))).toEqual([true, true, true]);
});

it("tells of a name whether it can be had (@azure/arm-keyvault 5.0.0: checkNameAvailability)", async () => {
  const { name } = await createVault(fixture);
  const check = (wanted: string) =>
    client.vaults.checkNameAvailability({ name: wanted, type: "Microsoft.KeyVault/vaults" });

  const answers = [await check(newVaultName()), await check(name), await check("1-bad--name")];

  expect(answers.map(({ nameAvailable, reason }) => [nameAvailable, reason])).toEqual([
    [true, undefined],
    [false, "AlreadyExists"],
    [false, "AccountNameInvalid"],
  ]);
});

it("shows a deleted vault, blocks its name, and recovers it with all that it held (docs: Recover a deleted vault; @azure/arm-keyvault 5.0.0)", async () => {
  const { name, url, id } = await createVault(fixture);
  await secretsOf(fixture, { url }).setSecret("s", "v");
  await client.vaults.delete(GROUP, name);
  const create = (properties: object) =>
    client.vaults.createOrUpdate(GROUP, name, { location: LOCATION, properties: { ...STANDARD, ...properties } });

  const deleted = await client.vaults.getDeleted(name, LOCATION);
  const listed = await collect(client.vaults.listDeleted());
  await expect(client.vaults.get(GROUP, name)).rejects.toMatchObject({ statusCode: 404 });
  await expect(secretsOf(fixture, { url }).getSecret("s")).rejects.toThrow("ECONNREFUSED");
  await expect(create({})).rejects.toMatchObject({ statusCode: 409, code: "ConflictError" });
  const recovered = await create({ createMode: "recover" });
  fixture.azure.grant({ principalId: fixture.owner.objectId, role: "Key Vault Secrets User", scope: id });

  expect(deleted.properties).toMatchObject({ vaultId: id, location: LOCATION });
  expect(listed.map((one) => one.name)).toContain(name);
  expect((await secretsOf(fixture, { url: recovered.properties.vaultUri ?? "" }).getSecret("s")).value).toBe("v");
  expect(recovered.properties.vaultUri).toBe(url);
});

it("says so when there is nothing to recover (AzureCosmosDB/OmniVec#24: SoftDeletedVaultDoesNotExist)", async () => {
  const recovering = client.vaults.createOrUpdate(GROUP, newVaultName(), {
    location: LOCATION,
    properties: { ...STANDARD, createMode: "recover" },
  });

  await expect(recovering).rejects.toMatchObject({ statusCode: 404, code: "SoftDeletedVaultDoesNotExist" });
});

it("purges a deleted vault, after which another of its name is empty (@azure/arm-keyvault 5.0.0: purgeDeleted)", async () => {
  const { name, url } = await createVault(fixture);
  await secretsOf(fixture, { url }).setSecret("s", "v");
  await client.vaults.delete(GROUP, name);

  await client.vaults.purgeDeleted(name, LOCATION, fast);
  const fresh = await client.vaults.createOrUpdate(GROUP, name, { location: LOCATION, properties: STANDARD });
  fixture.azure.grant({ principalId: fixture.owner.objectId, role: "Key Vault Administrator", scope: fresh.id ?? "" });

  expect(await collect(secretsOf(fixture, { url: fresh.properties.vaultUri ?? "" }).listPropertiesOfSecrets())).toEqual(
    [],
  );
});

it("does not purge a vault that is protected from it (MicrosoftDocs/azure-docs#55427)", async () => {
  const { name } = await createVault(fixture, { enablePurgeProtection: true });
  await client.vaults.delete(GROUP, name);

  const purging = client.vaults.purgeDeleted(name, LOCATION, fast);

  await expect(Promise.resolve(purging)).rejects.toMatchObject({
    message: expect.stringContaining("'DeletedVaultPurge' is not allowed") as string,
  });
});

it("keeps a vault that goes with its group (docs: Soft-delete overview)", async () => {
  const groups = resourcesOf(fixture).resourceGroups;
  await groups.createOrUpdate("passing", { location: LOCATION });
  const name = newVaultName();
  await client.vaults.createOrUpdate("passing", name, { location: LOCATION, properties: STANDARD });

  await groups.delete("passing", fast);

  expect((await client.vaults.getDeleted(name, LOCATION)).name).toBe(name);
});

it("answers DELETE with 204 where nothing was, and a PUT of a taken name with VaultAlreadyExists (Azure/ARO-Landing-Zone-Accelerator#28)", async () => {
  const { name } = await createVault(fixture);
  await resourcesOf(fixture).resourceGroups.createOrUpdate("elsewhere", { location: LOCATION });

  await client.vaults.delete(GROUP, newVaultName());
  const taking = client.vaults.createOrUpdate("elsewhere", name, { location: LOCATION, properties: STANDARD });

  await expect(taking).rejects.toMatchObject({ statusCode: 409, code: "VaultAlreadyExists" });
});

it("makes a secret by the control plane, without data rights and without ever showing it (@azure/arm-keyvault 5.0.0: secrets)", async () => {
  const name = newVaultName();
  await client.vaults.createOrUpdate(GROUP, name, {
    location: LOCATION,
    properties: { ...STANDARD, enableRbacAuthorization: true },
  });

  const made = await client.secrets.createOrUpdate(GROUP, name, "declared", {
    properties: { value: "hidden", contentType: "text/plain" },
  });
  const listed = await collect(client.secrets.list(GROUP, name));
  const changed = await client.secrets.update(GROUP, name, "declared", {
    properties: { attributes: { enabled: false } },
  });

  expect(made.properties).toMatchObject({
    contentType: "text/plain",
    secretUri: expect.stringContaining("/secrets/declared") as string,
  });
  expect(listed.map((one) => one.name)).toEqual(["declared"]);
  expect(changed.properties.attributes?.enabled).toBe(false);
  expect(JSON.stringify([made, listed, changed])).not.toContain("hidden");
});

it("makes a key by the control plane once, however often it is declared (@azure/arm-keyvault 5.0.0: keys.createIfNotExist)", async () => {
  const { name, url } = await createVault(fixture);
  const declare = () =>
    client.keys.createIfNotExist(GROUP, name, "ssh", {
      properties: { kty: "RSA", keySize: 2048, keyOps: ["wrapKey", "unwrapKey"] },
    });

  const [first, second] = [await declare(), await declare()];
  const versions = await collect(client.keys.listVersions(GROUP, name, "ssh"));
  const read = await keysOf(fixture, { url }).getKey("ssh");

  expect(second.keyUriWithVersion).toBe(first.keyUriWithVersion);
  expect(versions).toHaveLength(1);
  expect(read.id).toBe(first.keyUriWithVersion);
  expect(read.keyOperations).toEqual(["wrapKey", "unwrapKey"]);
});

it("keeps vaults, secrets and their address over a restart (docs/architecture.md: State)", async () => {
  const first = await startFixture();
  await createGroup(first);
  const { name, url, id } = await createVault(first);
  await secretsOf(first, { url }).setSecret("s", "v");
  const https = Number(new URL(first.azure.armUrl).port);
  await first.azure.close();

  const second = await startFixture({ dataFolder: first.folder, ports: { https, identity: 0, portal: 0 } });
  const read = await secretsOf(second, { url }).getSecret("s");
  const vault = await vaultsOf(second).vaults.get(GROUP, name);
  await stopFixture(second);

  expect([read.value, vault.id, vault.properties.vaultUri, vault.properties.tenantId]).toEqual(["v", id, url, TENANT]);
});
