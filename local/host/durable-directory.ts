import type { OrchestratorResult } from "../durable/actions";
import type { DurableFunctions, EntityBatchResult, FunctionKind as Kind } from "../durable/functions";
import type { RegisteredFunction } from "./core-api";
import type { Invoker } from "./invoker";
import type { TypedData } from "./rpc";

const TRIGGER_TYPES: Readonly<Record<Kind, string>> = {
  orchestration: "orchestrationtrigger",
  activity: "activitytrigger",
  entity: "entitytrigger",
};

/** The app's orchestrators, activities and entities, as the task hub calls them. */
export class DurableDirectory implements DurableFunctions {
  private readonly byName: Readonly<Record<Kind, ReadonlyMap<string, RegisteredFunction>>>;

  constructor(
    functions: readonly RegisteredFunction[],
    private readonly invoker: Invoker,
  ) {
    this.byName = {
      orchestration: indexOf(functions, "orchestration"),
      activity: indexOf(functions, "activity"),
      entity: indexOf(functions, "entity"),
    };
  }

  has(kind: Kind, name: string): boolean {
    return this.byName[kind].has(name.toLowerCase());
  }

  names(kind: Kind): readonly string[] {
    return [...this.byName[kind].values()].map(({ metadata }) => metadata.name);
  }

  async runOrchestrator(name: string, trigger: string): Promise<OrchestratorResult> {
    // The SDK's own object is taken, not its JSON: only there can a task be told from its repetition.
    return (await this.invoker.resultOf(this.find("orchestration", name), {
      data: { string: trigger },
    })) as OrchestratorResult;
  }

  async runActivity(name: string, { input, instanceId }: { input: string; instanceId: string }): Promise<string> {
    const trigger = { data: { json: input }, metadata: { instanceId: { string: instanceId } } };
    const { returnValue } = await this.invoker.invoke(this.find("activity", name), trigger);
    return jsonOf(returnValue);
  }

  async runEntity(name: string, trigger: string): Promise<EntityBatchResult> {
    return (await this.invoker.resultOf(this.find("entity", name), { data: { string: trigger } })) as EntityBatchResult;
  }

  private find(kind: Kind, name: string): RegisteredFunction {
    const fn = this.byName[kind].get(name.toLowerCase());
    if (!fn) throw new Error(`The app has no ${kind} '${name}'`);
    return fn;
  }
}

function indexOf(functions: readonly RegisteredFunction[], kind: Kind): ReadonlyMap<string, RegisteredFunction> {
  const ofKind = functions.filter(({ metadata }) =>
    Object.values(metadata.bindings).some(({ type }) => type.toLowerCase() === TRIGGER_TYPES[kind]),
  );
  return new Map(ofKind.map((fn) => [fn.metadata.name.toLowerCase(), fn]));
}

function jsonOf(value: TypedData | null | undefined): string {
  if (!value) return "null";
  const { json, string, bytes, int, double } = value;
  if (json !== undefined) return json;
  if (bytes) return JSON.stringify(Buffer.from(bytes).toString("base64"));
  return JSON.stringify(string ?? int ?? double ?? null);
}
