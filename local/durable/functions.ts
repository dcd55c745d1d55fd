import type { OrchestratorResult } from "./actions";

export type FunctionKind = "orchestration" | "activity" | "entity";

/** What an entity's function gives for a batch of operations; states, inputs and results are JSON texts. */
export interface EntityBatchResult {
  readonly results: readonly { readonly isError: boolean; readonly result?: string }[];
  readonly signals: readonly EntitySignal[];
  readonly entityExists: boolean;
  readonly entityState?: string;
}

export interface EntitySignal {
  readonly target: { readonly name: string; readonly key: string };
  readonly name: string;
  readonly input: string;
}

/** What the task hub asks of the host: to find and to run the app's orchestrators, activities and entities. Names ignore case. */
export interface DurableFunctions {
  has(kind: FunctionKind, name: string): boolean;
  names(kind: FunctionKind): readonly string[];
  runOrchestrator(name: string, trigger: string): Promise<OrchestratorResult>;
  /** Takes and gives JSON texts; throws what the activity throws. */
  runActivity(name: string, call: { input: string; instanceId: string }): Promise<string>;
  /** Throws only when the whole batch failed: an operation's own error is part of the result. */
  runEntity(name: string, trigger: string): Promise<EntityBatchResult>;
}
