import type { OrchestratorResult } from "./actions";

/** What the task hub asks of the host: to find and to run the app's orchestrators and activities. Names ignore case. */
export interface DurableFunctions {
  has(kind: "orchestration" | "activity", name: string): boolean;
  names(kind: "orchestration" | "activity"): readonly string[];
  runOrchestrator(name: string, trigger: string): Promise<OrchestratorResult>;
  /** Takes and gives JSON texts; throws what the activity throws. */
  runActivity(name: string, call: { input: string; instanceId: string }): Promise<string>;
}
