import { TestApp, endAppsAfterEach, sharedApp } from "../../local/host/support";
import { client, ended, reached, run, start, waiting } from "./lab";
import type { HistoryEvent } from "./lab";

const app = sharedApp("durable-lab");

function waitsMs(history: readonly HistoryEvent[]): number[] {
  return history
    .filter(({ EventType }) => EventType === "TimerCreated")
    .map(({ FireAt = "", Timestamp }) => Date.parse(FireAt) - Date.parse(Timestamp));
}

it("repeats a failing activity after intervals that grow up to the longest one (durable-functions 3.5.0, RetryOptions)", async () => {
  const input = { key: "growing", times: 4, max: 5, first: 10, coefficient: 3, longest: 50 };
  const id = await start(app(), "retried", { input });
  const { output } = await ended(app(), id);
  const history = await reached(app(), id, "ExecutionCompleted");

  expect(output).toBe(5);
  expect(waitsMs(history)).toEqual([10, 30, 50, 50]);
});

it("gives up after the last attempt with that attempt's error (durable-functions 3.5.0, RetryOptions.maxNumberOfAttempts)", async () => {
  const { runtimeStatus, output } = await run(app(), "retried", { key: "hopeless", times: 9, max: 3, first: 1 });

  expect(runtimeStatus).toBe("Failed");
  expect(output).toContain("Activity function 'failTimes' failed: hopeless failed, attempt 3");
});

it("cuts a timer beyond the limit into segments (durable-functions 3.5.0, LongTimerTask; docs: Timers in Durable Functions)", async () => {
  const id = await start(app(), "longTimer", { input: 300 });
  const { output } = await ended(app(), id);
  const history = await reached(app(), id, "ExecutionCompleted");
  const { waitedMs, after } = output as { waitedMs: number; after: string };

  expect(after).toBe("after");
  expect(waitedMs).toBeGreaterThanOrEqual(300);
  expect(waitsMs(history).length).toBeGreaterThanOrEqual(3);
  expect(waitsMs(history)[0]).toBe(60);
});

it("keeps results apart beside a long timer (durable-functions 3.5.0, LongTimerTask)", async () => {
  const { output } = await run(app(), "longTimerBeside");

  expect(output).toEqual({ by: "timer", work: "work" });
});

it("forgets a long timer that is cancelled in the middle (durable-functions 3.5.0, LongTimerTask.cancel)", async () => {
  const id = await start(app(), "longTimerBeside");
  await reached(app(), id, "TimerCreated", 2);
  await client(app(), "raiseEvent", id, "Go", 1);
  const { output } = await ended(app(), id);

  expect(output).toEqual({ by: "event", work: "work" });
});

it("begins a timer of thirty days with a segment of three (docs: Timers in Durable Functions)", async () => {
  const azure = {
    AzureFunctionsJobHost__extensions__durableTask__storageProvider__maximumShortTimerMilliseconds: "518400000",
  };
  const own = await TestApp.start("durable-lab", {
    env: {
      ...azure,
      AzureFunctionsJobHost__extensions__durableTask__storageProvider__longTimerIntervalMilliseconds: "259200000",
    },
  });
  const id = await start(own, "longTimer", { input: 30 * 86_400_000 });
  const [first] = waitsMs(await reached(own, id, "TimerCreated"));
  await own.kill("SIGKILL");

  expect(first).toBe(3 * 86_400_000);
});

it.each([
  { name: "unknownActivity", kind: "activity" },
  { name: "unknownChild", kind: "orchestration" },
])(
  "fails the whole of $name, which cannot catch it (Azure/azure-functions-durable-extension, ThrowIfFunctionDoesNotExist)",
  async ({ name, kind }) => {
    const { runtimeStatus, output } = await run(app(), name);

    expect(runtimeStatus).toBe("Failed");
    expect(output).toContain(`The function 'nowhere' doesn't exist, is disabled, or is not an ${kind} function`);
  },
);

it("fails loudly where Task.any lists a task again (Azure/azure-functions-durable-js issue 574)", async () => {
  const { runtimeStatus, output } = await run(app(), "relisted");

  expect(runtimeStatus).toBe("Failed");
  expect(output).toContain("already scheduled and stands in a second Task.any");
});

