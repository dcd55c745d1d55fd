import { ClientSecretCredential } from "@azure/identity";
import { SecretClient } from "@azure/keyvault-secrets";
import { type AzureFixture, startFixture, stopFixture } from "../../local/azure/azure-fixture";
import { TENANT } from "../../local/azure/wire";
import { collect, createGroup, createVault, secretsOf, type VaultUnderTest } from "./vault-fixture";

let fixture: AzureFixture;
let vault: VaultUnderTest;
let secrets: SecretClient;

beforeAll(async () => {
  fixture = await startFixture();
  await createGroup(fixture);
  vault = await createVault(fixture);
  secrets = secretsOf(fixture, vault);
});
afterEach(() => fixture.faults.disarmAll());
afterAll(() => stopFixture(fixture));

const HOUR_MS = 3_600_000;

it("sends a client with a secret of its own to Entra for a token, and then answers it (@azure/identity 4: ClientSecretCredential)", async () => {
  const { clientId, clientSecret } = fixture.owner;
  const credential = new ClientSecretCredential(TENANT, clientId, clientSecret, {
    authorityHost: fixture.azure.authorityUrl,
    disableInstanceDiscovery: true,
    tlsOptions: { ca: fixture.azure.caPem },
  });
  const client = new SecretClient(vault.url, credential, {
    disableChallengeResourceVerification: true,
    tlsOptions: { ca: fixture.azure.caPem },
  });

  const set = await client.setSecret("by-client-secret", "42");

  expect(set).toMatchObject({
    name: "by-client-secret",
    value: "42",
    properties: { vaultUrl: vault.url.slice(0, -1) },
  });
});

it("refuses a client that does not turn off the check of the challenge's resource, as its host is not Azure's (@azure/keyvault-secrets 4.12.0)", async () => {
  const strict = new SecretClient(
    vault.url,
    { getToken: () => Promise.resolve(null) },
    { tlsOptions: { ca: fixture.azure.caPem } },
  );

  const getting = strict.getSecret("any");

  await expect(getting).rejects.toThrow("does not match the requested domain");
});

it("sets a secret with all its attributes and shows them again (@azure/keyvault-secrets 4.12.0)", async () => {
  const attributes = {
    contentType: "text/plain",
    tags: { owner: "team-a" },
    notBefore: new Date(1_700_000_000_000),
    expiresOn: new Date(1_900_000_000_000),
  };

  await secrets.setSecret("full", "value", attributes);
  const read = await secrets.getSecret("full");

  expect(read.value).toBe("value");
  expect(read.properties).toMatchObject({
    ...attributes,
    enabled: true,
    recoveryLevel: "Recoverable+Purgeable",
    recoverableDays: 90,
  });
  expect(read.properties.createdOn?.getTime()).toBeGreaterThan(Date.now() - HOUR_MS);
});

it("keeps each value as a version that can be read by its name (@azure/keyvault-secrets 4.12.0)", async () => {
  const first = await secrets.setSecret("rotated", "one");
  await secrets.setSecret("rotated", "two");

  const newest = await secrets.getSecret("rotated");
  const { version } = first.properties;
  const older = await secrets.getSecret("rotated", version === undefined ? {} : { version });
  const versions = await collect(secrets.listPropertiesOfSecretVersions("rotated"));

  expect([newest.value, older.value]).toEqual(["two", "one"]);
  expect(versions.map((one) => one.version)).toEqual([first.properties.version, newest.properties.version]);
});

it("finds a secret by its name in any case (docs: About keys, secrets and certificates)", async () => {
  await secrets.setSecret("Mixed-Case", "found");

  const read = await secrets.getSecret("mixed-CASE");

  expect(read).toMatchObject({ name: "Mixed-Case", value: "found" });
});

it("lists secrets in pages of 25 and never their values (@azure/keyvault-secrets 4.12.0, docs: Get Secrets)", async () => {
  const other = secretsOf(fixture, await createVault(fixture));
  const names = Array.from({ length: 30 }, (_, index) => `s${String(index).padStart(2, "0")}`);
  for (const name of names) await other.setSecret(name, "hidden");

  const pages = await collect(other.listPropertiesOfSecrets().byPage());

  expect(pages.map((page) => page.length)).toEqual([25, 5]);
  expect(pages.flat().map(({ name }) => name)).toEqual(names);
  expect(JSON.stringify(pages)).not.toContain("hidden");
});

it("changes attributes of a version and nothing else (@azure/keyvault-secrets 4.12.0)", async () => {
  const { properties } = await secrets.setSecret("changed", "same", { contentType: "a/b", tags: { one: "1" } });

  await secrets.updateSecretProperties("changed", properties.version ?? "", {
    tags: { two: "2" },
    expiresOn: new Date(1.9e12),
  });
  const read = await secrets.getSecret("changed");

  expect(read).toMatchObject({
    value: "same",
    properties: { contentType: "a/b", tags: { two: "2" }, version: properties.version },
  });
  expect(read.properties.expiresOn).toEqual(new Date(1.9e12));
});

it("shows no disabled secret: 403 with the reason SecretDisabled (Azure/azure-sdk-for-js#24756)", async () => {
  const { properties } = await secrets.setSecret("disabled", "v");
  await secrets.updateSecretProperties("disabled", properties.version ?? "", { enabled: false });

  const getting = secrets.getSecret("disabled");

  await expect(getting).rejects.toMatchObject({
    statusCode: 403,
    code: "Forbidden",
    message: "Operation get is not allowed on a disabled secret.",
    details: { error: { innerError: { code: "SecretDisabled" } } },
  });
});

