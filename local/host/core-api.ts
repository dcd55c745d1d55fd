import * as nodeModule from "node:module";
import type { FunctionCallback, FunctionMetadata, ProgrammingModel } from "./rpc";

export const HOOK_NAMES = ["appStart", "appTerminate", "preInvocation", "postInvocation", "log"] as const;
export type HookName = (typeof HOOK_NAMES)[number];
export type Hook = (context: Record<string, unknown>) => unknown;

export interface RegisteredFunction {
  readonly metadata: FunctionMetadata;
  readonly callback: FunctionCallback;
}

export type CoreLog = (level: string, category: string, message: string) => void;

/** The version that the newest real hosts report; libraries switch features by it. */
export const HOST_VERSION = "4.1043.200";

class Disposable {
  constructor(private readonly callOnDispose: () => void) {}

  static from(...items: { dispose(): unknown }[]): Disposable {
    return new Disposable(() => {
      for (const item of items) item.dispose();
    });
  }

  dispose(): void {
    this.callOnDispose();
  }
}

/** What the app registers while it is loaded: the host's side of the module `@azure/functions-core`. */
export class CoreApi {
  readonly functions: RegisteredFunction[] = [];
  readonly hooks = new Map<HookName, Hook[]>(HOOK_NAMES.map((name) => [name, []]));
  model: ProgrammingModel | undefined;

  constructor(private readonly log: CoreLog) {}

  hooksOf(name: HookName): readonly Hook[] {
    return this.hooks.get(name) ?? [];
  }

  /** The module's exports. */
  get exports(): Record<string, unknown> {
    return {
      version: "3.12.0",
      hostVersion: HOST_VERSION,
      workerConfig: {},
      Disposable,
      registerFunction: (metadata: FunctionMetadata, callback: FunctionCallback) =>
        this.registerFunction(metadata, callback),
      registerHook: (name: string, hook: Hook) => this.registerHook(name, hook),
      setProgrammingModel: (model: ProgrammingModel) => {
        this.model = model;
      },
      getProgrammingModel: () => this.model,
      log: (level: string, category: string, message: string) => this.log(level, category, message),
    };
  }

  private registerFunction(metadata: FunctionMetadata, callback: FunctionCallback): Disposable {
    const taken = this.functions.some((each) => each.metadata.name.toLowerCase() === metadata.name.toLowerCase());
    if (taken) throw new Error(`A function with the name '${metadata.name}' is already registered; names ignore case.`);
    const registered = { metadata, callback };
    this.functions.push(registered);
    return new Disposable(() => {
      this.functions.splice(this.functions.indexOf(registered), 1);
    });
  }

  private registerHook(name: string, hook: Hook): Disposable {
    // The app may give any string.
    const hooks = this.hooks.get(name as HookName);
    if (!hooks)
      throw Object.assign(new RangeError(`Unrecognized hook "${name}"`), { isAzureFunctionsSystemError: true });
    hooks.push(hook);
    return new Disposable(() => {
      hooks.splice(hooks.indexOf(hook), 1);
    });
  }
}

interface ModuleLoader {
  _load: (request: string, ...rest: unknown[]) => unknown;
}

/**
 * Makes `require("@azure/functions-core")` give the host's own object. The library asks once and remembers a failure for
 * ever, so this must happen before the first import of `@azure/functions`.
 */
export function installCoreApi(api: CoreApi): void {
  // Node's loader is no public API, but the real worker patches it as well, and CommonJS and ES modules both pass here.
  const loader = nodeModule.Module as unknown as ModuleLoader;
  const load = loader._load;
  const { exports } = api;
  loader._load = function (request, ...rest) {
    return request === "@azure/functions-core" ? exports : load.call(this, request, ...rest);
  };
}
