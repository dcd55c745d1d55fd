import { randomUUID } from "node:crypto";
import type { CoreApi, Hook, RegisteredFunction } from "./core-api";
import { describeError } from "./log";
import type { Log } from "./log";
import { isShown } from "./log-level";
import type {
  Binding,
  CoreInvocationContext,
  InvocationModel,
  InvocationResponse,
  ProgrammingModel,
  TypedData,
} from "./rpc";

export interface TriggerData {
  readonly data: TypedData;
  readonly metadata?: Record<string, TypedData>;
}

export interface InvokerOptions {
  readonly api: CoreApi;
  readonly log: Log;
  readonly timeoutMs: number | undefined;
  readonly logLevel: string;
  /** The durable client's payload, for the functions that ask for one. */
  readonly durableClient: () => string;
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
    return (await this.run(fn, trigger)).result;
  }

  async invoke(fn: RegisteredFunction, trigger: TriggerData): Promise<InvocationResponse> {
    const { model, context, result } = await this.run(fn, trigger);
    return model.getResponse(context, result);
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

  private async run(fn: RegisteredFunction, trigger: TriggerData): Promise<Run> {
    const invocationId = randomUUID();
    this.running.set(invocationId, { name: fn.metadata.name, startedAt: Date.now() });
    try {
      return await this.pipeline(fn, this.coreContext(fn, { ...trigger, invocationId }));
    } finally {
      this.running.delete(invocationId);
      if (this.running.size === 0) for (const wake of this.idleWaiters.splice(0)) wake();
    }
  }

  private async pipeline(fn: RegisteredFunction, core: CoreInvocationContext): Promise<Run> {
    const { api } = this.options;
    const model = await programmingModelOf(api).getInvocationModel(core);
    const { context: invocationContext, inputs } = await model.getArguments();
    const shared = { hookData: {}, appHookData: this.appHookData, invocationContext };
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
    { metadata }: RegisteredFunction,
    trigger: TriggerData & { invocationId: string },
  ): CoreInvocationContext {
    const { invocationId } = trigger;
    const inputData = Object.values(metadata.bindings).flatMap((binding) => {
      const data = isTrigger(binding) ? trigger.data : this.extraInput(binding);
      return data ? [{ name: binding.name, data }] : [];
    });
    const request = { invocationId, functionId: metadata.name, inputData, triggerMetadata: trigger.metadata ?? {} };
    const core: CoreInvocationContext = {
      invocationId,
      request,
      metadata,
      log: (level, category, message) => this.log(core, { level, category, message }),
    };
    return core;
  }

  /** The app's `log` hooks may change what is said, and how important it is. */
  private log(
    { metadata, invocationId }: CoreInvocationContext,
    entry: { level: string; category: string; message: string },
  ): void {
    const said = { ...entry, hookData: {}, appHookData: this.appHookData };
    for (const hook of this.options.api.hooksOf("log")) hook(said);
    if (isShown(said.level, this.options.logLevel))
      this.options.log(`[${metadata.name} ${invocationId}] ${said.level}: ${said.message}`);
  }

  private extraInput(binding: Binding): TypedData | undefined {
    return isDurableClient(binding) ? { string: this.options.durableClient() } : undefined;
  }

  private findOverdue(timeoutMs: number): void {
    const latestStart = Date.now() - timeoutMs;
    for (const { name, startedAt } of this.running.values()) if (startedAt < latestStart) this.options.onTimeout(name);
  }
}

export function isTrigger({ type }: Binding): boolean {
  return /trigger$/i.test(type);
}

export function isDurableClient({ type }: Binding): boolean {
  return type === "durableClient" || type === "orchestrationClient";
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
