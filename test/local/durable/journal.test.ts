import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Journal } from "../../../local/durable/journal";
import type { InstanceRow } from "../../../local/durable/journal";

let folder: string;
let journal: Journal;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "corral-journal-"));
  journal = new Journal(join(folder, "durable.sqlite"));
});
afterEach(() => {
  journal.close();
  rmSync(folder, { recursive: true });
});

function row(iid: number, change: Partial<InstanceRow> = {}): InstanceRow {
  return {
    iid,
    id: `i${iid}`,
    name: "flow",
    version: "",
    execution: "e1",
    status: "Running",
    input: "1",
    output: null,
    customStatus: null,
    createdAt: iid,
    updatedAt: iid,
    episodes: 1,
    parentIid: null,
    parentId: null,
    parentExecution: null,
    parentTask: null,
    ...change,
  };
}

function reopened(): Journal {
  journal.close();
  journal = new Journal(join(folder, "durable.sqlite"));
  return journal;
}

it("finds after a reopening all that one commit wrote", () => {
  journal.commit([
    () => journal.insertInstance(row(1)),
    () => journal.appendHistory(1, 0, '{"a":1}'),
    () => journal.appendHistory(1, 1, '{"b":2}'),
    () =>
      journal.insertActivity({ wid: 4, iid: 1, execution: "e1", task: 2, instanceId: "i1", name: "act", input: "5" }),
    () => journal.insertTimer({ iid: 1, execution: "e1", task: 3, fireAt: 99 }),
    () => journal.insertMessage(1, { seq: 8, execution: null, event: "{}" }),
  ]);
  const again = reopened();

  expect(again.instanceById("i1")).toMatchObject({ iid: 1, status: "Running", episodes: 1 });
  expect(again.historyOf(1)).toBe('{"a":1},{"b":2}');
  expect(again.activities()).toMatchObject([{ wid: 4, task: 2, name: "act" }]);
  expect(again.timers()).toMatchObject([{ task: 3, fireAt: 99 }]);
  expect(again.inboxOf(1)).toMatchObject([{ seq: 8 }]);
  expect(again.highest()).toEqual({ iid: 1, wid: 4, seq: 8 });
});

it("writes all of a commit or nothing", () => {
  journal.commit([() => journal.insertInstance(row(1))]);
  const twice = (): void =>
    journal.commit([() => journal.insertInstance(row(2)), () => journal.insertInstance(row(1))]);

  expect(twice).toThrow();
  expect(journal.instanceById("i2")).toBeUndefined();
});

it("wakes after a restart only what nothing else would wake", () => {
  journal.commit([
    () => journal.insertInstance(row(1, { status: "Pending", episodes: 0 })),
    () => journal.insertInstance(row(2)),
    () => journal.insertInstance(row(3)),
    () => journal.insertMessage(3, { seq: 1, execution: null, event: "{}" }),
    () => journal.insertInstance(row(4, { status: "Completed" })),
  ]);

  expect(journal.unsettledInstances()).toEqual([1, 3]);
});

it("begins a new execution without the old one's history and timers", () => {
  journal.commit([
    () => journal.insertInstance(row(1, { customStatus: '"kept"' })),
    () => journal.appendHistory(1, 0, "{}"),
    () => journal.insertTimer({ iid: 1, execution: "e1", task: 0, fireAt: 1 }),
    () => journal.restartInstance(1, "e2", '"next"'),
  ]);

  expect(journal.instanceByIid(1)).toMatchObject({
    execution: "e2",
    input: '"next"',
    episodes: 0,
    customStatus: '"kept"',
  });
  expect(journal.historyOf(1)).toBe("");
  expect(journal.timers()).toEqual([]);
});

it.each([
  { filter: { statuses: ["Completed"] }, ids: ["i2"] },
  { filter: { createdFrom: 2 }, ids: ["i2", "x_3"] },
  { filter: { prefix: "x_" }, ids: ["x_3"] },
  { filter: { top: 2 }, ids: ["i1", "i2"] },
  { filter: { after: 2 }, ids: ["x_3"] },
])("lists instances by $filter", ({ filter, ids }) => {
  journal.commit([
    () => journal.insertInstance(row(1)),
    () => journal.insertInstance(row(2, { status: "Completed" })),
    () => journal.insertInstance(row(3, { id: "x_3" })),
  ]);
  const all = { statuses: [], createdFrom: 0, createdTo: 1_000, prefix: "", after: 0, top: 100 };

  expect(journal.find({ ...all, ...filter }).map(({ id }) => id)).toEqual(ids);
});
