import type { TaskKind } from "./actions";
import { EventType, taskIdOf } from "./history";
import type { HistoryEvent, RetryOptions } from "./history";
import { HTTP_ACTIVITY, isPolled, pollOf } from "./http-call";
import type { Poll } from "./http-call";

/** A task that user code scheduled: what a replay must find again, at the same place. */
export interface ScheduledTask {
  readonly id: number;
  readonly kind: TaskKind;
  readonly name: string;
  readonly instanceId: string | undefined;
}

/** A task with retries: its first schedule, repeated under new ids until it succeeds or its attempts are used up. */
export interface RetryingTask {
  readonly first: HistoryEvent;
  readonly options: RetryOptions;
  failures: number;
}

/** An HTTP call that is repeated while its answers are 202. */
export interface PollingTask {
  readonly first: HistoryEvent;
  next: HistoryEvent["Next"];
}

export interface HeldLock {
  readonly requestId: string;
  /** Ids of entities, sorted, as the SDK hands them over. */
  readonly entities: readonly string[];
}

/**
 * What the history of one execution says: the next free id, what was scheduled, what is still open. It is a fold over the
 * history's events and can therefore be rebuilt after a restart.
 */
export class Execution {
  nextId = 0;
  readonly scheduled: ScheduledTask[] = [];
  /** Open tasks, each with the first task of its retries, segments or polls (itself, when it has none). */
  readonly open = new Map<number, number>();
  readonly retrying = new Map<number, RetryingTask>();
  readonly polling = new Map<number, PollingTask>();
  /** Timers of several segments, with the time at which they end. */
  readonly longTimers = new Map<number, number>();
  /** The critical section that the orchestration has asked for or is in. */
  lock: HeldLock | undefined;
  lastTurnAt = 0;

  static of(events: Iterable<HistoryEvent>): Execution {
    const execution = new Execution();
    for (const event of events) execution.apply(event);
    return execution;
  }

  /** True while a task is open for which the SDK may number further ones by itself. */
  get numbersByItself(): boolean {
    return this.retrying.size + this.polling.size + this.longTimers.size > 0;
  }

  apply(event: HistoryEvent): void {
    switch (event.EventType) {
      case EventType.TaskScheduled:
        this.schedule(event, event.Name === HTTP_ACTIVITY ? "HTTP call" : "activity");
        break;
      case EventType.SubOrchestrationCreated:
        this.schedule(event, "sub-orchestration");
        break;
      case EventType.TimerCreated:
        this.schedule(event, "timer");
        break;
      case EventType.EventSent:
        this.send(event);
        break;
      case EventType.OrchestratorStarted:
        this.lastTurnAt = Date.parse(event.Timestamp);
        break;
      default:
        this.complete(event);
    }
  }

  /** False for a late or repeated completion: such an event must not enter the history. */
  accepts(event: HistoryEvent): boolean {
    const taskId = taskIdOf(event);
    return taskId === undefined || this.open.has(taskId);
  }

  private schedule(event: HistoryEvent, kind: TaskKind): void {
    const id = event.EventId;
    this.nextId = Math.max(this.nextId, id + 1, (event.Next?.EventId ?? 0) + 1);
    this.open.set(id, event.Origin ?? id);
    if (event.Origin !== undefined) {
      const polling = this.polling.get(event.Origin);
      if (polling) polling.next = event.Next;
      return;
    }
    this.scheduled.push({ id, kind, name: event.Name ?? "", instanceId: event.InstanceId });
    if (event.Retry) this.retrying.set(id, { first: event, options: event.Retry, failures: 0 });
    if (event.Until !== undefined) this.longTimers.set(id, Date.parse(event.Until));
    if (kind === "HTTP call" && isPolled(event)) this.polling.set(id, { first: event, next: undefined });
  }

  private send(event: HistoryEvent): void {
    const { EventId: id, Sent: kind, InstanceId: entity, Origin } = event;
    this.nextId = Math.max(this.nextId, id + 1);
    if (kind === "release") this.lock = undefined;
    if (kind === "lock") this.lock = lockOf(event);
    // The releases of one critical section are one action with several ids.
    if (Origin === undefined) this.scheduled.push({ id, kind: kind ?? "signal", name: "", instanceId: entity });
  }

