import { setTimeout as pause } from "node:timers/promises";
import { TestApp, endAppsAfterEach, until } from "../../local/host/support";
import { client, ended, entity, reached, run, start, stateWhen, waiting } from "./lab";

endAppsAfterEach();

async function again(app: TestApp): Promise<TestApp> {
  await app.kill("SIGKILL");
  return TestApp.start("durable-lab", { data: app.data });
}

it("keeps the states of entities over a kill (docs: Durable entities, durable state)", async () => {
  const first = await TestApp.start("durable-lab");
  await run(first, "callCounter", { key: "kept", operations: [["add", 4]] });
  const second = await again(first);
  const { value } = await client(second, "readEntityState", entity("kept"));
  const { output } = await run(second, "callCounter", { key: "kept", operations: [["add", 1]] });

  expect(value).toEqual({ entityExists: true, entityState: 4 });
  expect(output).toEqual([5]);
});

it("counts every accepted signal exactly once, however often it is killed (docs: Durable entities, reliable message delivery)", async () => {
  let app = await TestApp.start("durable-lab");
  let accepted = 0;
  for (let kill = 0; kill < 4; kill += 1) {
    const answers = await Promise.all(
      Array.from({ length: 15 }, () => client(app, "signalEntity", entity("exact"), "add", 1)),
    );
    accepted += answers.filter(({ error }) => error === undefined).length;
    await pause(Math.random() * 30);
    app = await again(app);
  }
  const state = await stateWhen(app, "exact", (found) => Number(found) >= accepted);

  expect(state).toBe(accepted);
});

it("loses no update and no lock when it is killed inside critical sections (docs: Durable entities, critical sections)", async () => {
  let app = await TestApp.start("durable-lab");
  const orders = [
    ["k-a", "k-b"],
    ["k-b", "k-a"],
  ];
  const ids = Array.from({ length: 6 }, (_, n) => `locked-${n}`);
  for (const [n, instanceId] of ids.entries())
    await start(app, "lockedAdd", { instanceId, input: { keys: orders[n % 2], times: 2, waitMs: 15 } });
  for (let kill = 0; kill < 4; kill += 1) {
    await pause(20 + Math.random() * 80);
    app = await again(app);
  }
  const last = app;
  const outcomes = await Promise.all(ids.map((id) => ended(last, id)));
  const state = await stateWhen(app, "k-a", (found) => found === 12);

  expect(new Set(outcomes.map(({ runtimeStatus }) => runtimeStatus))).toEqual(new Set(["Completed"]));
  expect(state).toBe(12);
});

it("keeps a lock, and those who wait for it, over a kill (docs: Durable entities, critical sections)", async () => {
  const first = await TestApp.start("durable-lab");
  const holder = await start(first, "lockAndStay", { input: { keys: ["over-a", "over-b"] } });
  await waiting(first, holder);
  const other = await start(first, "callCounter", { input: { key: "over-b", operations: [["add", 1]] } });
  await reached(first, other, "EventSent");
  const second = await again(first);
  const { runtimeStatus } = await until(
    async () => (await client(second, "getStatus", other)).value as { runtimeStatus: string },
    () => true,
  );
  await client(second, "raiseEvent", holder, "Go", 1);
  const [held, waited] = [await ended(second, holder), await ended(second, other)];

  expect(runtimeStatus).toBe("Running");
  expect(held.output).toBe("went on");
  expect(waited.output).toEqual([1]);
});

it("goes on with retries, segments of timers and polls after a kill (durable-functions 3.5.0, replay)", async () => {
  const first = await TestApp.start("durable-lab");
  await start(first, "retried", { instanceId: "retry", input: { key: "r", times: 2, max: 9, first: 150 } });
  await start(first, "longTimer", { instanceId: "timer", input: 600 });
  await reached(first, "retry", "TaskFailed");
  await reached(first, "timer", "TimerCreated", 2);
  const second = await again(first);
  const [retry, timer] = [await ended(second, "retry"), await ended(second, "timer")];

  // The new process counts attempts from one: two of them fail there.
  expect(retry).toMatchObject({ runtimeStatus: "Completed", output: 3 });
  expect(timer.runtimeStatus).toBe("Completed");
  expect((timer.output as { waitedMs: number }).waitedMs).toBeGreaterThanOrEqual(600);
});
