export type Json = string | number | boolean | null | readonly Json[] | JsonMap;
export interface JsonMap {
  readonly [name: string]: Json;
}

export const isMap = (value: unknown): value is JsonMap =>
  typeof value === "object" && value !== null && !Array.isArray(value);

export const isList = (value: Json | undefined): value is readonly Json[] => Array.isArray(value);

/** The member of a name, whatever its case: template expressions do not tell case in names. */
export function memberOf(map: JsonMap, name: string): Json | undefined {
  if (Object.hasOwn(map, name)) return map[name];
  const key = Object.keys(map).find((one) => one.toLowerCase() === name.toLowerCase());
  return key === undefined ? undefined : map[key];
}

/** The order of members does not count. */
export function isEqual(left: Json | undefined, right: Json | undefined): boolean {
  if (left === right) return true;
  if (isList(left) && isList(right))
    return left.length === right.length && left.every((one, index) => isEqual(one, right[index]));
  if (!isMap(left) || !isMap(right)) return false;
  const names = Object.keys(left);
  return (
    names.length === Object.keys(right).length &&
    names.every((name) => Object.hasOwn(right, name) && isEqual(left[name], right[name]))
  );
}

/** What templates call the kinds of values. */
export function kindOf(value: Json): string {
  if (value === null) return "Null";
  if (isList(value)) return "Array";
  if (typeof value === "number") return Number.isInteger(value) ? "Integer" : "Float";
  return { string: "String", boolean: "Boolean", object: "Object" }[typeof value as "string" | "boolean" | "object"];
}

/** A value as a template's text shows it: a string as it is, anything else as JSON. */
export const textOf = (value: Json | undefined): string =>
  typeof value === "string" ? value : JSON.stringify(value ?? null);
