import { readActions } from "./actions";
import type { Action, OrchestratorResult } from "./actions";
import { findDivergence, followUpOf } from "./execution";
import type { DurableFunctions } from "./functions";
import { EventType, playedTextOf, textOf } from "./history";
import type { HistoryEvent } from "./history";
import type { Instance } from "./instance";

export type EpisodeEnd =
  | { readonly kind: "completed"; readonly output: string }
  | { readonly kind: "failed"; readonly reason: string }
  | { readonly kind: "continued"; readonly input: string };

export interface Episode {
  /** The events to append to the history, as JSON. */
  readonly text: string;
  /** Those of them that a later replay needs. */
  readonly replay: string;
  readonly scheduled: readonly HistoryEvent[];
  readonly cancelledTimers: readonly number[];
  readonly customStatus: string | undefined;
  readonly end: EpisodeEnd | undefined;
}

interface Turn {
  readonly instance: Instance;
  readonly functions: DurableFunctions;
  readonly now: number;
  /** What the SDK schedules by itself in this turn; it numbers these before anything that user code schedules. */
  readonly followUps: readonly HistoryEvent[];
}

/** Lets the orchestrator read the new events and turns what it did into history. Never throws: a failure is an end. */
export async function runEpisode(
  functions: DurableFunctions,
  instance: Instance,
  events: readonly HistoryEvent[],
): Promise<Episode> {
  const now = turnTimeOf(instance, events);
  const started: HistoryEvent = {
    EventType: EventType.OrchestratorStarted,
    EventId: -1,
    Timestamp: new Date(now).toISOString(),
  };
  const texts = [started, ...events].map(textOf);
  const trigger = triggerOf(instance, texts.map(({ fresh }) => fresh).join(","));
  const followUps = readEvents(instance, [started, ...events], now);
  const outcome = await run({ functions, instance, now, followUps }, trigger);
  const closing: HistoryEvent[] = [...outcome.scheduled];
  if (outcome.end && outcome.end.kind !== "continued") closing.push(completionOf(outcome.end, now));
  closing.push({ EventType: EventType.OrchestratorCompleted, EventId: -1, Timestamp: new Date(now).toISOString() });
  const replay = texts.map(({ played }) => played).join(",");
  return { ...outcome, text: [replay, ...closing.map(playedTextOf)].join(","), replay };
}

/** Node may fire a timer a millisecond early, and clocks step back: a turn's time is never before a timer that it sees. */
function turnTimeOf(instance: Instance, events: readonly HistoryEvent[]): number {
  const fired = events.flatMap(({ FireAt }) => (FireAt === undefined ? [] : [Date.parse(FireAt)]));
  return Math.max(Date.now(), instance.state.lastTurnAt, ...fired);
}

/**
 * The durations are given because the SDK refuses timers without them. They are so long that no timer is cut into segments,
 * as with the backends that have no limit of their own.
 */
function triggerOf(instance: Instance, fresh: string): string {
  const history = instance.played === "" ? fresh : `${instance.played},${fresh}`;
  return (
    `{"history":[${history}],"input":${instance.input},"instanceId":${JSON.stringify(instance.id)},"isReplaying":${instance.played !== ""},` +
    `"parentInstanceId":${JSON.stringify(instance.parent?.id ?? null)},"upperSchemaVersion":1,"upperSchemaVersionNew":3,` +
    '"longRunningTimerIntervalDuration":"36500.00:00:00","maximumShortTimerDuration":"36500.00:00:00","defaultHttpAsyncRequestSleepTimeMillseconds":30000}'
  );
}

function readEvents({ state }: Instance, events: readonly HistoryEvent[], now: number): HistoryEvent[] {
  const followUps: HistoryEvent[] = [];
  for (const event of events) {
    const followUp = followUpOf(state, event, { id: state.nextId, now });
    state.apply(event);
    if (!followUp) continue;
    state.apply(followUp);
    followUps.push(followUp);
  }
  return followUps;
}

type Outcome = Omit<Episode, "text" | "replay">;

async function run(turn: Turn, trigger: string): Promise<Outcome> {
  const { functions, instance } = turn;
  if (!functions.has("orchestration", instance.name))
    return failed(turn, missing("orchestration", instance.name, functions));
  let result: OrchestratorResult;
  try {
    result = await functions.runOrchestrator(instance.name, trigger);
  } catch (error) {
    const state = stateOfFailure(error);
    if (!state) return failed(turn, messageOf(error));
    result = state;
  }
  try {
    return interpret(turn, result);
  } catch (error) {
    // What cannot be read or written as JSON (an invalid date, a cycle) is a fault of the orchestrator, never of the host.
    return failed(turn, messageOf(error));
  }
}

/** The SDK throws the orchestrator's state as text behind this label; anything else is no failure of the orchestrator's code. */
const LABEL = "$OutOfProcData$:";

