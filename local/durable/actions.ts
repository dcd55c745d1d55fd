import type { RetryOptions, SentKind } from "./history";

/** The numbers of the SDK's actions. */
export const ActionType = {
  CallActivity: 0,
  CallActivityWithRetry: 1,
  CallSubOrchestrator: 2,
  CallSubOrchestratorWithRetry: 3,
  ContinueAsNew: 4,
  CreateTimer: 5,
  WaitForExternalEvent: 6,
  CallEntity: 7,
  CallHttp: 8,
  SignalEntity: 9,
  WhenAny: 11,
  WhenAll: 12,
  Lock: 13,
  ReleaseLocks: 14,
} as const;

/** An HTTP call of an orchestration, as `context.df.callHttp` describes it. */
export interface DurableHttpRequest {
  readonly method?: string;
  readonly uri?: string;
  readonly content?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly tokenSource?: { readonly kind?: string; readonly resource?: string };
  readonly asynchronousPatternEnabled?: boolean;
}

/** One action as the SDK hands it over; which fields are there depends on `actionType`. */
export interface Action {
  readonly actionType: number;
  readonly functionName?: string;
  readonly instanceId?: string | null;
  readonly input?: unknown;
  readonly version?: string;
  readonly retryOptions?: RetryOptions;
  readonly fireAt?: Date | string;
  readonly isCanceled?: boolean;
  readonly compoundActions?: readonly Action[];
  readonly operation?: string;
  readonly lockRequestId?: string;
  readonly lockSet?: readonly { readonly name: string; readonly key: string }[];
  readonly httpRequest?: DurableHttpRequest;
}

/** What an orchestrator's invocation returns: all actions since the start of the execution, not only the new ones. */
export interface OrchestratorResult {
  readonly isDone: boolean;
  readonly actions: readonly (readonly Action[])[];
  readonly output?: unknown;
  readonly error?: string;
  readonly customStatus?: unknown;
}

export type TaskKind = "activity" | "sub-orchestration" | "timer" | "HTTP call" | SentKind;

const KINDS = new Map<number, TaskKind>([
  [ActionType.CallActivity, "activity"],
  [ActionType.CallActivityWithRetry, "activity"],
  [ActionType.CallSubOrchestrator, "sub-orchestration"],
  [ActionType.CallSubOrchestratorWithRetry, "sub-orchestration"],
  [ActionType.CreateTimer, "timer"],
  [ActionType.CallHttp, "HTTP call"],
  [ActionType.CallEntity, "call"],
  [ActionType.SignalEntity, "signal"],
  [ActionType.Lock, "lock"],
  [ActionType.ReleaseLocks, "release"],
]);

const WITHOUT_TASK: ReadonlySet<number> = new Set([ActionType.ContinueAsNew, ActionType.WaitForExternalEvent]);

export function kindOf(action: Action): TaskKind | undefined {
  return KINDS.get(action.actionType);
}

export interface ActionList {
  /** The actions that schedule a task, in the order in which the SDK numbers them. */
  readonly tasks: readonly Action[];
  readonly continueAsNew: Action | undefined;
  /** Why this host cannot go on with the instance, undefined when it can. */
  readonly refusal: string | undefined;
}

/** Flattens `Task.all` and `Task.any`, and finds what no host can carry out. */
export function readActions(result: OrchestratorResult): ActionList {
  const leaves: Action[] = [];
  for (const list of result.actions) flatten(list, leaves);
  const tasks: Action[] = [];
  const seen = new Set<Action>();
  let continueAsNew: Action | undefined;
  let refusal: string | undefined;
  for (const action of leaves) {
    if (action.actionType === ActionType.ContinueAsNew) continueAsNew = action;
    if (kindOf(action) === undefined) {
      if (!WITHOUT_TASK.has(action.actionType)) refusal ??= `action ${action.actionType} is not simulated by this host`;
      continue;
    }
    // The SDK lists a task again when it stands in a second Task.any or Task.all. Azure then schedules it again and every
    // later id is off by one: results reach the wrong tasks.
    if (seen.has(action)) refusal ??= relisted(action);
    seen.add(action);
    tasks.push(action);
  }
  return { tasks, continueAsNew, refusal };
}

function relisted(action: Action): string {
  return (
    `${kindOf(action) ?? "task"} ${action.functionName ?? ""} was already scheduled and stands in a second Task.any or Task.all: ` +
    "Azure would run it twice and mix up the results. Yield the task itself, or wait for all of them at once."
  );
}

function flatten(actions: readonly Action[], into: Action[]): void {
  for (const action of actions) {
    if (action.compoundActions) flatten(action.compoundActions, into);
    else into.push(action);
  }
}
