import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { setTimeout as pause } from "node:timers/promises";
import { TestApp, endAppsAfterEach, temporaryFolder } from "../host/support";
import { control, ended, raise, reached, start, statusOf } from "./orchestrations";

endAppsAfterEach();

const INSTANCES = 50;
const KILLS = 4;

interface StoredEvent {
  readonly EventType: number;
  readonly TaskScheduledId?: number;
}

/** The history as it lies on disk, read while no host runs. */
function storedHistory(data: string, id: string): StoredEvent[] {
  const db = new DatabaseSync(join(data, "durable.sqlite"), { readOnly: true });
  const rows = db
    .prepare("SELECT events FROM history JOIN instances USING (iid) WHERE id = ? ORDER BY episode")
    .all(id) as { events: string }[];
  db.close();
  return rows.flatMap(({ events }) => JSON.parse(`[${events}]`) as StoredEvent[]);
}

it("ends each of many orchestrations exactly once when the host is killed again and again", async () => {
  const data = temporaryFolder();
  const ids = Array.from({ length: INSTANCES }, (_, n) => `run-${n}`);
  let app = await TestApp.start("flow", { data });
  await Promise.all(ids.map((id, n) => start(app, "fiveSlowSteps", { id, input: { n, waitMs: 20 + (n % 7) * 10 } })));

  for (let kill = 0; kill < KILLS; kill += 1) {
    await pause(Math.random() * 150);
    await app.kill("SIGKILL");
    app = await TestApp.start("flow", { data });
  }
  const outputs = await Promise.all(ids.map(async (id) => (await ended(app, id)).output));
  await app.kill("SIGTERM");
  const histories = ids.map((id) => storedHistory(data, id));

  expect(outputs).toEqual(ids.map((_, n) => n + 5));
  for (const events of histories) {
    const results = events.filter(({ EventType }) => EventType === 5).map(({ TaskScheduledId }) => TaskScheduledId);
    expect(results).toEqual([0, 1, 2, 3, 4]);
    expect(events.filter(({ EventType }) => EventType === 1)).toHaveLength(1);
  }
});

it("carries children, events, timers and continueAsNew through kills at any moment", async () => {
  const data = temporaryFolder();
  const ids = Array.from({ length: 15 }, (_, n) => `rounds-${n}`);
  let app = await TestApp.start("flow", { data });
  await Promise.all(ids.map((id) => start(app, "rounds", { id, input: { round: 0, sum: 0 } })));

  for (let kill = 0; kill < KILLS; kill += 1) {
    await pause(Math.random() * 200);
    await app.kill("SIGKILL");
    app = await TestApp.start("flow", { data });
  }
  const outputs = await Promise.all(ids.map(async (id) => (await ended(app, id)).output));

  // Each round adds its children's 6 and 7 and its own number.
  expect(outputs).toEqual(ids.map(() => 3 * 13 + 3));
});

it("loses no start that it has answered", async () => {
  const data = temporaryFolder();
  const first = await TestApp.start("flow", { data });
  const answered: string[] = [];
  const starts = Array.from({ length: INSTANCES }, async (_, n) => {
    const id = await start(first, "fiveSlowSteps", { id: `start-${n}`, input: { n, waitMs: 1 } }).catch(
      () => undefined,
    );
    if (id !== undefined) answered.push(id);
    if (answered.length === INSTANCES / 2) await first.kill("SIGKILL");
  });
  await Promise.all(starts);

  const second = await TestApp.start("flow", { data });
  const statuses = await Promise.all(answered.map(async (id) => (await ended(second, id)).runtimeStatus));

  expect(statuses.length).toBeGreaterThanOrEqual(INSTANCES / 2);
  expect(new Set(statuses)).toEqual(new Set(["Completed"]));
});

it("fires a timer that came due while the host was down, and keeps an event that it had accepted", async () => {
  const data = temporaryFolder();
  const first = await TestApp.start("flow", { data });
  await start(first, "afterTimer", { id: "sleeping", input: 300 });
  await reached(first, "sleeping", { EventType: "TimerCreated" });
  const accepted = await raise(first, { id: "sleeping", name: "E", data: "before" });
  await first.kill("SIGKILL");
  await pause(300);

  const second = await TestApp.start("flow", { data });
  await raise(second, { id: "sleeping", name: "E", data: "after" });
  const { output } = await ended(second, "sleeping");

  expect(accepted).toBe(202);
  expect(output).toEqual(["before", "after"]);
});

it("keeps what a suspended instance was sent", async () => {
  const data = temporaryFolder();
  const first = await TestApp.start("flow", { data });
  await start(first, "approval", { id: "suspended", input: { withinMs: 600_000 } });
  await control(first, "suspended", "suspend");
  await raise(first, { id: "suspended", name: "Approval", data: "kept" });
  await first.kill("SIGKILL");

  const second = await TestApp.start("flow", { data });
  const before = await statusOf(second, "suspended");
  await control(second, "suspended", "resume");
  const { output } = await ended(second, "suspended");

  expect(before.runtimeStatus).toBe("Suspended");
  expect(output).toEqual({ approved: "kept", after: "after" });
});

it("goes on with a retry in the middle after a restart", async () => {
  const data = temporaryFolder();
  const first = await TestApp.start("flow", { data });
  await start(first, "retrying", { id: "retry", input: { key: "k", failUntil: 1_000, maxAttempts: 60 } });
  await reached(first, "retry", { EventType: "TimerFired" });
  await first.kill("SIGKILL");
  // The new process counts its attempts from one, so that only what the history says can end the retries.
  const second = await TestApp.start("flow", { data });
  const { historyEvents = [] } = await reached(second, "retry", { EventType: "TimerFired" });
  await control(second, "retry", "terminate");
  const { runtimeStatus } = await ended(second, "retry");

  expect(historyEvents.filter(({ EventType }) => EventType === "TaskScheduled").length).toBeGreaterThanOrEqual(3);
  expect(runtimeStatus).toBe("Terminated");
});

it("fails an instance loudly whose code changed while it ran", async () => {
  const data = temporaryFolder();
  const first = await TestApp.start("flow", { data });
  await start(first, "changing", { id: "changed" });
  await reached(first, "changed", { EventType: "TaskCompleted" });
  await first.kill("SIGTERM");

  const second = await TestApp.start("flow", { data, env: { FLOW_FIRST: "echo" } });
  await raise(second, { id: "changed", name: "Go", data: 1 });
  const { runtimeStatus, output } = await ended(second, "changed");

  expect(runtimeStatus).toBe("Failed");
  expect(output).toContain("Non-Deterministic workflow detected: the history has activity 'addOne'");
});

it("lets running activities end at a stop, and does not run them again", async () => {
  const data = temporaryFolder();
  const first = await TestApp.start("flow", { data });
  await start(first, "fiveSlowSteps", { id: "stopped", input: { n: 0, waitMs: 1_000 } });
  await reached(first, "stopped", { EventType: "TaskScheduled" });
  const code = await first.kill("SIGTERM");
  const events = storedHistory(data, "stopped").map(({ EventType }) => EventType);
  const completed = events.filter((type) => type === 5).length;

  expect(code).toBe(0);
  // On a busy machine the signal comes during a later step than the first: whichever it was, it ended, and one more waits.
  expect(completed).toBeGreaterThanOrEqual(1);
  expect(completed).toBeLessThan(5);
  expect(events.filter((type) => type === 4)).toHaveLength(completed + 1);
});
