import type { Action, TaskKind } from "./actions";
import { kindOf } from "./actions";
import { EventType, taskIdOf } from "./history";
import type { HistoryEvent, RetryOptions } from "./history";

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

/**
 * What the history of one execution says: the next free id, what was scheduled, what is still open. It is a fold over the
 * history's events and can therefore be rebuilt after a restart.
 */
export class Execution {
  nextId = 0;
  readonly scheduled: ScheduledTask[] = [];
  /** Open tasks, each with the first task of its retries (itself, when it has none). */
  readonly open = new Map<number, number>();
  readonly retrying = new Map<number, RetryingTask>();
  lastTurnAt = 0;

  static of(events: Iterable<HistoryEvent>): Execution {
    const execution = new Execution();
    for (const event of events) execution.apply(event);
    return execution;
  }

  apply(event: HistoryEvent): void {
    switch (event.EventType) {
      case EventType.TaskScheduled:
        this.schedule(event, "activity");
        break;
      case EventType.SubOrchestrationCreated:
        this.schedule(event, "sub-orchestration");
        break;
      case EventType.TimerCreated:
        this.schedule(event, "timer");
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
    this.nextId = Math.max(this.nextId, id + 1);
    this.open.set(id, event.Origin ?? id);
    if (event.Origin !== undefined) return;
    this.scheduled.push({ id, kind, name: event.Name ?? "", instanceId: event.InstanceId });
    if (event.Retry) this.retrying.set(id, { first: event, options: event.Retry, failures: 0 });
  }

  private complete(event: HistoryEvent): void {
    const taskId = taskIdOf(event);
    if (taskId === undefined) return;
    const origin = this.open.get(taskId);
    this.open.delete(taskId);
    const retrying = origin === undefined ? undefined : this.retrying.get(origin);
    if (origin === undefined || !retrying) return;
    if (isFailure(event)) retrying.failures += 1;
    else if (event.EventType !== EventType.TimerFired || !hasAttemptsLeft(retrying)) this.retrying.delete(origin);
  }
}

function isFailure(event: HistoryEvent): boolean {
  return event.EventType === EventType.TaskFailed || event.EventType === EventType.SubOrchestrationFailed;
}

function hasAttemptsLeft(task: RetryingTask): boolean {
  return task.failures < task.options.maxNumberOfAttempts;
}

/**
 * The task that the SDK numbers by itself when it reads this completion: a retry's timer after a failure (also after the
 * last one: the SDK fails the task only when that timer fires), or the next attempt when such a timer fires.
 * Must be asked before the event is applied.
 */
export function followUpOf(
  execution: Execution,
  event: HistoryEvent,
  turn: { id: number; now: number },
): HistoryEvent | undefined {
  const origin = execution.open.get(taskIdOf(event) ?? -1);
  const task = origin === undefined ? undefined : execution.retrying.get(origin);
  if (origin === undefined || !task) return undefined;
  const base = { EventId: turn.id, Timestamp: new Date(turn.now).toISOString(), Origin: origin };
  if (isFailure(event)) {
    return {
      EventType: EventType.TimerCreated,
      ...base,
      FireAt: new Date(turn.now + retryDelayMs(task)).toISOString(),
    };
  }
  if (event.EventType !== EventType.TimerFired || !hasAttemptsLeft(task)) return undefined;
  return { ...task.first, ...base };
}

function retryDelayMs({ options, failures }: RetryingTask): number {
  // `failures` does not count the one that is being handled, so the first delay is the first interval itself.
  const delay = options.firstRetryIntervalInMilliseconds * (options.backoffCoefficient ?? 1) ** failures;
  return Math.min(delay, options.maxRetryIntervalInMilliseconds ?? Number.MAX_SAFE_INTEGER);
}

/**
 * Compares what the orchestrator did in this replay with what its history says it did before. The SDK itself matches ids
 * blindly, so that changed code would silently get the results of other calls.
 */
export function findDivergence(scheduled: readonly ScheduledTask[], tasks: readonly Action[]): string | undefined {
  for (const [position, past] of scheduled.entries()) {
    const action = tasks[position];
    const now = action ? describeAction(action) : "nothing";
    if (action && matches(past, action)) continue;
    return (
      `Non-Deterministic workflow detected: the history has ${describe(past.kind, past.name)} with id ${past.id} ` +
      `at position ${position + 1} of the schedule, this replay has ${now}. Code of running orchestrations must not change its order of calls.`
    );
  }
  return undefined;
}

function matches(past: ScheduledTask, action: Action): boolean {
  if (past.kind !== kindOf(action)) return false;
  if (past.kind === "timer") return true;
  if (past.name.toLowerCase() !== (action.functionName ?? "").toLowerCase()) return false;
  // Without an instance id of its own the host drew one, which the code cannot know.
  return past.kind !== "sub-orchestration" || !action.instanceId || action.instanceId === past.instanceId;
}

function describe(kind: TaskKind, name: string): string {
  return kind === "timer" ? "a timer" : `${kind} '${name}'`;
}

function describeAction(action: Action): string {
  return describe(kindOf(action) ?? "activity", action.functionName ?? "");
}