function stateOfFailure(error: unknown): OrchestratorResult | undefined {
  const message = messageOf(error);
  const at = message.indexOf(LABEL);
  if (at < 0) return undefined;
  // The SDK made this text from its own OrchestratorState.
  const state = JSON.parse(message.slice(at + LABEL.length)) as OrchestratorResult;
  return { ...state, error: state.error ?? "the orchestrator threw an error without a message" };
}

function interpret(turn: Turn, result: OrchestratorResult): Outcome {
  const { state } = turn.instance;
  const { tasks, continueAsNew, refusal } = readActions(result);
  const problem = findDivergence(state.scheduled, tasks) ?? refusal ?? result.error;
  if (problem !== undefined) return { ...failed(turn, problem), customStatus: customStatusOf(result) };
  const known = state.scheduled.length;
  const cancelledTimers = cancelTimers(turn.instance, tasks);
  const scheduled = [...turn.followUps];
  for (const action of tasks.slice(known)) {
    const unknownName = missingName(turn.functions, action);
    if (unknownName !== undefined) return failed(turn, unknownName);
    const event = scheduleEvent(turn, action);
    state.apply(event);
    // A timer that was made and cancelled in one turn has its number, but will never fire.
    if (action.isCanceled === true && state.open.delete(event.EventId)) cancelledTimers.push(event.EventId);
    scheduled.push(event);
  }
  return { scheduled, cancelledTimers, customStatus: customStatusOf(result), end: endOf(result, continueAsNew) };
}

function endOf(result: OrchestratorResult, continueAsNew: Action | undefined): EpisodeEnd | undefined {
  if (!result.isDone) return undefined;
  if (continueAsNew) return { kind: "continued", input: jsonOf(continueAsNew.input) };
  return { kind: "completed", output: jsonOf(result.output) };
}

function cancelTimers({ state }: Instance, tasks: readonly Action[]): number[] {
  const cancelled: number[] = [];
  for (const [position, { id }] of state.scheduled.entries()) {
    // A cancelled timer's action changes long after it was listed, so that old actions are looked at in every turn.
    if (tasks[position]?.isCanceled === true && state.open.delete(id)) cancelled.push(id);
  }
  return cancelled;
}

function scheduleEvent({ instance, now }: Turn, action: Action): HistoryEvent {
  const id = instance.state.nextId;
  const base = { EventId: id, Timestamp: new Date(now).toISOString() };
  if (action.fireAt !== undefined)
    return { EventType: EventType.TimerCreated, ...base, FireAt: new Date(action.fireAt).toISOString() };
  const call = { Name: action.functionName ?? "", ...(action.retryOptions && { Retry: { ...action.retryOptions } }) };
  if (action.actionType <= 1) {
    // The SDK hands over a string already as JSON, and everything else as it is.
    const input = typeof action.input === "string" ? action.input : jsonOf(action.input);
    return { EventType: EventType.TaskScheduled, ...base, ...call, Input: `[${input}]` };
  }
  return {
    EventType: EventType.SubOrchestrationCreated,
    ...base,
    ...call,
    InstanceId: action.instanceId ? action.instanceId : `${instance.execution}:${id.toString(16).padStart(4, "0")}`,
    Version: action.version ?? "",
    Input: jsonOf(action.input),
  };
}

function missingName(functions: DurableFunctions, action: Action): string | undefined {
  if (action.functionName === undefined) return undefined;
  const kind = action.actionType <= 1 ? "activity" : "orchestration";
  return functions.has(kind, action.functionName) ? undefined : missing(kind, action.functionName, functions);
}

export function missing(kind: "activity" | "orchestration", name: string, functions: DurableFunctions): string {
  const known = functions
    .names(kind)
    .map((each) => `'${each}'`)
    .join(", ");
  return `The function '${name}' doesn't exist, is disabled, or is not an ${kind} function. Known ${kind} functions: ${known || "none"}.`;
}

function failed({ instance, followUps }: Turn, problem: string): Outcome {
  const reason = `Orchestrator function '${instance.name}' failed: ${problem}`;
  return { scheduled: followUps, cancelledTimers: [], customStatus: undefined, end: { kind: "failed", reason } };
}

function completionOf(end: Exclude<EpisodeEnd, { kind: "continued" }>, now: number): HistoryEvent {
  const done = end.kind === "completed";
  return {
    EventType: EventType.ExecutionCompleted,
    EventId: -1,
    Timestamp: new Date(now).toISOString(),
    OrchestrationStatus: done ? "Completed" : "Failed",
    Result: done ? end.output : JSON.stringify(end.reason),
  };
}

function customStatusOf(result: OrchestratorResult): string | undefined {
  return result.customStatus === undefined ? undefined : jsonOf(result.customStatus);
}

/** JSON knows no undefined; the SDK parses every text that it gets. */
function jsonOf(value: unknown): string {
  return value === undefined || typeof value === "function" ? "null" : JSON.stringify(value);
}

export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
