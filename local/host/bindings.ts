import type { RegisteredFunction } from "./core-api";
import type { Binding } from "./rpc";

/** What fires functions here, in lower case. */
const TRIGGERS = new Set([
  "httptrigger",
  "timertrigger",
  "servicebustrigger",
  "queuetrigger",
  "eventgridtrigger",
  "orchestrationtrigger",
  "activitytrigger",
  "entitytrigger",
]);

export function isTrigger({ type }: Binding): boolean {
  return /trigger$/i.test(type);
}

export function isDurableClient({ type }: Binding): boolean {
  return type === "durableClient" || type === "orchestrationClient";
}

export function triggerOf({ metadata }: RegisteredFunction): Binding {
  const trigger = Object.values(metadata.bindings).find(isTrigger);
  if (!trigger) throw new Error(`Function '${metadata.name}' has no trigger`);
  return trigger;
}

/** The kind of a trigger in lower case, undefined when nothing fires it here. */
export function triggerKindOf(fn: RegisteredFunction): string | undefined {
  const kind = triggerOf(fn).type.toLowerCase();
  return TRIGGERS.has(kind) ? kind : undefined;
}

/** Why this host cannot run a function; undefined when it can. Its data would silently be missing otherwise. */
export function refusalOf({ metadata }: RegisteredFunction): string | undefined {
  for (const binding of Object.values(metadata.bindings)) {
    if (wantsSdkType(binding))
      return `The '${metadata.name}' function is in error: the binding '${binding.name}' asks for a type of the service's client (sdkBinding), which this host does not simulate.`;
    if (isTrigger(binding) || isSupported(binding)) continue;
    const direction = binding.direction === "out" ? "output" : "input";
    return `The '${metadata.name}' function is in error: the ${direction} binding '${binding.name}' is of type '${binding.type}', which this host does not simulate. Use the service's client in the function's code instead.`;
  }
  return undefined;
}

/** `sdkBinding: true`: the function wants a client in place of the data. */
function wantsSdkType({ properties }: Binding): boolean {
  if (typeof properties !== "object" || properties === null) return false;
  return "supportsDeferredBinding" in properties && properties.supportsDeferredBinding === "true";
}

function isSupported(binding: Binding): boolean {
  if (binding.direction !== "out") return isDurableClient(binding);
  return ["http", "servicebus", "queue"].includes(binding.type.toLowerCase());
}
