/** The numbers that the Durable Task framework gives its history events. */
export const EventType = {
  ExecutionStarted: 0,
  ExecutionCompleted: 1,
  ExecutionTerminated: 3,
  TaskScheduled: 4,
  TaskCompleted: 5,
  TaskFailed: 6,
  SubOrchestrationCreated: 7,
  SubOrchestrationCompleted: 8,
  SubOrchestrationFailed: 9,
  TimerCreated: 10,
  TimerFired: 11,
  OrchestratorStarted: 12,
  OrchestratorCompleted: 13,
  EventSent: 14,
  EventRaised: 15,
  ExecutionSuspended: 19,
  ExecutionResumed: 20,
} as const;

const EVENT_NAMES = new Map<number, string>(Object.entries(EventType).map(([name, type]) => [type, name]));

export interface RetryOptions {
  readonly firstRetryIntervalInMilliseconds: number;
  readonly maxNumberOfAttempts: number;
  readonly backoffCoefficient?: number;
  readonly maxRetryIntervalInMilliseconds?: number;
}

/** What an orchestration sent to an entity. A lock goes to the first entity of its set, which hands it on. */
export type SentKind = "call" | "signal" | "lock" | "release";

/**
 * One event of an orchestration's history, spelled as the SDK reads it. `Origin`, `Retry`, `Until`, `Next` and `Sent` are
 * this host's own: they tell after a restart which tasks the SDK numbered by itself (a retry's timers and repeats, a long
 * timer's segments, an HTTP call's polls) and for which first task. The SDK ignores fields that it does not know.
 */
export interface HistoryEvent {
  readonly EventType: number;
  readonly EventId: number;
  readonly Timestamp: string;
  readonly Name?: string;
  readonly Input?: string | undefined;
  readonly Version?: string;
  readonly InstanceId?: string;
  readonly TaskScheduledId?: number;
  readonly TimerId?: number;
  readonly FireAt?: string;
  readonly Result?: string;
  readonly Reason?: string;
  readonly Details?: string;
  readonly OrchestrationInstance?: { readonly InstanceId: string; readonly ExecutionId: string };
  readonly ParentInstance?: unknown;
  readonly OrchestrationStatus?: string;
  readonly Origin?: number;
  readonly Retry?: RetryOptions;
  /** When a timer of several segments ends. */
  readonly Until?: string;
  /** The HTTP request that follows when this timer fires; the SDK has numbered it already. */
  readonly Next?: { readonly EventId: number; readonly Input: string };
  readonly Sent?: SentKind;
}

/** An event's JSON without its opening brace and `IsPlayed`, so that both forms below cost one serialisation. */
function bodyOf(event: HistoryEvent): string {
  return JSON.stringify(event).slice(1);
}

export interface EventText {
  readonly fresh: string;
  readonly played: string;
}

export function textOf(event: HistoryEvent): EventText {
  const body = bodyOf(event);
  return { fresh: `{"IsPlayed":false,${body}`, played: `{"IsPlayed":true,${body}` };
}

export function playedTextOf(event: HistoryEvent): string {
  return `{"IsPlayed":true,${bodyOf(event)}`;
}

/** Reads events that were joined with commas, and takes `IsPlayed` from them: it belongs to a text, not to an event. */
export function parseEvents(text: string): HistoryEvent[] {
  // The text was written by `textOf` or `playedTextOf`, from events of this very type.
  const events = JSON.parse(`[${text}]`) as HistoryEvent[];
  for (const event of events) Reflect.deleteProperty(event, "IsPlayed");
  return events;
}

const REPLAYED: ReadonlySet<number> = new Set([
  EventType.ExecutionStarted,
  EventType.TaskCompleted,
  EventType.TaskFailed,
  EventType.SubOrchestrationCompleted,
  EventType.SubOrchestrationFailed,
  EventType.TimerFired,
  EventType.OrchestratorStarted,
  // A call of an entity is answered under the id that this event holds.
  EventType.EventSent,
  EventType.EventRaised,
]);

/**
 * The part of a history that the SDK looks at in a replay. It skips schedules and ends of turns, which are half of all
 * events; leaving them out makes replays cheaper and changes nothing. The journal keeps every event.
 */
export function replayTextOf(events: readonly HistoryEvent[]): string {
  return events
    .filter(({ EventType: type }) => REPLAYED.has(type))
    .map(playedTextOf)
    .join(",");
}

/** The task that a completion event answers, undefined for any other event. */
export function taskIdOf(event: HistoryEvent): number | undefined {
  return event.TaskScheduledId ?? event.TimerId;
}

const HIDDEN: ReadonlySet<string> = new Set([
  ...["IsPlayed", "Result", "Input"],
  ...["Origin", "Retry", "Until", "Next", "Sent"],
]);

/** An event as the management API shows it: by name, without this host's own fields, outputs only on request. */
export function publicEvent(event: HistoryEvent, showOutput: boolean): Record<string, unknown> {
  const { EventType: type, Name, Result, Input } = event;
  return {
    ...Object.fromEntries(Object.entries(event).filter(([key]) => !HIDDEN.has(key))),
    EventType: EVENT_NAMES.get(type) ?? String(type),
    ...(Name === undefined ? {} : { Name, FunctionName: Name }),
    ...(showOutput && Result !== undefined ? { Result: parseLoosely(Result) } : {}),
    ...(showOutput && Input !== undefined ? { Input: parseLoosely(Input) } : {}),
  };
}

function parseLoosely(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}
