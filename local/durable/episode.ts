import { ActionType, readActions } from "./actions";
import type { Action, OrchestratorResult } from "./actions";
import { findDivergence } from "./divergence";
import { versionProblem } from "./durable-settings";
import type { DurableSettings } from "./durable-settings";
import { followUpOf } from "./execution";
import { entityNameOf } from "./entity-id";
import type { DurableFunctions, FunctionKind } from "./functions";
import { EventType, playedTextOf, replayTextOf, textOf } from "./history";
import type { HistoryEvent } from "./history";
import type { Instance } from "./instance";
import { jsonOf, scheduleEvents } from "./schedule";
import type { ScheduleOptions } from "./schedule";

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

export interface EpisodeContext {
  readonly functions: DurableFunctions;
  readonly options: DurableSettings;
}

interface Turn extends EpisodeContext {
  readonly instance: Instance;
  readonly now: number;
  /** What the SDK schedules by itself in this turn; it numbers these before anything that user code schedules. */
  readonly followUps: readonly HistoryEvent[];
}

/** Lets the orchestrator read the new events and turns what it did into history. Never throws: a failure is an end. */
export async function runEpisode(
  context: EpisodeContext,
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
  const fresh = texts.map((text) => text.fresh).join(",");
  const trigger = triggerOf(instance, fresh, context.options);
  const turn: Turn = { ...context, instance, now, followUps: [] };
  const followUps = readEvents(turn, [started, ...events]);
  const outcome = await run({ ...turn, followUps }, trigger);
  const closing: HistoryEvent[] = [...outcome.scheduled];
  if (outcome.end && outcome.end.kind !== "continued") closing.push(completionOf(outcome.end, now));
  closing.push({ EventType: EventType.OrchestratorCompleted, EventId: -1, Timestamp: new Date(now).toISOString() });
  const read = texts.map(({ played }) => played).join(",");
  const sent = replayTextOf(outcome.scheduled);
  const replay = sent === "" ? read : `${read},${sent}`;
  return { ...outcome, text: [read, ...closing.map(playedTextOf)].join(","), replay };
}

/** Node may fire a timer a millisecond early, and clocks step back: a turn's time is never before a timer that it sees. */
function turnTimeOf(instance: Instance, events: readonly HistoryEvent[]): number {
  const fired = events.flatMap(({ FireAt }) => (FireAt === undefined ? [] : [Date.parse(FireAt)]));
  return Math.max(Date.now(), instance.state.lastTurnAt, ...fired);
}

/** The two durations are the SDK's own unit of long timers: it cuts a timer into the same segments as `segmentOf`. */
function triggerOf(instance: Instance, fresh: string, options: ScheduleOptions): string {
  const history = instance.played === "" ? fresh : `${instance.played},${fresh}`;
  return (
    `{"history":[${history}],"input":${instance.input},"instanceId":${JSON.stringify(instance.id)},"isReplaying":${instance.played !== ""},` +
    `"parentInstanceId":${JSON.stringify(instance.parent?.id ?? null)},"upperSchemaVersion":1,"upperSchemaVersionNew":3,` +
    `"longRunningTimerIntervalDuration":"${timeSpanOf(options.longTimerIntervalMs)}",` +
    `"maximumShortTimerDuration":"${timeSpanOf(options.maximumShortTimerMs)}",` +
    `"defaultHttpAsyncRequestSleepTimeMillseconds":${options.httpSleepMs}}`
  );
}

/** A time span as .NET writes it and moment reads it: `d.hh:mm:ss.fff`. */
function timeSpanOf(totalMs: number): string {
  const two = (value: number): string => String(Math.floor(value)).padStart(2, "0");
  const [days, hours] = [Math.floor(totalMs / DAY_MS), (totalMs % DAY_MS) / 3_600_000];
  const [minutes, seconds] = [(totalMs % 3_600_000) / 60_000, (totalMs % 60_000) / 1_000];
  return `${days}.${two(hours)}:${two(minutes)}:${two(seconds)}.${String(totalMs % 1_000).padStart(3, "0")}`;
}

