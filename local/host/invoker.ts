import { randomUUID } from "node:crypto";
import { isDurableClient, isTrigger } from "./bindings";
import type { CoreApi, Hook, RegisteredFunction } from "./core-api";
import type { InvocationFacts, InvocationLog } from "./invocation-log";
import { describeError } from "./log";
import type {
  Binding,
  CoreInvocationContext,
  InvocationModel,
  InvocationResponse,
  ProgrammingModel,
  RetryContext,
  TypedData,
} from "./rpc";

export interface TriggerData {
  readonly data: TypedData;
  readonly metadata?: Record<string, TypedData>;
  /** Why the function runs, as the host's log says it. */
  readonly reason?: string;
  readonly details?: string;
  readonly retryContext?: RetryContext | undefined;
  /** Chosen by a trigger that must know it before; random otherwise. */
  readonly invocationId?: string;
  /** A trigger's last word on what the function gave back, before it becomes a response. */
  readonly shapeResult?: (result: unknown) => unknown;
}

export interface InvokerOptions {
  readonly api: CoreApi;
  readonly log: InvocationLog;
  readonly timeoutMs: number | undefined;
  /** The durable client's payload, for the functions that ask for one. */
  readonly durableClient: () => string;
  /** Carries out the function's output bindings. */
  readonly emitOutputs: (fn: RegisteredFunction, response: InvocationResponse) => Promise<void>;
  /** An invocation ran over its time: the real host then restarts the whole worker. */
  readonly onTimeout: (functionName: string) => void;
}

interface Run {
  readonly model: InvocationModel;
  readonly context: unknown;
  readonly result: unknown;
}

const TIMEOUT_SWEEP_MS = 1_000;

/** Runs functions the way the Functions worker does: arguments, hooks, handler, hooks, response. */
export class Invoker {
  private readonly appHookData: Record<string, unknown> = {};
  private readonly running = new Map<string, { readonly name: string; readonly startedAt: number }>();
  private readonly sweep: NodeJS.Timeout | undefined;
  private idleWaiters: (() => void)[] = [];

  constructor(private readonly options: InvokerOptions) {
    const { timeoutMs } = options;
    if (timeoutMs !== undefined) this.sweep = setInterval(() => this.findOverdue(timeoutMs), TIMEOUT_SWEEP_MS).unref();
  }

  async appHook(name: "appStart" | "appTerminate"): Promise<void> {
    await runHooks(this.options.api.hooksOf(name), { hookData: {}, appHookData: this.appHookData });
  }

  /** The handler's own result, for callers that know its shape. */
  async resultOf(fn: RegisteredFunction, trigger: TriggerData): Promise<unknown> {
    return this.run(fn, trigger, (run) => Promise.resolve(run.result));
  }

  async invoke(fn: RegisteredFunction, trigger: TriggerData): Promise<InvocationResponse> {
    return this.run(fn, trigger, async ({ model, context, result }) => {
      const response = await model.getResponse(context, trigger.shapeResult ? trigger.shapeResult(result) : result);
      await this.options.emitOutputs(fn, response);
      return response;
    });
  }

  /** Resolves when nothing runs any more, or after that time; false means that something was still running. */
  async drain(timeoutMs: number): Promise<boolean> {
    clearInterval(this.sweep);
    if (this.running.size === 0) return true;
    const { promise, resolve } = Promise.withResolvers<boolean>();
    const handle = setTimeout(() => resolve(false), timeoutMs);
    this.idleWaiters.push(() => resolve(true));
    const drained = await promise;
    clearTimeout(handle);
    return drained;
  }

  private async run<T>(fn: RegisteredFunction, trigger: TriggerData, finish: (run: Run) => Promise<T>): Promise<T> {
    const { log } = this.options;
    const facts = { ...trigger, fn, invocationId: trigger.invocationId ?? randomUUID() };
    const startedAt = performance.now();
    this.running.set(facts.invocationId, { name: fn.metadata.name, startedAt: Date.now() });
    log.started(facts);
    try {
      const result = await finish(await this.pipeline(fn, facts));
      log.succeeded(facts, startedAt);
      return result;
    } catch (error) {
      log.failed(facts, startedAt, error);
      throw error;
    } finally {
      this.running.delete(facts.invocationId);
      if (this.running.size === 0) for (const wake of this.idleWaiters.splice(0)) wake();
    }
  }

  private async pipeline(fn: RegisteredFunction, facts: TriggerData & InvocationFacts): Promise<Run> {
    const { api } = this.options;
    const shared: Record<string, unknown> = { hookData: {}, appHookData: this.appHookData };
    const core = this.coreContext(facts, shared);
    const model = await programmingModelOf(api).getInvocationModel(core);
    const { context: invocationContext, inputs } = await model.getArguments();
    shared["invocationContext"] = invocationContext;
    const before = { ...shared, inputs, functionCallback: fn.callback };
    core.state = "preInvocationHooks";
    const hooks = { before: api.hooksOf("preInvocation"), after: api.hooksOf("postInvocation") };
    if (hooks.before.length > 0) await runHooks(hooks.before, before);
    core.state = "invocation";
    const after: { result: unknown; error: unknown } = { result: undefined, error: undefined };
    try {
      after.result = await model.invokeFunction(invocationContext, before.inputs, before.functionCallback);
    } catch (error) {
      after.error = error ?? new Error("The function threw nothing at all");
    }
    const hookContext = { ...shared, inputs: before.inputs, ...after };
    core.state = "postInvocationHooks";
    if (hooks.after.length > 0) await runHooks(hooks.after, hookContext);
    if (hookContext.error !== undefined && hookContext.error !== null) throw toError(hookContext.error);
    return { model, context: invocationContext, result: hookContext.result };
  }

  private coreContext(
    facts: TriggerData & InvocationFacts,
    shared: Readonly<Record<string, unknown>>,
  ): CoreInvocationContext {
    const { invocationId, fn, data, metadata = {}, retryContext } = facts;
    const inputData = Object.values(fn.metadata.bindings).flatMap((binding) => {
      const input = isTrigger(binding) ? data : this.extraInput(binding);
      return input ? [{ name: binding.name, data: input }] : [];
    });
    const request = { invocationId, functionId: fn.metadata.name, inputData, triggerMetadata: metadata };
    return {
      invocationId,
      request: retryContext ? { ...request, retryContext } : request,
      metadata: fn.metadata,
      log: (level, category, message) => this.log(facts, { level, category, message, ...shared }),
    };
  }

  /** The app's `log` hooks may change what is said, and how important it is. */
  private log(facts: InvocationFacts, said: { level: string; category: string; message: string }): void {
    for (const hook of this.options.api.hooksOf("log")) hook(said);
    this.options.log.said(facts, said);
  }

  private extraInput(binding: Binding): TypedData | undefined {
    return isDurableClient(binding) ? { string: this.options.durableClient() } : undefined;
  }

  private findOverdue(timeoutMs: number): void {
    const latestStart = Date.now() - timeoutMs;
    for (const { name, startedAt } of this.running.values()) if (startedAt < latestStart) this.options.onTimeout(name);
  }
}

export function programmingModelOf({ model }: CoreApi): ProgrammingModel {
  if (!model)
    throw new Error(
      'The app registered no function: it must import "@azure/functions" version 4 (package.json "main")',
    );
  return model;
}

/** A host must not fall over what an app throws, even if it is no error. */
function toError(thrown: unknown): Error {
  return thrown instanceof Error ? thrown : new Error(describeError(thrown));
}

async function runHooks(hooks: readonly Hook[], context: Record<string, unknown>): Promise<void> {
  for (const hook of hooks) await hook(context);
}
