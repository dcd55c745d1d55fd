import { randomUUID } from "node:crypto";
import type { Action } from "./actions";
import { ActionType } from "./actions";
import { segmentOf } from "./execution";
import type { FollowUpLimits } from "./execution";
import { EventType } from "./history";
import type { HistoryEvent } from "./history";
import { HTTP_ACTIVITY } from "./http-call";
import type { Instance } from "./instance";

export interface ScheduleOptions extends FollowUpLimits {
  /** For orchestrations that are started without a version. */
  readonly defaultVersion: string;
}

export interface ScheduleTurn {
  readonly instance: Instance;
  readonly now: number;
  readonly options: ScheduleOptions;
}

type Base = Pick<HistoryEvent, "EventId" | "Timestamp">;

/** The history's events for one new action; only the release of a critical section has several, or none. */
export function scheduleEvents(turn: ScheduleTurn, action: Action): HistoryEvent[] {
  const base = { EventId: turn.instance.state.nextId, Timestamp: new Date(turn.now).toISOString() };
  switch (action.actionType) {
    case ActionType.CallActivity:
    case ActionType.CallActivityWithRetry:
      return [activityEvent(base, action)];
    case ActionType.CallSubOrchestrator:
    case ActionType.CallSubOrchestratorWithRetry:
      return [childEvent(turn, base, action)];
    case ActionType.CreateTimer:
      return [timerEvent(turn, base, action)];
    case ActionType.CallHttp: {
      const Input = `[${JSON.stringify(action.httpRequest ?? {})}]`;
      return [{ EventType: EventType.TaskScheduled, ...base, Name: HTTP_ACTIVITY, Input }];
    }
    case ActionType.ReleaseLocks:
      return releaseEvents(turn, base);
    default:
      return [entityEvent(turn, base, action)];
  }
}

function activityEvent(base: Base, action: Action): HistoryEvent {
  // The SDK hands over a string already as JSON, and everything else as it is.
  const input = typeof action.input === "string" ? action.input : jsonOf(action.input);
  return { EventType: EventType.TaskScheduled, ...base, ...callOf(action), Input: `[${input}]` };
}

function childEvent({ instance, options }: ScheduleTurn, base: Base, action: Action): HistoryEvent {
  const ownId = `${instance.execution}:${base.EventId.toString(16).padStart(4, "0")}`;
  return {
    EventType: EventType.SubOrchestrationCreated,
    ...base,
    ...callOf(action),
    InstanceId: action.instanceId ? action.instanceId : ownId,
    Version: action.version ?? options.defaultVersion,
    Input: jsonOf(action.input),
  };
}

function callOf({ functionName = "", retryOptions }: Action): Pick<HistoryEvent, "Name" | "Retry"> {
  return { Name: functionName, ...(retryOptions && { Retry: { ...retryOptions } }) };
}

function timerEvent({ now, options }: ScheduleTurn, base: Base, { fireAt }: Action): HistoryEvent {
  const until = new Date(fireAt ?? Number.NaN).getTime();
  if (Number.isNaN(until))
    throw new RangeError("Invalid time value: the orchestrator created a timer with no valid date");
  return { EventType: EventType.TimerCreated, ...base, ...segmentOf(until, now, options) };
}

function releaseEvents({ instance }: ScheduleTurn, base: Base): HistoryEvent[] {
  const { requestId, entities } = instance.state.lock ?? { requestId: "", entities: [] };
  return entities.map((InstanceId, position) => ({
    EventType: EventType.EventSent,
    ...base,
    EventId: base.EventId + position,
    InstanceId,
    Name: "release",
    Input: JSON.stringify({ parent: instance.id, id: requestId }),
    Sent: "release" as const,
    ...(position > 0 && { Origin: base.EventId }),
  }));
}

/** Entities are told who asks: the answer goes to that execution, under the request's own id. */
function entityEvent({ instance }: ScheduleTurn, base: Base, action: Action): HistoryEvent {
  const parent = { parent: instance.id, parentExecution: instance.execution };
  if (action.actionType === ActionType.Lock) {
    const lockset = (action.lockSet ?? []).map(({ name, key }) => `@${name.toLowerCase()}@${key}`);
    const Input = JSON.stringify({ op: null, id: action.lockRequestId, lockset, pos: 0, ...parent });
    const InstanceId = lockset[0] ?? "";
    return { EventType: EventType.EventSent, ...base, InstanceId, Name: "op", Input, Sent: "lock" };
  }
  const isSignal = action.actionType === ActionType.SignalEntity;
  const Input = JSON.stringify({
    op: action.operation,
    ...(isSignal && { signal: true }),
    ...(action.input !== undefined && { input: jsonOf(action.input) }),
    id: randomUUID(),
    ...parent,
  });
  const Sent = isSignal ? ("signal" as const) : ("call" as const);
  return { EventType: EventType.EventSent, ...base, InstanceId: action.instanceId ?? "", Name: "op", Input, Sent };
}

/** JSON knows no undefined; the SDK parses every text that it gets. */
export function jsonOf(value: unknown): string {
  return value === undefined || typeof value === "function" ? "null" : JSON.stringify(value);
}
