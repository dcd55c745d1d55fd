import { setTimeout as pause } from "node:timers/promises";
import type { RegisteredFunction } from "./core-api";
import { triggerKindOf } from "./bindings";
import { describeError } from "./log";
import type { Log } from "./log";
import type { RetryContext } from "./rpc";

/** A duration as the library hands it over: whole seconds, in a number or in a 64-bit integer object. */
interface RpcDuration {
  readonly seconds: unknown;
}

interface RpcRetryOptions {
  readonly maxRetryCount?: number;
  readonly retryStrategy?: string;
  readonly delayInterval?: RpcDuration;
  readonly minimumInterval?: RpcDuration;
  readonly maximumInterval?: RpcDuration;
}

export interface RetryPolicy {
  /** Undefined: for ever. */
  readonly maxRetryCount: number | undefined;
  delayMs(retry: number): number;
}

/** Of the triggers that fire here, Azure runs retry policies of timers only (docs: Azure Functions error handling and retries). */
export function retryPolicyOf(fn: RegisteredFunction, log: Log): RetryPolicy | undefined {
  // The library builds these options from what its types allow.
  const options = fn.metadata.retryOptions as RpcRetryOptions | undefined;
  if (options === undefined) return undefined;
  if (triggerKindOf(fn) !== "timertrigger") {
    log(`Retries are not supported for function 'Functions.${fn.metadata.name}'.`);
    return undefined;
  }
  const { maxRetryCount = 0, retryStrategy } = options;
  const limit = maxRetryCount < 0 ? undefined : maxRetryCount;
  if (retryStrategy === "fixedDelay") {
    const delayMs = msOf(options.delayInterval);
    return { maxRetryCount: limit, delayMs: () => delayMs };
  }
  const [minimumMs, maximumMs] = [msOf(options.minimumInterval), msOf(options.maximumInterval)];
  return { maxRetryCount: limit, delayMs: (retry) => Math.min(minimumMs * 2 ** (retry - 1), maximumMs) };
}

interface RetriedRun {
  readonly policy: RetryPolicy | undefined;
  readonly log: Log;
  readonly signal: AbortSignal;
  readonly run: (retryContext: RetryContext | undefined) => Promise<unknown>;
}

/** Runs until it succeeds, the policy has no retry left, or the host stops. The first run has no retry context, as on Azure. */
export async function runWithRetries({ policy, log, signal, run }: RetriedRun): Promise<void> {
  let context: RetryContext | undefined;
  for (let retry = 1; ; retry += 1) {
    try {
      await run(context);
      return;
    } catch (error) {
      if (!policy || signal.aborted) return;
      const { maxRetryCount } = policy;
      if (maxRetryCount !== undefined && retry > maxRetryCount) {
        log(`Function execution failed after '${retry - 1}' retries.`);
        return;
      }
      context = { retryCount: retry, maxRetryCount: maxRetryCount ?? -1, exception: exceptionOf(error) };
      if (!(await waited(policy.delayMs(retry), signal))) return;
    }
  }
}

async function waited(ms: number, signal: AbortSignal): Promise<boolean> {
  try {
    await pause(ms, undefined, { signal });
    return true;
  } catch {
    return false;
  }
}

function exceptionOf(error: unknown): RetryContext["exception"] {
  const message = error instanceof Error ? error.message : String(error);
  return { source: "", stackTrace: describeError(error), message };
}

function msOf(duration: RpcDuration | undefined): number {
  return Number(duration?.seconds ?? 0) * 1000;
}
