import { ActionType, readActions } from "../../../local/durable/actions";
import type { Action, OrchestratorResult } from "../../../local/durable/actions";
import { findDivergence } from "../../../local/durable/divergence";
import { Execution, followUpOf } from "../../../local/durable/execution";
import { EventType } from "../../../local/durable/history";
import type { HistoryEvent } from "../../../local/durable/history";

const Timestamp = "2026-01-01T00:00:00.000Z";
const now = Date.parse(Timestamp);

const scheduled = (EventId: number, Name: string, extra: Partial<HistoryEvent> = {}): HistoryEvent => ({
  EventType: EventType.TaskScheduled,
  EventId,
  Timestamp,
  Name,
  Input: "[1]",
  ...extra,
});
const completed = (TaskScheduledId: number): HistoryEvent => ({
  EventType: EventType.TaskCompleted,
  EventId: -1,
  Timestamp,
  TaskScheduledId,
});
const failed = (TaskScheduledId: number): HistoryEvent => ({
  EventType: EventType.TaskFailed,
  EventId: -1,
  Timestamp,
  TaskScheduledId,
});
const fired = (TimerId: number): HistoryEvent => ({ EventType: EventType.TimerFired, EventId: -1, Timestamp, TimerId });
const Retry = { firstRetryIntervalInMilliseconds: 100, maxNumberOfAttempts: 2, backoffCoefficient: 3 };

/** Reads an event as an episode does: what the SDK numbers by itself follows at once. */
function read(execution: Execution, event: HistoryEvent): HistoryEvent | undefined {
  const followUp = followUpOf(execution, event, { id: execution.nextId, now });
  execution.apply(event);
  if (followUp) execution.apply(followUp);
  return followUp;
}

it("numbers a retry's timer and repeat after everything that was scheduled before them", () => {
  const execution = Execution.of([scheduled(0, "flaky", { Retry }), scheduled(1, "other")]);
  const timer = read(execution, failed(0));
  const repeat = read(execution, fired(2));
  const lastTimer = read(execution, failed(3));
  const end = read(execution, fired(4));

  expect(timer).toMatchObject({
    EventType: EventType.TimerCreated,
    EventId: 2,
    FireAt: "2026-01-01T00:00:00.100Z",
    Origin: 0,
  });
  expect(repeat).toMatchObject({
    EventType: EventType.TaskScheduled,
    EventId: 3,
    Name: "flaky",
    Input: "[1]",
    Origin: 0,
  });
  // The SDK fails the task only when the timer after the last attempt fires.
  expect(lastTimer).toMatchObject({
    EventType: EventType.TimerCreated,
    EventId: 4,
    FireAt: "2026-01-01T00:00:00.300Z",
  });
  expect(end).toBeUndefined();
  expect(execution.retrying.size).toBe(0);
  expect([...execution.open.keys()]).toEqual([1]);
});

it("knows the same after a restart as before it", () => {
  const before = new Execution();
  const history: HistoryEvent[] = [];
  const record = (event: HistoryEvent): void => {
    const followUp = read(before, event);
    history.push(event, ...(followUp ? [followUp] : []));
  };
  for (const event of [scheduled(0, "flaky", { Retry }), scheduled(1, "other"), failed(0), completed(1), fired(2)])
    record(event);
  const after = Execution.of(JSON.parse(JSON.stringify(history)) as HistoryEvent[]);

  expect(after).toEqual(before);
  expect(after.nextId).toBe(4);
});

it("takes a completion once, and none that it does not wait for", () => {
  const execution = Execution.of([scheduled(0, "a")]);
  const first = execution.accepts(completed(0));
  execution.apply(completed(0));

  expect([first, execution.accepts(completed(0)), execution.accepts(completed(7))]).toEqual([true, false, false]);
  expect(execution.accepts({ EventType: EventType.EventRaised, EventId: -1, Timestamp, Name: "E" })).toBe(true);
});

const call = (functionName: string): Action => ({ actionType: ActionType.CallActivity, functionName, input: 1 });
const child = (functionName: string, instanceId: string | null): Action => ({
  actionType: ActionType.CallSubOrchestrator,
  functionName,
  instanceId,
});
const timer: Action = { actionType: ActionType.CreateTimer, fireAt: Timestamp };
const timerEvent: HistoryEvent = { EventType: EventType.TimerCreated, EventId: 1, Timestamp, FireAt: Timestamp };
const childEvent: HistoryEvent = {
  EventType: EventType.SubOrchestrationCreated,
  EventId: 2,
  Timestamp,
  Name: "sub",
  InstanceId: "s1",
};
const past = Execution.of([scheduled(0, "a"), timerEvent, childEvent]).scheduled;

it.each([
  { what: "the same calls", tasks: [call("A"), timer, child("sub", "s1")] },
  { what: "new calls behind the old ones", tasks: [call("a"), timer, child("sub", null), call("new")] },
])("accepts a replay with $what", ({ tasks }) => {
  expect(findDivergence(past, tasks)).toBeUndefined();
});

it.each([
  { what: "another activity", tasks: [call("b"), timer, child("sub", "s1")] },
  { what: "a swapped order", tasks: [timer, call("a"), child("sub", "s1")] },
  { what: "a call less", tasks: [call("a"), timer] },
  { what: "another child", tasks: [call("a"), timer, child("sub", "s2")] },
])("refuses a replay with $what", ({ tasks }) => {
  expect(findDivergence(past, tasks)).toMatch(/^Non-Deterministic workflow detected/);
});

function resultOf(...actions: Action[]): OrchestratorResult {
  return { isDone: false, actions: [actions] };
}

it("reads compound actions in the order in which the SDK numbers their tasks", () => {
  const [a, b, c] = [call("a"), call("b"), call("c")];
  const wait: Action = { actionType: ActionType.WaitForExternalEvent };
  const all: Action = {
    actionType: ActionType.WhenAll,
    compoundActions: [a, { actionType: ActionType.WhenAny, compoundActions: [wait, b] }],
  };
  const list = readActions(resultOf(all, c));

  expect(list.tasks).toEqual([a, b, c]);
  expect(list.refusal).toBeUndefined();
});

it("finds a task that stands in a second Task.any, but not two equal calls", () => {
  const [a, b] = [call("same"), call("same")];
  const any = (...compoundActions: Action[]): Action => ({ actionType: ActionType.WhenAny, compoundActions });

  expect(readActions(resultOf(any(a, b), any(b))).refusal).toContain("already scheduled");
  expect(readActions(resultOf(any(a, b))).refusal).toBeUndefined();
});
