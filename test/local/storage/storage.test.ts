import { createHmac } from "node:crypto";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { createServer, type AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { TableClient } from "@azure/data-tables";
import { FaultPlan, type FaultRule } from "../../../local/faults/fault-plan";
import { startStorage, type Storage } from "../../../local/storage/storage";

const faults = new FaultPlan();
const ports = { blob: 0, queue: 0, table: 0 };
const log = () => undefined;
let storage: Storage;

beforeAll(async () => {
  storage = await startStorage({ folder: undefined, ports, faults, log });
});
afterEach(() => faults.disarmAll());
afterAll(() => storage.close());

const rule = { service: "storage", skip: 0, times: 1 } as const;
const arm = (stage: FaultRule["stage"], match: Partial<FaultRule>) =>
  faults.arm({ ...rule, stage, action: { kind: "hold" }, ...match });

let tables = 0;
async function newTable(from: Storage = storage): Promise<TableClient> {
  const client = tableOf(from, `Jobs${(tables += 1)}`);
  await client.createTable();
  return client;
}

function tableOf(from: Storage, name: string): TableClient {
  return TableClient.fromConnectionString(from.connectionString, name, {
    allowInsecureConnection: true,
    retryOptions: { maxRetries: 0 },
  });
}

async function rowsOf(table: TableClient): Promise<string[]> {
  const rows: string[] = [];
  for await (const { rowKey } of table.listEntities()) rows.push(String(rowKey));
  return rows;
}

const entity = (rowKey: string, partitionKey = "fabrikam") => ({ partitionKey, rowKey, status: "Queued" });

it("stores entities and guards them by their ETag", async () => {
  const table = await newTable();
  const { etag = "" } = await table.createEntity(entity("j1"));

  await table.updateEntity({ ...entity("j1"), status: "Running" }, "Replace", { etag });
  const late = table.updateEntity({ ...entity("j1"), status: "Lost" }, "Replace", { etag });

  await expect(late).rejects.toMatchObject({ statusCode: 412 });
  expect(await table.getEntity("fabrikam", "j1")).toMatchObject({ status: "Running" });
});

it("does all of a transaction or nothing of it", async () => {
  const table = await newTable();
  await table.createEntity(entity("j2"));

  const doomed = table.submitTransaction([
    ["create", entity("j1")],
    ["create", entity("j2")],
  ]);

  await expect(doomed).rejects.toMatchObject({ statusCode: 409 });
  expect(await rowsOf(table)).toEqual(["j2"]);
});

it.each([
  ["before", 0],
  ["after", 1],
] as const)("holds a chosen insert %s it is done, while others pass", async (stage, doneWhileHeld) => {
  const table = await newTable();
  const held = arm(stage, { operation: `^insert ${table.tableName}$`, subject: "RowKey='j1'" });

  const inserting = table.createEntity(entity("j1"));
  await faults.waitForHits(held, 1);
  await table.createEntity(entity("j2"));
  const rows = await rowsOf(table);
  faults.disarm(held);
  await inserting;

  expect(rows.filter((row) => row === "j1")).toHaveLength(doneWhileHeld);
  expect(await rowsOf(table)).toEqual(["j1", "j2"]);
});

it("names a transaction by its entities", async () => {
  const table = await newTable();
  const seen = arm("after", { operation: "^insert ", action: { kind: "delay", milliseconds: 1 } });

  await table.submitTransaction([
    ["create", entity("j1")],
    ["create", entity("j'2")],
  ]);

  const keys = ["j1", "j''2"].map((rowKey) => `${table.tableName}(PartitionKey='fabrikam',RowKey='${rowKey}')`);
  expect(faults.stateOf(seen)?.calls).toMatchObject([
    { service: "storage", operation: `insert ${table.tableName}`, subject: keys.join(" ") },
  ]);
  expect(await rowsOf(table)).toHaveLength(2);
});

it.each<[string, (table: TableClient) => Promise<unknown>]>([
  ["insert", (table) => table.createEntity(entity("new"))],
  ["get", (table) => table.getEntity("fabrikam", "j1")],
  ["query", (table) => rowsOf(table)],
  ["update", (table) => table.updateEntity(entity("j1"), "Replace")],
  ["merge", (table) => table.upsertEntity(entity("j1"), "Merge")],
  ["delete", (table) => table.deleteEntity("fabrikam", "j1")],
])("fails a chosen %s as it is told", async (verb, act) => {
  const table = await newTable();
  await table.createEntity(entity("j1"));
  const action = { kind: "fail", status: 503, code: "ServerBusy", message: "Try later." } as const;
  arm("before", { operation: `^${verb} ${table.tableName}$`, action });

  const failing = act(table);

  await expect(failing).rejects.toMatchObject({ statusCode: 503, details: { odataError: { code: "ServerBusy" } } });
  expect(await rowsOf(table)).toEqual(["j1"]);
});

it("does a call and answers with a failure all the same", async () => {
  const table = await newTable();
  const action = { kind: "fail", status: 500, code: "OperationTimedOut", message: "Who knows." } as const;
  arm("after", { operation: "^insert ", action });

  const failing = table.createEntity(entity("j1"));

  await expect(failing).rejects.toMatchObject({ statusCode: 500 });
  expect(await rowsOf(table)).toEqual(["j1"]);
});

it("cuts the connection after a call was done", async () => {
  const table = await newTable();
  arm("after", { operation: "^insert ", action: { kind: "drop" } });

  const cut = table.createEntity(entity("j1"));

  await expect(cut).rejects.toThrow();
  expect(await rowsOf(table)).toEqual(["j1"]);
});

it("refuses a key that is not its own", async () => {
  const { key1, key2 } = { key1: /AccountKey=[^;]+/, key2: `AccountKey=${Buffer.alloc(64).toString("base64")}` };
  const stranger = { ...storage, connectionString: storage.connectionString.replace(key1, key2) };

  const asking = rowsOf(tableOf(stranger, "Jobs"));

  await expect(asking).rejects.toMatchObject({ statusCode: 403 });
});

it.each(["blob", "queue"] as const)("serves %ss too, to those who can sign", async (service) => {
  const url = `http://127.0.0.1:${storage.ports[service]}/devstoreaccount1?comp=list`;
  const date = new Date().toUTCString();
  const lines = ["GET", ...Array<string>(11).fill(""), `x-ms-date:${date}`, "x-ms-version:2021-12-02"];
  const signed = [...lines, "/devstoreaccount1/devstoreaccount1", "comp:list"].join("\n");
  const key = Buffer.from(/AccountKey=([^;]+)/.exec(storage.connectionString)?.[1] ?? "", "base64");
  const authorization = `SharedKey devstoreaccount1:${createHmac("sha256", key).update(signed).digest("base64")}`;

  const allowed = await fetch(url, { headers: { "x-ms-date": date, "x-ms-version": "2021-12-02", authorization } });
  const refused = await fetch(url);
  await Promise.all([allowed.text(), refused.text()]);

  expect([allowed.status, refused.status]).toEqual([200, 403]);
});

it("cuts off the calls that a rule holds when it closes", async () => {
  const doomed = await startStorage({ folder: undefined, ports, faults, log });
  const table = await newTable(doomed);
  const held = arm("before", { operation: "^insert " });
  const inserting = table.createEntity(entity("j1"));
  const outcome = expect(inserting).rejects.toThrow();
  await faults.waitForHits(held, 1);

  await doomed.close();
  faults.disarm(held);

  await outcome;
});

it("keeps data and key from one start to the next", async () => {
  const folder = mkdtempSync(join(tmpdir(), "corral-storage-"));
  const first = await startStorage({ folder, ports, faults, log });
  const table = await newTable(first);
  await table.createEntity(entity("j1"));
  await first.close();

  const second = await startStorage({ folder, ports, faults, log });
  const rows = await rowsOf(tableOf(second, table.tableName));
  await second.close();

  expect(rows).toEqual(["j1"]);
  expect(second.connectionString).toContain(readFileSync(join(folder, "account-key"), "utf8"));
  rmSync(folder, { recursive: true });
});

it("names the port that is in use", async () => {
  const occupant = createServer().listen(0, "127.0.0.1");
  await new Promise((resolve) => occupant.once("listening", resolve));
  const { port } = occupant.address() as AddressInfo;

  const starting = startStorage({ folder: undefined, ports: { ...ports, table: port }, faults, log });

  await expect(starting).rejects.toThrow(`cannot listen on 127.0.0.1:${port} (table): the port is in use`);
  occupant.close();
});