  private complete(event: HistoryEvent): void {
    const taskId = taskIdOf(event);
    if (taskId === undefined) return;
    const origin = this.open.get(taskId);
    this.open.delete(taskId);
    if (origin === undefined) return;
    const fired = event.EventType === EventType.TimerFired;
    if (fired && (this.longTimers.get(origin) ?? 0) <= this.lastTurnAt) this.longTimers.delete(origin);
    if (!fired && !pollOf(event, this.polling.get(origin)?.first)) this.polling.delete(origin);
    const retrying = this.retrying.get(origin);
    if (!retrying) return;
    if (isFailure(event)) retrying.failures += 1;
    else if (!fired || !hasAttemptsLeft(retrying)) this.retrying.delete(origin);
  }
}

function lockOf({ Input = "{}" }: HistoryEvent): HeldLock {
  // This host wrote the text itself, in `sentEvent`.
  const { id, lockset } = JSON.parse(Input) as { id: string; lockset: string[] };
  return { requestId: id, entities: lockset };
}

export function isFailure(event: HistoryEvent): boolean {
  return event.EventType === EventType.TaskFailed || event.EventType === EventType.SubOrchestrationFailed;
}

function hasAttemptsLeft(task: RetryingTask): boolean {
  return task.failures < task.options.maxNumberOfAttempts;
}

interface Turn {
  readonly id: number;
  readonly now: number;
  readonly limits?: FollowUpLimits;
}

export interface FollowUpLimits {
  readonly maximumShortTimerMs: number;
  readonly longTimerIntervalMs: number;
  readonly httpSleepMs: number;
}

/**
 * The task that the SDK numbers by itself when it reads this completion: a retry's timer after a failure (also after the
 * last one: the SDK fails the task only when that timer fires), the next attempt when such a timer fires, a long timer's
 * next segment, or the next poll of an HTTP call. Must be asked before the event is applied.
 */
export function followUpOf(execution: Execution, event: HistoryEvent, turn: Turn): HistoryEvent | undefined {
  const origin = execution.open.get(taskIdOf(event) ?? -1);
  if (origin === undefined) return undefined;
  const base = { EventId: turn.id, Timestamp: new Date(turn.now).toISOString(), Origin: origin };
  const polling = execution.polling.get(origin);
  if (polling) return pollFollowUp(polling, event, { ...turn, base });
  const until = execution.longTimers.get(origin);
  if (until !== undefined && event.EventType === EventType.TimerFired && until > turn.now)
    return { EventType: EventType.TimerCreated, ...base, ...segmentOf(until, turn.now, turn.limits) };
  const retrying = execution.retrying.get(origin);
  if (!retrying) return undefined;
  if (isFailure(event)) {
    const FireAt = new Date(turn.now + retryDelayMs(retrying)).toISOString();
    return { EventType: EventType.TimerCreated, ...base, FireAt };
  }
  if (event.EventType !== EventType.TimerFired || !hasAttemptsLeft(retrying)) return undefined;
  return { ...retrying.first, ...base };
}

type FollowUpBase = Pick<HistoryEvent, "EventId" | "Timestamp"> & { readonly Origin: number };

function pollFollowUp(
  { first, next }: PollingTask,
  event: HistoryEvent,
  { now, limits, base }: Turn & { base: FollowUpBase },
): HistoryEvent | undefined {
  if (event.EventType === EventType.TimerFired)
    return next && { EventType: EventType.TaskScheduled, ...base, ...next, Name: HTTP_ACTIVITY };
  const poll: Poll | undefined = pollOf(event, first);
  if (!poll) return undefined;
  return {
    EventType: EventType.TimerCreated,
    ...base,
    FireAt: new Date(now + (poll.afterMs ?? limits?.httpSleepMs ?? 0)).toISOString(),
    // The SDK numbers the next request at once, the timer before it.
    Next: { EventId: base.EventId + 1, Input: poll.input },
  };
}

/** When a timer's next segment fires. A timer within the limit has one segment only, and says no end. */
export function segmentOf(until: number, now: number, limits?: FollowUpLimits): Pick<HistoryEvent, "FireAt" | "Until"> {
  const end = new Date(until).toISOString();
  if (!limits || until - now <= limits.maximumShortTimerMs) return { FireAt: end };
  return { FireAt: new Date(now + limits.longTimerIntervalMs).toISOString(), Until: end };
}

function retryDelayMs({ options, failures }: RetryingTask): number {
  // `failures` does not count the one that is being handled, so the first delay is the first interval itself.
  const delay = options.firstRetryIntervalInMilliseconds * (options.backoffCoefficient ?? 1) ** failures;
  return Math.min(delay, options.maxRetryIntervalInMilliseconds ?? Number.MAX_SAFE_INTEGER);
}
