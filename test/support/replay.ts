import { DummyOrchestrationContext, type OrchestrationHandler } from "durable-functions";
import { createOrchestrator, DurableOrchestrationInput } from "durable-functions/lib/src/util/testingUtils";

/** What an orchestration did, in order. `wait` is for the event `changed`, `sleep` for a time only; both in seconds. */
export type Step =
  { readonly call: string; readonly input: unknown } | { readonly wait: number } | { readonly sleep: number };

/** Answers in order; the last one stands for all that follow, an Error makes the activity fail. */
export interface Script {
  readonly input: unknown;
  readonly activities: Readonly<Record<string, readonly unknown[]>>;
  /** What becomes of each wait; without a word for it, it times out. */
  readonly waits?: readonly ("raised" | "timed out")[];
}

export interface Replayed {
  readonly steps: readonly Step[];
  /** The steps as one line each, for order alone: `call x`, `wait 5`. */
  readonly order: readonly string[];
  /** The most activities that were under way at one time. */
  readonly mostAtOnce: number;
  readonly failure?: string;
  readonly continuedAs?: unknown;
}

/** The numbers of the Durable Task framework for its events and of the SDK for its actions. */
const EVENT = {
  ExecutionStarted: 0,
  TaskScheduled: 4,
  TaskCompleted: 5,
  TaskFailed: 6,
  TimerCreated: 10,
  TimerFired: 11,
  Started: 12,
  Raised: 15,
};
const ACTION = { CallActivity: 0, ContinueAsNew: 4, CreateTimer: 5, WaitForExternalEvent: 6 };
const SCHEMA_V4 = 3;
const MAX_TURNS = 500;
const LONG = "36500.00:00:00";

interface Action {
  readonly actionType: number;
  readonly functionName?: string;
  readonly input?: unknown;
  readonly fireAt?: string;
  readonly externalEventName?: string;
  readonly isCanceled?: boolean;
  readonly compoundActions?: unknown;
}

function flatten(actions: unknown): Action[] {
  if (Array.isArray(actions)) return actions.flatMap(flatten);
  // The SDK's own actions: WhenAny and WhenAll hold others.
  const action = actions as Action;
  return action.compoundActions === undefined ? [action] : flatten(action.compoundActions);
}

/** Runs a real orchestration through the real SDK, turn by turn, and holds each replay against what was scheduled before. */
export async function replay(orchestration: OrchestrationHandler, script: Script): Promise<Replayed> {
  const run = new ScriptedRun(script);
  for (let turn = 0; turn < MAX_TURNS; turn += 1) {
    const context = new DummyOrchestrationContext("orchestration", "invocation", () => undefined);
    const input = new DurableOrchestrationInput("i1", run.history, script.input, LONG, LONG, 30_000, SCHEMA_V4);
    try {
      const { isDone, actions } = await createOrchestrator(orchestration)(input, context);
      const flat = flatten(actions);
      run.take(flat);
      if (!isDone) continue;
      const next = flat.find(({ actionType }) => actionType === ACTION.ContinueAsNew);
      return { ...run.told, ...(next && { continuedAs: next.input }) };
    } catch (error) {
      return { ...run.told, failure: error instanceof Error ? error.message : String(error) };
    }
  }
  throw new Error("the orchestration did not come to an end");
}

class ScriptedRun {
  readonly history: object[] = [];
  private readonly steps: Step[] = [];
  private readonly scheduled: string[] = [];
  private readonly answered = new Map<string, number>();
  private now = Date.parse("2030-01-01T00:00:00Z");
  private waitsSeen = 0;
  private mostAtOnce = 0;

  constructor(private readonly script: Script) {
    this.begin();
    this.add(EVENT.ExecutionStarted, { Name: "orchestration", Input: JSON.stringify(script.input) });
  }

  get told(): Pick<Replayed, "steps" | "order" | "mostAtOnce"> {
    const order = this.steps.map((step) =>
      "call" in step ? `call ${step.call}` : Object.entries(step).flat().join(" "),
    );
    return { steps: this.steps, order, mostAtOnce: this.mostAtOnce };
  }

  private add(EventType: number, fields: object): void {
    this.history.push({
      EventType,
      EventId: -1,
      IsPlayed: false,
      Timestamp: new Date(this.now).toISOString(),
      ...fields,
    });
  }

  private begin(): void {
    for (const event of this.history) Object.assign(event, { IsPlayed: true });
    this.add(EVENT.Started, {});
  }

  /** Schedules what is new and lets the next thing happen: all activities answer, else the open timer or its event comes. */
  take(actions: readonly Action[]): void {
    const tasks = actions.filter(
      ({ actionType }) => actionType === ACTION.CallActivity || actionType === ACTION.CreateTimer,
    );
    for (const [id, before] of this.scheduled.entries()) {
      if (nameOf(tasks[id]) !== before) throw new Error(`not deterministic: ${before} became ${nameOf(tasks[id])}`);
    }
    const fresh = tasks
      .slice(this.scheduled.length)
      .map((action, index) => ({ action, id: this.scheduled.length + index }));
    this.scheduled.push(...fresh.map(({ action }) => nameOf(action)));
    const atOnce = fresh.filter(({ action }) => action.actionType === ACTION.CallActivity).length;
    this.mostAtOnce = Math.max(this.mostAtOnce, atOnce);
    const waits = actions.filter(({ actionType }) => actionType === ACTION.WaitForExternalEvent);
    const raised = waits.length > this.waitsSeen ? this.script.waits?.[this.waitsSeen] : undefined;
    const isWait = waits.length > this.waitsSeen;
    this.waitsSeen = waits.length;
    const outcomes = fresh.map(({ action, id }) =>
      action.actionType === ACTION.CallActivity
        ? this.callActivity(action, id)
        : this.startTimer(action, { id, isWait }),
    );
    if (isWait && raised === "raised") {
      this.begin();
      this.add(EVENT.Raised, { Name: waits.at(-1)?.externalEventName, Input: "{}" });
      return;
    }
    for (const happen of outcomes) happen();
  }

  private callActivity(action: Action, id: number): () => void {
    const name = action.functionName ?? "";
    const count = this.answered.get(name) ?? 0;
    this.answered.set(name, count + 1);
    this.steps.push({ call: name, input: action.input });
    this.add(EVENT.TaskScheduled, { EventId: id, Name: name });
    return () => {
      const answers = this.script.activities[name];
      if (!answers) throw new Error(`the script has no answer for ${name}`);
      const answer = answers[Math.min(count, answers.length - 1)];
      this.begin();
      if (answer instanceof Error)
        this.add(EVENT.TaskFailed, { TaskScheduledId: id, Reason: answer.message, Details: "" });
      else this.add(EVENT.TaskCompleted, { TaskScheduledId: id, Result: JSON.stringify(answer ?? null) });
    };
  }

  private startTimer(action: Action, { id, isWait }: { id: number; isWait: boolean }): () => void {
    const FireAt = new Date(action.fireAt ?? "").toISOString();
    const seconds = (Date.parse(FireAt) - this.now) / 1000;
    this.steps.push(isWait ? { wait: seconds } : { sleep: seconds });
    this.add(EVENT.TimerCreated, { EventId: id, FireAt });
    return () => {
      this.now = Date.parse(FireAt);
      this.begin();
      this.add(EVENT.TimerFired, { TimerId: id, FireAt });
    };
  }
}

function nameOf(action: Action | undefined): string {
  return action === undefined ? "nothing" : (action.functionName ?? "timer");
}
