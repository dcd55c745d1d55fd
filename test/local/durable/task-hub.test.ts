import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { ActionType } from "../../../local/durable/actions";
import type { Action, OrchestratorResult } from "../../../local/durable/actions";
import { durableSettingsOf } from "../../../local/durable/durable-settings";
import type { DurableFunctions } from "../../../local/durable/functions";
import { TaskHub } from "../../../local/durable/task-hub";
import { until } from "../host/support";

let folder: string;
let hub: TaskHub | undefined;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "corral-hub-"));
});
afterEach(async () => {
  hub?.pause();
  await hub?.close();
  hub = undefined;
  rmSync(folder, { recursive: true });
});

interface Trigger {
  readonly history: readonly { readonly EventType: number }[];
}

/** An orchestrator that runs its activities one after another, as the SDK would report it. */
function inSequence(...names: string[]): (trigger: Trigger) => OrchestratorResult {
  return ({ history }) => {
    const done = history.filter(({ EventType }) => EventType === 5).length;
    const actions = names
      .slice(0, done + 1)
      .map((functionName): Action => ({ actionType: ActionType.CallActivity, functionName, input: 1 }));
    return { isDone: done === names.length, actions: [actions], output: "end" };
  };
}

function open(functions: Partial<DurableFunctions>, maxConcurrentActivities = 10): TaskHub {
  hub = new TaskHub({
    functions: {
      has: () => true,
      names: () => [],
      runOrchestrator: (_name, trigger) => Promise.resolve(inSequence("a")(JSON.parse(trigger) as Trigger)),
      runActivity: () => Promise.resolve("1"),
      runEntity: () => Promise.reject(new Error("no entities here")),
      ...functions,
    },
    journalPath: join(folder, "durable.sqlite"),
    maxConcurrentActivities,
    overridable: "NonRunningStates",
    settings: durableSettingsOf({}),
    identity: { endpoint: undefined, header: undefined },
    log: () => undefined,
  });
  hub.open();
  return hub;
}

/** Reads with a connection of its own: it sees what is committed and nothing else. */
function committed(sql: string): Record<string, unknown>[] {
  const db = new DatabaseSync(join(folder, "durable.sqlite"), { readOnly: true });
  const rows = db.prepare(sql).all();
  db.close();
  return rows;
}

async function run(target: TaskHub, id: string): Promise<void> {
  await target.start({ name: "flow", id, input: "null", version: "" });
  await target.waitForEnd(id, 10_000);
}

it("runs an activity only when its schedule is on disk", async () => {
  const seen: unknown[] = [];
  const target = open({
    runActivity: (name) => {
      seen.push({ name, stored: committed("SELECT name FROM activities").map((row) => row["name"]) });
      return Promise.resolve("1");
    },
    runOrchestrator: (_name, trigger) => Promise.resolve(inSequence("a", "b")(JSON.parse(trigger) as Trigger)),
  });
  await run(target, "i1");

  expect(seen).toEqual([
    { name: "a", stored: ["a"] },
    { name: "b", stored: ["b"] },
  ]);
  expect(committed("SELECT * FROM activities")).toEqual([]);
});

it("answers a start and an event only when they are on disk", async () => {
  const target = open({ runActivity: () => Promise.withResolvers<string>().promise });
  await target.start({ name: "flow", id: "i1", input: '"in"', version: "" });
  const started = committed("SELECT id, status FROM instances");
  await target.suspend("i1", "");
  await target.raiseEvent("i1", "E", '"data"');
  const messages = committed("SELECT event FROM inbox");

  expect(started).toEqual([{ id: "i1", status: "Running" }]);
  expect(messages).toEqual([{ event: expect.stringContaining('"Name":"E"') as string }]);
});

it("writes what becomes ready in one turn of the event loop in one transaction", async () => {
  const target = open({});
  const commit = jest.spyOn(target.journal, "commit");
  await Promise.all(Array.from({ length: 40 }, (_, n) => run(target, `i${n}`)));

  // 40 instances of two episodes each: two commits, and a few more for what fell into another turn.
  expect(commit.mock.calls.length).toBeLessThan(10);
  expect(committed("SELECT count(*) AS n FROM instances WHERE status = 'Completed'")).toEqual([{ n: 40 }]);
});

it("runs no more activities at once than it may", async () => {
  let running = 0;
  let most = 0;
  const target = open(
    {
      runActivity: async () => {
        running += 1;
        most = Math.max(most, running);
        await new Promise((resolve) => setImmediate(resolve));
        running -= 1;
        return "1";
      },
    },
    3,
  );
  await Promise.all(Array.from({ length: 20 }, (_, n) => run(target, `i${n}`)));

  expect(most).toBe(3);
});

it("leaves waiting activities to the next process", async () => {
  const first = open({ runActivity: () => Promise.withResolvers<string>().promise }, 1);
  await first.start({ name: "flow", id: "i1", input: "null", version: "" });
  await first.start({ name: "flow", id: "i2", input: "null", version: "" });
  first.pause();
  await first.close();
  const second = open({});
  await Promise.all(["i1", "i2"].map((id) => second.waitForEnd(id, 10_000)));

  expect(committed("SELECT status FROM instances")).toEqual([{ status: "Completed" }, { status: "Completed" }]);
});

it("fails an instance whose orchestrator gives what no orchestrator gives", async () => {
  const target = open({ runOrchestrator: () => Promise.resolve(undefined as unknown as OrchestratorResult) });
  await run(target, "i1");

  expect(committed("SELECT status FROM instances")).toEqual([{ status: "Failed" }]);
});

it("drops what lies in the inbox for an execution that has ended", async () => {
  const Retry = { firstRetryIntervalInMilliseconds: 1, maxNumberOfAttempts: 2 };
  const call = (functionName: string): Action => ({ actionType: ActionType.CallActivity, functionName, input: 1 });
  // An open retry makes the host hand over one completion at a time, so that the other one waits in the inbox.
  const firstRound: Action[] = [
    { actionType: ActionType.CallActivityWithRetry, functionName: "never", retryOptions: Retry },
    call("a"),
    call("a"),
  ];
  const target = open({
    runActivity: (name) => (name === "never" ? Promise.withResolvers<string>().promise : Promise.resolve("1")),
    runOrchestrator: (_name, trigger) => {
      const { history, input } = JSON.parse(trigger) as Trigger & { input: unknown };
      if (input === "second")
        return Promise.resolve({ isDone: false, actions: [[call("never"), call("never"), call("never")]] });
      const continued = history.some(({ EventType }) => EventType === 5);
      return Promise.resolve({
        isDone: continued,
        actions: [continued ? [...firstRound, { actionType: ActionType.ContinueAsNew, input: "second" }] : firstRound],
      });
    },
  });
  await target.start({ name: "flow", id: "i1", input: '"first"', version: "" });
  const { iid } = await until(
    () => target.journal.instanceById("i1") ?? { iid: 0, input: "", episodes: 0 },
    ({ input, episodes }) => input === '"second"' && episodes > 0,
  );
  const history = target.journal.historyOf(iid);

  expect(history).toContain('"EventType":4');
  expect(history).not.toContain('"EventType":5');
});
