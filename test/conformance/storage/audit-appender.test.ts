import type { ContainerClient } from "@azure/storage-blob";
import type { ServicePrincipal } from "../../../local/azure/azure-options";
import { AuditBlob } from "../../../src/azure/audit-blob";
import type { AuditEntry } from "../../../src/contract/audit";
import appender from "../../../src/domain/audit-appender.json";
import { AuditTable } from "../../../src/state/audit-table";
import { newGuid, SUBSCRIPTION } from "../../local/azure/azure-fixture";
import { call } from "../../local/azure/wire";
import {
  type AccountUnderTest,
  blobsOf,
  createAccount,
  holderOf,
  startStorageFixture,
  stopStorageFixture,
  type StorageFixture,
  tableOf,
} from "./storage-fixture";

let fixture: StorageFixture;
let account: AccountUnderTest;
let service: ServicePrincipal;
let keeper: ServicePrincipal;

beforeAll(async () => {
  fixture = await startStorageFixture();
  account = await createAccount(fixture, { allowSharedKeyAccess: false });
  const { Name, Description, Actions, NotActions, DataActions, NotDataActions } = appender;
  const guid = newGuid();
  const permissions = [
    { actions: Actions, notActions: NotActions, dataActions: DataActions, notDataActions: NotDataActions },
  ];
  const assignableScopes = [`/subscriptions/${SUBSCRIPTION}`];
  const path = `/subscriptions/${SUBSCRIPTION}/providers/Microsoft.Authorization/roleDefinitions/${guid}`;
  const properties = { roleName: Name, description: Description, type: "CustomRole", permissions, assignableScopes };
  const made = await call(fixture, { method: "PUT", path, body: { properties } });
  expect(made.status).toBe(201);
  service = holderOf(fixture, [{ role: Name, scope: account.id }]);
  const roles = ["Storage Blob Data Contributor", "Storage Table Data Contributor"];
  keeper = holderOf(
    fixture,
    roles.map((role) => ({ role, scope: account.id })),
  );
  await tableOf(fixture, account, { table: "Audit", as: keeper }).createTable();
  await blobsOf(fixture, account, keeper).getContainerClient("audit").create();
});
afterAll(() => stopStorageFixture(fixture));

const line = (id: string): AuditEntry => ({
  ...{ id, phase: "intent", at: "2030-12-31T23:59:58.000Z", operation: "Corral/organizations/jobs/write" },
  ...{ actor: { type: "user", id: "u" }, org: "demo", target: "/orgs/demo/jobs/1", correlationId: newGuid() },
});
const containerOf = (as: ServicePrincipal): ContainerClient =>
  blobsOf(fixture, account, as).getContainerClient("audit");

it("lets the service add to the audit's table and read it, and neither change nor delete a line (T27; docs: Storage Table data actions)", async () => {
  const rows = tableOf(fixture, account, { table: "Audit", as: service });
  const audit = new AuditTable(rows);
  await audit.append(line("20301231T235958000Z-a"));
  const row = { partitionKey: "demo", rowKey: "20301231T235958000Z-a:intent" };

  expect((await audit.list("demo", { top: 10 })).values).toHaveLength(1);
  await expect(rows.updateEntity({ ...row, json0: "{}" }, "Merge", { etag: "*" })).rejects.toMatchObject({
    statusCode: 403,
  });
  await expect(rows.upsertEntity({ ...row, json0: "{}" }, "Replace")).rejects.toMatchObject({ statusCode: 403 });
  await expect(rows.deleteEntity(row.partitionKey, row.rowKey)).rejects.toMatchObject({ statusCode: 403 });
});

it("appends each line to the blob of its hour, over several instances, and lets nobody else in the app's name change it (T27; @azure/storage-blob 12.34.0)", async () => {
  const [one, other] = [new AuditBlob(containerOf(service)), new AuditBlob(containerOf(service))];
  await Promise.all([one.append(line("a")), other.append(line("b")), one.append(line("c"))]);
  const blob = containerOf(keeper).getAppendBlobClient("2030/12/31/23.jsonl");
  const text = (await blob.downloadToBuffer()).toString("utf8");
  const own = containerOf(service).getAppendBlobClient("2030/12/31/23.jsonl");

  const ids = text
    .trim()
    .split("\n")
    .map((each) => (JSON.parse(each) as AuditEntry).id);
  expect(ids.sort()).toEqual(["a", "b", "c"]);
  await expect(own.create()).rejects.toMatchObject({ statusCode: 403 });
  await expect(own.delete()).rejects.toMatchObject({ statusCode: 403 });
});
