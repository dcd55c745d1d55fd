import { sharedApp } from "../host/support";
import { control, ended, outcome, raise, reached, start, statusOf } from "./orchestrations";

const app = sharedApp("flow");

it.each([
  { name: "fiveSteps", input: 10, output: 15 },
  { name: "fanOut", input: 30, output: 465 },
  {
    name: "echoes",
    input: ["text", '{"json":"text"}', 7, null, true, { a: [1, "b"] }],
    output: ["text", '{"json":"text"}', 7, null, true, { a: [1, "b"] }],
  },
  { name: "tidying", input: { left: 4, log: [] }, output: [5, 4, 3, 2] },
  { name: "outrun", input: { round: 0 }, output: 11 },
  { name: "raisesToItself", input: undefined, output: { n: 7 } },
])("completes $name with what its activities gave", async ({ name, input, output }) => {
  const result = await outcome(app(), name, input);

  expect(result).toEqual({ runtimeStatus: "Completed", output });
});

it("fires a timer no earlier than asked, and draws the same guids in every replay", async () => {
  const { output } = await outcome(app(), "timers", 150);

  expect(output).toMatchObject({ guids: 2 });
  expect((output as { waitedMs: number }).waitedMs).toBeGreaterThanOrEqual(150);
});

it("lets the event win against its deadline and forgets the cancelled timer", async () => {
  const id = await start(app(), "approval", { input: { withinMs: 600_000 } });
  const accepted = await raise(app(), { id, name: "Approval", data: { by: "me" } });
  const { output } = await ended(app(), id);

  expect(accepted).toBe(202);
  expect(output).toEqual({ approved: { by: "me" }, after: "after" });
});

it("lets the deadline win when no event comes", async () => {
  const result = await outcome(app(), "approval", { withinMs: 50 });

  expect(result.output).toBe("too late");
});

it("keeps events that come before anyone waits for them, in their order", async () => {
  const id = await start(app(), "afterTimer", { input: 200 });
  await raise(app(), { id, name: "E", data: 1 });
  await raise(app(), { id, name: "E", data: 2 });
  const { output } = await ended(app(), id);

  expect(output).toEqual([1, 2]);
});

it("keeps events that wait in the inbox over continueAsNew", async () => {
  const id = await start(app(), "collect", { input: { items: [], wanted: 5 } });
  for (let item = 1; item <= 5; item += 1) await raise(app(), { id, name: "Item", data: item });
  const { output } = await ended(app(), id);

  expect(output).toEqual([1, 2, 3, 4, 5]);
});

it("gives a sub-orchestration's output and parent, and shows the custom status", async () => {
  const id = await start(app(), "parent", { input: { fails: false, childId: "the-child" } });
  const { output, customStatus } = await ended(app(), id);
  const child = await statusOf(app(), "the-child");

  expect(output).toEqual({ child: { sum: 42, parent: id } });
  expect(customStatus).toEqual({ stage: "child" });
  expect(child.runtimeStatus).toBe("Completed");
});

it("lets a parent catch what its sub-orchestration failed of", async () => {
  const { output } = await outcome(app(), "parent", { fails: true });

  expect((output as { caught: string }).caught).toContain(
    "Orchestrator function 'child' failed: Activity function 'fail' failed: the child's activity",
  );
});

it("fails the parent's task when the child's id already runs", async () => {
  await start(app(), "approval", { id: "taken", input: { withinMs: 600_000 } });
  const { output } = await outcome(app(), "parent", { fails: false, childId: "taken" });

  expect((output as { caught: string }).caught).toContain("'taken' is already running");
});

it.each([
  {
    name: "failing",
    input: "no luck",
    error: "Orchestrator function 'failing' failed: Activity function 'fail' failed: no luck",
  },
  { name: "throwing", input: undefined, error: "Orchestrator function 'throwing' failed: at once" },
  {
    name: "unknownActivity",
    input: undefined,
    error: "The function 'nowhere' doesn't exist, is disabled, or is not an activity function",
  },
  {
    name: "entityCaller",
    input: undefined,
    error: "The function 'counter' doesn't exist, is disabled, or is not an entity function",
  },
  { name: "invalidTimer", input: undefined, error: "Invalid" },
  { name: "cycle", input: undefined, error: "circular" },
  { name: "relisting", input: undefined, error: "was already scheduled and stands in a second Task.any" },
])("fails $name and says why", async ({ name, input, error }) => {
  const result = await outcome(app(), name, input);

  expect(result.runtimeStatus).toBe("Failed");
  expect(result.output).toContain(error);
});

it.each([
  { failUntil: 1, attempt: 1 },
  { failUntil: 3, attempt: 3 },
])("repeats a failing activity until attempt $failUntil succeeds", async ({ failUntil, attempt }) => {
  const result = await outcome(app(), "retrying", { key: `until ${failUntil}`, failUntil, maxAttempts: 3 });

  expect(result).toEqual({ runtimeStatus: "Completed", output: { attempt, other: "beside", after: "after" } });
});

it("fails when all attempts are used up", async () => {
  const result = await outcome(app(), "retrying", { key: "never", failUntil: 9, maxAttempts: 3 });

  expect(result.runtimeStatus).toBe("Failed");
  expect(result.output).toContain("attempt 3");
});

it("repeats a failing sub-orchestration", async () => {
  const result = await outcome(app(), "retryingChild", { key: "child", failUntil: 3 });

  expect(result).toEqual({ runtimeStatus: "Completed", output: { attempt: 3, after: "after" } });
});

it("takes nothing in while suspended, and everything after it was resumed", async () => {
  const id = await start(app(), "approval", { input: { withinMs: 600_000 } });
  await reached(app(), id, { EventType: "TimerCreated" });
  await control(app(), id, "suspend");
  await raise(app(), { id, name: "Approval", data: 1 });
  const suspended = await statusOf(app(), id);
  await control(app(), id, "resume");
  const { output } = await ended(app(), id);

  expect(suspended.runtimeStatus).toBe("Suspended");
  expect(output).toEqual({ approved: 1, after: "after" });
});

it("terminates a waiting instance with the reason as its output", async () => {
  const id = await start(app(), "approval", { input: { withinMs: 600_000 } });
  const accepted = await control(app(), id, "terminate");
  const { runtimeStatus, output } = await ended(app(), id);
  const again = await control(app(), id, "terminate");

  expect([accepted, again]).toEqual([202, 410]);
  expect({ runtimeStatus, output }).toEqual({ runtimeStatus: "Terminated", output: "test" });
});