it("fails an orchestrator that yields a promise (durable-functions 3.5.0, orchestrator code constraints)", async () => {
  const { runtimeStatus, output } = await run(app(), "promise");

  expect(runtimeStatus).toBe("Failed");
  expect(output).toContain("Only Task types can be yielded");
});

it("spells a failed activity and a failed orchestration as Azure does (Azure/azure-functions-durable-extension, error texts)", async () => {
  const { output } = await run(app(), "failing", { key: "spelled", times: 1 });

  expect(output).toMatch(
    /^Orchestrator function 'failing' failed: Activity function 'failTimes' failed: spelled failed, attempt 1 \n /,
  );
});

it("resumes with one resume what was suspended twice (docs: Manage instances in Durable Functions, Suspend and resume instances)", async () => {
  const id = await start(app(), "waitFor");
  await waiting(app(), id);
  await client(app(), "suspend", id, "one");
  await client(app(), "suspend", id, "two");
  await client(app(), "resume", id, "one");
  await client(app(), "raiseEvent", id, "Go", "x");
  const { output } = await ended(app(), id);

  expect(output).toEqual({ data: "x" });
});

describe("with code that changes", () => {
  endAppsAfterEach();

  it.each([
    { change: "http", text: "Non-Deterministic workflow detected: the history has activity 'echo'" },
    // The SDK itself stumbles over an activity's result where it waits for an entity's.
    { change: "entity", text: "incompatible History event" },
  ])(
    "finds that a replay does something else: an activity became a call by $change (docs: Durable orchestrator code constraints)",
    async ({ change, text }) => {
      const first = await TestApp.start("durable-lab");
      await start(first, "changing", { instanceId: "changed" });
      await reached(first, "changed", "TaskCompleted");
      await first.kill("SIGTERM");

      const second = await TestApp.start("durable-lab", { data: first.data, env: { LAB_CHANGED: change } });
      await client(second, "raiseEvent", "changed", "Go", 1);
      const { runtimeStatus, output } = await ended(second, "changed");

      expect(runtimeStatus).toBe("Failed");
      expect(output).toContain(text);
    },
  );
});

describe("with versions", () => {
  endAppsAfterEach();
  const settings = (more: Record<string, string>): Record<string, string> =>
    Object.fromEntries(
      Object.entries(more).map(([name, value]) => [`AzureFunctionsJobHost__extensions__durableTask__${name}`, value]),
    );

  it("gives new orchestrations the app's version (docs: Orchestration versioning, defaultVersion)", async () => {
    const own = await TestApp.start("durable-lab", { env: settings({ defaultVersion: "2.0.0" }) });
    const { output } = await run(own, "version", { child: true });
    const { value } = await client(own, "startNew", "version", { version: "1.5", input: {} });
    const older = await ended(own, String(value));

    expect(output).toEqual({ own: "2.0.0", child: "2.0.0" });
    expect(older.output).toBe("1.5");
  });

  it("leaves orchestrations of a newer version to a newer app (docs: Orchestration versioning, versionMatchStrategy CurrentOrOlder)", async () => {
    const first = await TestApp.start("durable-lab", { env: settings({ defaultVersion: "1.0" }) });
    await client(first, "startNew", "version", { version: "2.0", instanceId: "newer", input: {} });
    const older = await run(first, "version", {});
    const { value } = await client(first, "getStatus", "newer");
    await first.kill("SIGKILL");

    const second = await TestApp.start("durable-lab", { data: first.data, env: settings({ defaultVersion: "2.0" }) });
    const newer = await ended(second, "newer");

    expect(older.output).toBe("1.0");
    expect(value).toMatchObject({ runtimeStatus: "Pending" });
    expect(newer.output).toBe("2.0");
  });

  it("fails other versions where host.json says so (docs: Orchestration versioning, versionFailureStrategy Fail)", async () => {
    const env = settings({ defaultVersion: "1.0", versionMatchStrategy: "Strict", versionFailureStrategy: "Fail" });
    const own = await TestApp.start("durable-lab", { env });
    await client(own, "startNew", "version", { version: "0.9", instanceId: "other", input: {} });
    const { runtimeStatus, output } = await ended(own, "other");

    expect(runtimeStatus).toBe("Failed");
    expect(output).toContain("version '0.9' does not match");
  });
});
