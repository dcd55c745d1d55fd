import { DatabaseSync } from "node:sqlite";
import { Operations } from "../../../local/azure/arm/operations";
import { TokenBuckets } from "../../../local/azure/arm/token-buckets";
import { FaultPlan } from "../../../local/faults/fault-plan";
import {
  type AzureFixture,
  createEstate,
  GROUP_ID,
  startFixture,
  stopFixture,
  SUBSCRIPTION,
} from "../../local/azure/azure-fixture";
import { call } from "../../local/azure/wire";

const FACTS = { kind: "none", label: "PUT a/b", subscriptionId: SUBSCRIPTION, provider: "a", location: "l" };
const LIMIT = 5000;

const open: Operations[] = [];
afterEach(async () => {
  await Promise.all(open.splice(0).map((operations) => operations.close()));
});

function createOperations(database: DatabaseSync) {
  let ended = 0;
  const waiters: { count: number; resolve: () => void }[] = [];
  const onEnd = (): void => {
    ended += 1;
    for (const waiter of waiters) if (ended >= waiter.count) waiter.resolve();
  };
  const operations = new Operations({ database, faults: new FaultPlan(), log: () => undefined, onEnd });
  open.push(operations);
  const whenEnded = (count: number): Promise<void> =>
    new Promise((resolve) => {
      if (ended >= count) resolve();
      else waiters.push({ count, resolve });
    });
  return { operations, whenEnded };
}

const rowsOf = (database: DatabaseSync): number =>
  Number(database.prepare("SELECT count(*) AS n FROM operations").get()?.["n"]);

it("keeps a bounded number of ended operations, the latest, and all that are in progress (docs: async-operations; local: memory)", async () => {
  const database = new DatabaseSync(":memory:");
  const { operations, whenEnded } = createOperations(database);
  const going = operations.begin({ ...FACTS, resourceId: "/going", latencyMs: 3_600_000 });
  const first = operations.begin({ ...FACTS, resourceId: "/first", latencyMs: 0 });
  await whenEnded(1);
  for (let at = 0; at < LIMIT + 200; at += 1) operations.begin({ ...FACTS, resourceId: `/r${at}`, latencyMs: 0 });
  await whenEnded(LIMIT + 201);
  const last = operations.begin({ ...FACTS, resourceId: "/last", latencyMs: 0 });
  await whenEnded(LIMIT + 202);

  expect(rowsOf(database)).toBe(LIMIT + 1);
  expect(operations.get(first.id)).toBeUndefined();
  expect([operations.get(going.id)?.status, operations.get(last.id)?.status]).toEqual(["InProgress", "Succeeded"]);
});

it("forgets at the next start what ended more than a day ago, and goes on with the rest (docs: async-operations)", async () => {
  const database = new DatabaseSync(":memory:");
  const before = createOperations(database);
  const ids = ["/old", "/new"].map((resourceId) => before.operations.begin({ ...FACTS, resourceId, latencyMs: 0 }).id);
  const going = before.operations.begin({ ...FACTS, resourceId: "/going", latencyMs: 3_600_000 }).id;
  await before.whenEnded(2);
  await before.operations.close();
  const longAgo = new Date(Date.now() - 25 * 60 * 60 * 1000).toISOString();
  const old = { ...before.operations.get(ids[0] ?? ""), endTime: longAgo };
  database.prepare("UPDATE operations SET row = ? WHERE key = ?").run(JSON.stringify(old), ids[0] ?? "");

  const { operations } = createOperations(database);
  operations.resume();

  expect([...ids, going].map((id) => operations.get(id)?.status)).toEqual([undefined, "Succeeded", "InProgress"]);
});

it("keeps a bounded number of buckets, and never forgets one that is in use (docs: request-limits-and-throttling)", () => {
  const buckets = new TokenBuckets({ speed: 1, isEnforced: true, now: () => 0 });
  const limit = { name: "deletes", capacity: 200, perSecond: 10 };
  const ask = (key: string): number => buckets.take([{ key, limit }]).left[0] ?? -1;
  for (let at = 0; at < 150; at += 1) ask("busy");
  for (let at = 0; at < 60_000; at += 1) {
    ask(`stranger-${at}`);
    if (at % 5000 === 0) ask("busy");
  }

  expect(ask("busy")).toBe(200 - 150 - 12 - 1);
  expect(buckets.size).toBeLessThanOrEqual(20_000);
});

describe("a cloud that is asked nonsense", () => {
  let fixture: AzureFixture;
  beforeEach(async () => {
    fixture = await startFixture();
    await createEstate(fixture);
  });
  afterEach(() => stopFixture(fixture));

  it("counts what it does not know under a bounded number of names (local: GET /calls of the portal)", async () => {
    const ask = (at: number) => call(fixture, { path: `${GROUP_ID}/providers/Made.Up/type${at}/x` });
    for (let at = 0; at < 1100; at += 50) await Promise.all(Array.from({ length: 50 }, (_, more) => ask(at + more)));
    await call(fixture, { path: GROUP_ID });
    const calls = fixture.azure.calls();

    expect(Object.keys(calls).length).toBeLessThanOrEqual(1001);
    expect(calls["other"]).toBeGreaterThan(90);
    expect(calls["PUT Microsoft.Resources/subscriptions/resourceGroups"]).toBe(1);
  });
});
