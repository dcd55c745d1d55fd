import type { ServicePrincipal } from "../../../local/azure/azure-options";
import {
  type AccountUnderTest,
  collect,
  createAccount,
  holderOf,
  queuesOf,
  startStorageFixture,
  stopStorageFixture,
  type StorageFixture,
  tableOf,
  tablesOf,
} from "./storage-fixture";

let fixture: StorageFixture;
let account: AccountUnderTest;
let writer: ServicePrincipal;

beforeAll(async () => {
  fixture = await startStorageFixture();
  account = await createAccount(fixture, { allowSharedKeyAccess: false });
  const roles = ["Storage Table Data Contributor", "Storage Queue Data Contributor"];
  writer = holderOf(
    fixture,
    roles.map((role) => ({ role, scope: account.id })),
  );
  await tableOf(fixture, account, { table: "Jobs", as: writer }).createTable();
});
afterEach(() => fixture.faults.disarmAll());
afterAll(() => stopStorageFixture(fixture));

it("stores, reads, merges and deletes entities by a token over https (@azure/data-tables 13.3.2: TokenCredential)", async () => {
  const table = tableOf(fixture, account, { table: "Jobs", as: writer });
  await table.createEntity({ partitionKey: "acme", rowKey: "j-1 'ü'", status: "Queued" });

  await table.updateEntity({ partitionKey: "acme", rowKey: "j-1 'ü'", status: "Running" }, "Merge");
  const read = await table.getEntity("acme", "j-1 'ü'");
  const found = await collect(
    table.listEntities({ queryOptions: { filter: "status eq 'Running'", select: ["rowKey"] } }),
  );
  await table.deleteEntity("acme", "j-1 'ü'");

  expect(read["status"]).toBe("Running");
  expect(found.map(({ rowKey }) => rowKey)).toEqual(["j-1 'ü'"]);
  await expect(table.getEntity("acme", "j-1 'ü'")).rejects.toMatchObject({ statusCode: 404 });
});

it("does a transaction by a token, all or nothing (@azure/data-tables 13.3.2: submitTransaction)", async () => {
  const table = tableOf(fixture, account, { table: "Jobs", as: writer });
  const entity = (rowKey: string) => ({ partitionKey: "batch", rowKey, n: 1 });

  await table.submitTransaction([
    ["create", entity("1")],
    ["upsert", entity("2"), "Replace"],
  ]);
  const doomed = table.submitTransaction([
    ["create", entity("3")],
    ["create", entity("1")],
  ]);

  await expect(doomed).rejects.toMatchObject({ statusCode: 409 });
  const rows = await collect(table.listEntities({ queryOptions: { filter: "PartitionKey eq 'batch'" } }));
  expect(rows.map(({ rowKey }) => rowKey)).toEqual(["1", "2"]);
});

it("guards entities by their ETag (@azure/data-tables 13.3.2)", async () => {
  const table = tableOf(fixture, account, { table: "Jobs", as: writer });
  const { etag = "" } = await table.createEntity({ partitionKey: "acme", rowKey: "guarded", n: 1 });
  await table.updateEntity({ partitionKey: "acme", rowKey: "guarded", n: 2 }, "Replace", { etag });

  const late = table.updateEntity({ partitionKey: "acme", rowKey: "guarded", n: 3 }, "Replace", { etag });

  await expect(late).rejects.toMatchObject({ statusCode: 412 });
});

it.each([
  { role: "Storage Table Data Reader", read: true, write: false },
  { role: "Storage Table Data Contributor", read: true, write: true },
  { role: "Owner", read: false, write: false },
])(
  "lets $role read: $read, write: $write, in a transaction too (docs: Authorize access to tables using Microsoft Entra ID)",
  async ({ role, read, write }) => {
    const as = holderOf(fixture, [{ role, scope: account.id }]);
    const table = tableOf(fixture, account, { table: "Jobs", as });
    const entity = { partitionKey: "roles", rowKey: role, n: 1 };
    const isDone = (act: Promise<unknown>) =>
      act.then(
        () => true,
        (error: unknown) => (error as { statusCode: number }).statusCode !== 403,
      );

    const may = [
      await isDone(collect(table.listEntities())),
      await isDone(table.upsertEntity(entity)),
      await isDone(table.submitTransaction([["upsert", entity]])),
    ];

    expect(may).toEqual([read, write, write]);
  },
);

it("makes and lists tables for who may, and says AuthorizationPermissionMismatch to others (@azure/data-tables 13.3.2: TableServiceClient)", async () => {
  const reader = holderOf(fixture, [{ role: "Storage Table Data Reader", scope: account.id }]);
  await tablesOf(fixture, account, writer).createTable("Machines");

  const names = (await collect(tablesOf(fixture, account, reader).listTables())).map(({ name }) => name);
  const making = tablesOf(fixture, account, reader).createTable("Others");

  expect(names).toEqual(["Jobs", "Machines"]);
  await expect(making).rejects.toMatchObject({
    statusCode: 403,
    details: { odataError: { code: "AuthorizationPermissionMismatch" } },
  });
});

it("meets the faults of the Table service by the names of rows (local/faults: service storage)", async () => {
  const table = tableOf(fixture, account, { table: "Jobs", as: writer });
  const action = { kind: "fail", status: 503, code: "ServerBusy", message: "Try later." } as const;
  fixture.faults.arm({
    service: "storage",
    operation: "^insert Jobs$",
    subject: "RowKey='faulty'",
    stage: "before",
    skip: 0,
    times: 1,
    action,
  });

  const failing = table.createEntity({ partitionKey: "acme", rowKey: "faulty" });

  await expect(failing).rejects.toMatchObject({ statusCode: 503 });
});

it("sends, peeks, receives and deletes messages by a token (@azure/storage-queue 12.32.0: TokenCredential)", async () => {
  const queue = queuesOf(fixture, account, writer).getQueueClient("work");
  await queue.create();
  await queue.sendMessage("one");

  const peeked = (await queue.peekMessages()).peekedMessageItems.map(({ messageText }) => messageText);
  const [received] = (await queue.receiveMessages()).receivedMessageItems;
  if (received) await queue.deleteMessage(received.messageId, received.popReceipt);

  expect([peeked, received?.messageText]).toEqual([["one"], "one"]);
  expect((await queue.peekMessages()).peekedMessageItems).toEqual([]);
});

it("lets a reader of queues peek and not take (docs: Authorize access to queues using Microsoft Entra ID)", async () => {
  await queuesOf(fixture, account, writer).getQueueClient("seen").create();
  const as = holderOf(fixture, [{ role: "Storage Queue Data Reader", scope: account.id }]);
  const queue = queuesOf(fixture, account, as).getQueueClient("seen");

  await queue.peekMessages();

  await expect(queue.receiveMessages()).rejects.toMatchObject({
    statusCode: 403,
    code: "AuthorizationPermissionMismatch",
  });
  await expect(queue.sendMessage("x")).rejects.toMatchObject({ statusCode: 403 });
});
