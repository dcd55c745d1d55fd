import type { Binding } from "./rpc";
import { resolveSettings } from "./settings";
import type { Settings } from "./settings";

interface NameParts {
  readonly functionName: string;
  readonly binding: Binding;
  readonly settings: Settings;
}

/** The text of a binding's property with its `%SETTING%`s resolved. */
export function textOf(property: string, { functionName, binding, settings }: NameParts): string {
  const value = binding[property];
  if (typeof value !== "string" || value === "")
    throw new Error(`Function '${functionName}': its binding '${binding.name}' (${binding.type}) names no ${property}`);
  const text = resolveSettings(value, functionName, settings);
  if (/[{}]/.test(text))
    throw new Error(
      `Function '${functionName}': the binding expression '${text}' of '${binding.name}' (${binding.type}) is not simulated by this host`,
    );
  return text;
}
