import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { StorageManagementClient } from "@azure/arm-storage";
import { TableClient, TableServiceClient } from "@azure/data-tables";
import type { TokenCredential } from "@azure/identity";
import { BlobServiceClient } from "@azure/storage-blob";
import { QueueServiceClient } from "@azure/storage-queue";
import type { ServicePrincipal } from "../../../local/azure/azure-options";
import { FaultPlan } from "../../../local/faults/fault-plan";
import { startStorage, type Storage } from "../../../local/storage/storage";
import { startStoragePlane, storageControlOf, type StoragePlane } from "../../../local/storage/storage-plane";
import { loadOrCreateCa } from "../../../local/tls/certificate-authority";
import {
  type AzureFixture,
  credentialOf,
  GROUP,
  GROUP_ID,
  LOCATION,
  resourcesOf,
  startFixture,
  stopFixture,
  SUBSCRIPTION,
} from "../../local/azure/azure-fixture";
import { TENANT, tokenFor } from "../../local/azure/wire";

export interface StorageFixture extends AzureFixture {
  readonly plane: StoragePlane;
  readonly storage: Storage;
}

export interface AccountUnderTest {
  readonly name: string;
  readonly id: string;
}

const ANY_PORT = { blob: 0, queue: 0, table: 0 };
const log = (): void => undefined;

export async function startStorageFixture(folder?: string): Promise<StorageFixture> {
  const faults = new FaultPlan();
  const storage = await startStorage({ folder, ports: ANY_PORT, faults, log });
  const served: { plane?: StoragePlane } = {};
  const dataFolder = folder === undefined ? {} : { dataFolder: join(folder, "azure") };
  const fixture = await startFixture({ faults, storage: storageControlOf(storage, () => served.plane), ...dataFolder });
  const { key, cert } = await loadOrCreateCa(join(fixture.folder, "tls"));
  const { azure } = fixture;
  const plane = await startStoragePlane({
    storage,
    ports: ANY_PORT,
    tls: { key, cert },
    tenantId: TENANT,
    tokenAuthority: () => `${azure.authorityUrl}/${TENANT}`,
    account: (name) => azure.storageAccount(name),
    identify: (authorization) => azure.identifyForStorage(authorization),
    allows: (question) => azure.allows(question),
    faults,
    log,
  });
  served.plane = plane;
  await resourcesOf(fixture).resourceGroups.createOrUpdate(GROUP, { location: LOCATION });
  return { ...fixture, plane, storage };
}

export async function stopStorageFixture(fixture: StorageFixture): Promise<void> {
  await fixture.plane.close();
  await stopFixture(fixture);
  await fixture.storage.close();
}

let accounts = 0;
export const newAccountName = (): string => `corral${Date.now().toString(36)}${(accounts += 1)}`;

export const accountsOf = (fixture: AzureFixture, principal?: ServicePrincipal): StorageManagementClient =>
  new StorageManagementClient(credentialOf(fixture, principal), SUBSCRIPTION, {
    endpoint: fixture.azure.armUrl,
    tlsOptions: { ca: fixture.azure.caPem },
    retryOptions: { maxRetries: 0 },
  });

export async function createAccount(fixture: AzureFixture, properties: object = {}): Promise<AccountUnderTest> {
  const name = newAccountName();
  await accountsOf(fixture).storageAccounts.create(GROUP, name, {
    location: LOCATION,
    kind: "StorageV2",
    sku: { name: "Standard_LRS" },
    ...properties,
  });
  return { name, id: `${GROUP_ID}/providers/Microsoft.Storage/storageAccounts/${name}` };
}

let people = 0;
export function holderOf(
  { azure }: AzureFixture,
  grants: readonly { role: string; scope: string }[],
): ServicePrincipal {
  const principal = azure.addServicePrincipal({ displayName: `holder ${(people += 1)}` });
  for (const { role, scope } of grants) azure.grant({ principalId: principal.objectId, role, scope });
  return principal;
}

export const storageCredentialOf = (fixture: AzureFixture, principal: ServicePrincipal): TokenCredential => ({
  getToken: async () => ({
    token: await tokenFor(fixture, principal, "https://storage.azure.com/.default"),
    expiresOnTimestamp: Date.now() + 3_000_000,
  }),
});

/** Storage clients hand this on to their pipeline, though their types do not say so. */
export const trusting = ({ azure }: AzureFixture) => ({ tlsOptions: { ca: azure.caPem } });

export const blobsOf = (fixture: StorageFixture, { name }: AccountUnderTest, as: ServicePrincipal): BlobServiceClient =>
  new BlobServiceClient(fixture.plane.endpointOf("blob", name), storageCredentialOf(fixture, as), {
    ...trusting(fixture),
    retryOptions: { maxTries: 1 },
  });

export const queuesOf = (
  fixture: StorageFixture,
  { name }: AccountUnderTest,
  as: ServicePrincipal,
): QueueServiceClient =>
  new QueueServiceClient(fixture.plane.endpointOf("queue", name), storageCredentialOf(fixture, as), {
    ...trusting(fixture),
    retryOptions: { maxTries: 1 },
  });

const tableOptions = (fixture: StorageFixture) => ({ ...trusting(fixture), retryOptions: { maxRetries: 0 } });

export const tableOf = (
  fixture: StorageFixture,
  { name }: AccountUnderTest,
  { table, as }: { table: string; as: ServicePrincipal },
): TableClient =>
  new TableClient(
    fixture.plane.endpointOf("table", name),
    table,
    storageCredentialOf(fixture, as),
    tableOptions(fixture),
  );

export const tablesOf = (
  fixture: StorageFixture,
  { name }: AccountUnderTest,
  as: ServicePrincipal,
): TableServiceClient =>
  new TableServiceClient(
    fixture.plane.endpointOf("table", name),
    storageCredentialOf(fixture, as),
    tableOptions(fixture),
  );

export async function inFolder(act: (folder: string) => Promise<void>): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), "corral-storage-"));
  try {
    await act(folder);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

export async function collect<Item>(items: AsyncIterable<Item>): Promise<Item[]> {
  const all: Item[] = [];
  for await (const item of items) all.push(item);
  return all;
}