const DAY_MS = 86_400_000;

function readEvents({ instance: { state }, now, options }: Turn, events: readonly HistoryEvent[]): HistoryEvent[] {
  const followUps: HistoryEvent[] = [];
  for (const event of events) {
    const followUp = followUpOf(state, event, { id: state.nextId, now, limits: options });
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
  const wrongVersion = versionProblem(instance.version, turn.options.versioning);
  if (wrongVersion !== undefined) return failed(turn, wrongVersion);
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
  const problem = findDivergence(state.scheduled, tasks) ?? refusal;
  if (problem !== undefined) return { ...failed(turn, problem), customStatus: customStatusOf(result) };
  const known = state.scheduled.length;
  const cancelledTimers = cancelTimers(turn.instance, tasks);
  const scheduled = [...turn.followUps];
  for (const action of tasks.slice(known)) {
    const unknownName = missingName(turn.functions, action);
    if (unknownName !== undefined) return failed(turn, unknownName);
    for (const event of scheduleEvents(turn, action)) {
      state.apply(event);
      // A timer that was made and cancelled in one turn has its number, but will never fire.
      if (action.isCanceled === true && closeTimer(turn.instance, event.EventId) !== undefined)
        cancelledTimers.push(event.EventId);
      scheduled.push(event);
    }
  }
  const customStatus = customStatusOf(result);
  if (result.error !== undefined) {
    // What an orchestrator that throws has sent to entities still goes out; what it only scheduled has no reader any more.
    const sent = scheduled.filter(({ EventType: type }) => type === EventType.EventSent);
    return { ...failed(turn, result.error), scheduled: [...turn.followUps, ...sent], customStatus };
  }
  return { scheduled, cancelledTimers, customStatus, end: endOf(result, continueAsNew) };
}

function endOf(result: OrchestratorResult, continueAsNew: Action | undefined): EpisodeEnd | undefined {
  if (!result.isDone) return undefined;
  if (continueAsNew) return { kind: "continued", input: jsonOf(continueAsNew.input) };
  return { kind: "completed", output: jsonOf(result.output) };
}

function cancelTimers(instance: Instance, tasks: readonly Action[]): number[] {
  const cancelled: number[] = [];
  for (const [position, { id }] of instance.state.scheduled.entries()) {
    // A cancelled timer's action changes long after it was listed, so that old actions are looked at in every turn.
    if (tasks[position]?.isCanceled !== true) continue;
    const open = closeTimer(instance, id);
    if (open !== undefined) cancelled.push(open);
  }
  return cancelled;
}

/** Gives the id of the segment that was open, undefined when the timer has ended. */
function closeTimer({ state }: Instance, id: number): number | undefined {
  const isLong = state.longTimers.delete(id);
  const open = isLong ? [...state.open].find(([, origin]) => origin === id)?.[0] : id;
  return open !== undefined && state.open.delete(open) ? open : undefined;
}

function missingName(functions: DurableFunctions, action: Action): string | undefined {
  const { functionName, instanceId, lockSet } = action;
  if (functionName !== undefined) {
    const kind = action.actionType <= ActionType.CallActivityWithRetry ? "activity" : "orchestration";
    return functions.has(kind, functionName) ? undefined : missing(kind, functionName, functions);
  }
  const isEntity = action.actionType === ActionType.CallEntity || action.actionType === ActionType.SignalEntity;
  const called = isEntity ? [entityNameOf(instanceId ?? "")] : [];
  const names = lockSet ? lockSet.map(({ name }) => name) : called;
  const unknown = names.find((name) => !functions.has("entity", name));
  return unknown === undefined ? undefined : missing("entity", unknown, functions);
}

export function missing(kind: FunctionKind, name: string, functions: DurableFunctions): string {
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

export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
