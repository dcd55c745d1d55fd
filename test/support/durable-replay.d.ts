/** The part of durable-functions 3.5.0 that runs an orchestrator without a host. It is no public interface, hence the pinned version. */
declare module "durable-functions/lib/src/util/testingUtils" {
  import type { DummyOrchestrationContext, OrchestrationHandler } from "durable-functions";

  export class DurableOrchestrationInput {
    readonly instanceId: string;
    constructor(
      instanceId: string,
      history: readonly object[],
      input: unknown,
      ...settings: [longTimers: string, shortTimers: string, httpSleepMs: number, schema: number]
    );
  }

  export interface OrchestratorResult {
    readonly isDone: boolean;
    readonly actions: readonly unknown[];
    readonly output?: unknown;
  }

  export function createOrchestrator(
    handler: OrchestrationHandler,
  ): (input: DurableOrchestrationInput, context: DummyOrchestrationContext) => Promise<OrchestratorResult>;
}
