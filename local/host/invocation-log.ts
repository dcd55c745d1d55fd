import type { RegisteredFunction } from "./core-api";
import { describeError } from "./log";
import type { Log } from "./log";
import type { LogLevels } from "./log-level";

/** What an invocation's two lines say about it. */
export interface InvocationFacts {
  readonly fn: RegisteredFunction;
  readonly invocationId: string;
  readonly reason?: string | undefined;
  readonly details?: string | undefined;
}

/** What a failed orchestrator carries behind its message is its whole state, and no text for people. */
const ORCHESTRATOR_STATE = "\n\n$OutOfProcData$";

/** The lines that the real host writes about each invocation (azure-webjobs-sdk, LoggerExtensions). */
export class InvocationLog {
  constructor(
    private readonly log: Log,
    private readonly levels: LogLevels,
  ) {}

  started({ fn, invocationId, reason, details }: InvocationFacts): void {
    if (!this.levels.isShown("information", `Function.${fn.metadata.name}`)) return;
    this.log(`Executing 'Functions.${fn.metadata.name}' (Reason='${reason ?? "(null)"}', Id=${invocationId})`);
    if (details !== undefined) this.log(`Trigger Details: ${details}`);
  }

  succeeded({ fn, invocationId }: InvocationFacts, startedAt: number): void {
    if (!this.levels.isShown("information", `Function.${fn.metadata.name}`)) return;
    this.log(
      `Executed 'Functions.${fn.metadata.name}' (Succeeded, Id=${invocationId}, Duration=${since(startedAt)}ms)`,
    );
  }

  failed({ fn, invocationId }: InvocationFacts, startedAt: number, error: unknown): void {
    if (!this.levels.isShown("error", `Function.${fn.metadata.name}`)) return;
    const { name } = fn.metadata;
    const what = describeError(error).split(ORCHESTRATOR_STATE)[0];
    this.log(`Executed 'Functions.${name}' (Failed, Id=${invocationId}, Duration=${since(startedAt)}ms)`);
    this.log(`Exception while executing function: Functions.${name}. Result: Failure\nException: ${what ?? ""}`);
  }

  /** What the function itself says, or its library. */
  said({ fn, invocationId }: InvocationFacts, entry: { level: string; category: string; message: string }): void {
    const category = `Function.${fn.metadata.name}${entry.category === "user" ? ".User" : ""}`;
    if (this.levels.isShown(entry.level, category))
      this.log(`[${fn.metadata.name} ${invocationId}] ${entry.level}: ${entry.message}`);
  }
}

function since(startedAt: number): number {
  return Math.round(performance.now() - startedAt);
}