it("shows a secret that has expired, or is not yet valid: its times only inform (docs: About secrets, Date-time controlled operations)", async () => {
  await secrets.setSecret("expired", "old", { expiresOn: new Date(Date.now() - HOUR_MS) });
  await secrets.setSecret("early", "new", { notBefore: new Date(Date.now() + HOUR_MS) });

  const values = [(await secrets.getSecret("expired")).value, (await secrets.getSecret("early")).value];

  expect(values).toEqual(["old", "new"]);
});

it("says SecretNotFound of a name and of a version that is not there (@azure/keyvault-secrets 4.12.0)", async () => {
  await secrets.setSecret("known", "v");

  const refusals = [secrets.getSecret("unknown"), secrets.getSecret("known", { version: "0".repeat(32) })];

  for (const refusal of refusals)
    await expect(refusal).rejects.toMatchObject({ statusCode: 404, code: "SecretNotFound" });
});

it("takes 25,600 bytes and not one more (docs: About secrets; Azure/azure-cli#5639)", async () => {
  await secrets.setSecret("largest", "x".repeat(25_600));

  const tooLarge = secrets.setSecret("largest", "x".repeat(25_601));

  await expect(tooLarge).rejects.toMatchObject({
    statusCode: 400,
    code: "BadParameter",
    message: "Secret is beyond the maximum permitted length of 25600 characters.",
  });
  expect((await secrets.getSecret("largest")).value).toHaveLength(25_600);
});

it("deletes softly, blocks the name, and gives everything back on recovery (@azure/keyvault-secrets 4.12.0: beginDeleteSecret, beginRecoverDeletedSecret)", async () => {
  await secrets.setSecret("gone", "first");
  await secrets.setSecret("gone", "second");
  const deleted = await (await secrets.beginDeleteSecret("gone")).pollUntilDone();

  const again = secrets.setSecret("gone", "third");
  await expect(again).rejects.toMatchObject({
    statusCode: 409,
    code: "Conflict",
    message: expect.stringContaining("deleted but recoverable") as string,
  });
  await (await secrets.beginRecoverDeletedSecret("gone")).pollUntilDone();

  expect(deleted.recoveryId).toBe(`${vault.url}deletedsecrets/gone`);
  expect((await secrets.getSecret("gone")).value).toBe("second");
  expect(await collect(secrets.listPropertiesOfSecretVersions("gone"))).toHaveLength(2);
});

it("purges a deleted secret so that its name is free (@azure/keyvault-secrets 4.12.0: purgeDeletedSecret)", async () => {
  await secrets.setSecret("purged", "v");
  await (await secrets.beginDeleteSecret("purged")).pollUntilDone();
  const listed = await collect(secrets.listDeletedSecrets());

  await secrets.purgeDeletedSecret("purged");
  const fresh = await secrets.setSecret("purged", "fresh");

  expect(listed.map(({ name }) => name)).toContain("purged");
  expect(fresh.value).toBe("fresh");
  expect(await collect(secrets.listPropertiesOfSecretVersions("purged"))).toHaveLength(1);
});

it("refuses to purge where the vault is protected (Azure/azure-rest-api-specs#9222)", async () => {
  const guarded = secretsOf(
    fixture,
    await createVault(fixture, { enablePurgeProtection: true, softDeleteRetentionInDays: 7 }),
  );
  await guarded.setSecret("kept", "v");
  const deleted = await (await guarded.beginDeleteSecret("kept")).pollUntilDone();

  const purging = guarded.purgeDeletedSecret("kept");

  await expect(purging).rejects.toMatchObject({
    statusCode: 403,
    message: expect.stringContaining('Operation: "purge"') as string,
  });
  const daysKept =
    ((deleted.scheduledPurgeDate?.getTime() ?? 0) - (deleted.deletedOn?.getTime() ?? 0)) / (24 * HOUR_MS);
  expect(daysKept).toBe(7);
});

it("restores a backup into another vault with all versions (@azure/keyvault-secrets 4.12.0: backupSecret, restoreSecretBackup)", async () => {
  await secrets.setSecret("saved", "one");
  await secrets.setSecret("saved", "two");
  const other = secretsOf(fixture, await createVault(fixture));

  const backup = await secrets.backupSecret("saved");
  await other.restoreSecretBackup(backup ?? new Uint8Array());

  expect((await other.getSecret("saved")).value).toBe("two");
  expect(await collect(other.listPropertiesOfSecretVersions("saved"))).toHaveLength(2);
});

it("fails a chosen call as the fault plan tells, once its caller is known (local/faults: service vault)", async () => {
  await secrets.setSecret("faulty", "v");
  const action = { kind: "fail", status: 503, code: "ServiceUnavailable", message: "Try later." } as const;
  fixture.faults.arm({
    service: "vault",
    operation: "^get secret$",
    subject: "/faulty$",
    stage: "before",
    skip: 0,
    times: 1,
    action,
  });

  const failing = secretsOf(fixture, vault).getSecret("faulty");

  await expect(failing).rejects.toMatchObject({ statusCode: 503, code: "ServiceUnavailable" });
  expect((await secrets.getSecret("faulty")).value).toBe("v");
});
