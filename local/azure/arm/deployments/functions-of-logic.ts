import type { Arguments, TemplateFunction } from "./evaluate";
import { isEqual, isList, type Json, kindOf, textOf } from "./json-value";

/** https://learn.microsoft.com/azure/azure-resource-manager/templates/template-functions-logical, -comparison and -numeric */
export const LOGIC_FUNCTIONS: Readonly<Record<string, TemplateFunction>> = {
  if: (given) => (given.flag(0) ? given.value(1) : given.value(2)),
  and: (given) => every(given, true),
  or: (given) => !every(given, false),
  not: (given) => !given.flag(0),
  bool: (given) => toBool(given),
  true: () => true,
  false: () => false,
  null: () => null,
  equals: (given) => isEqual(given.value(0), given.value(1)),
  less: (given) => order(given) < 0,
  lessorequals: (given) => order(given) <= 0,
  greater: (given) => order(given) > 0,
  greaterorequals: (given) => order(given) >= 0,
  coalesce: (given) => {
    for (let index = 0; index < given.count; index += 1) {
      const value = given.value(index);
      if (value !== null) return value;
    }
    return null;
  },
  json: (given) => {
    try {
      return JSON.parse(given.text(0)) as Json;
    } catch (error) {
      throw given.wrong(`the text is no JSON: ${error instanceof Error ? error.message : String(error)}`);
    }
  },
  int: (given) => {
    const value = given.value(0);
    const number = typeof value === "string" ? Number(value) : value;
    if (typeof number === "number" && Number.isFinite(number) && value !== "") return Math.trunc(number);
    throw given.wrong(`'${textOf(value)}' is no integer`);
  },
  add: (given) => given.integer(0) + given.integer(1),
  sub: (given) => given.integer(0) - given.integer(1),
  mul: (given) => given.integer(0) * given.integer(1),
  div: (given) => Math.trunc(given.integer(0) / divisor(given)),
  mod: (given) => given.integer(0) % divisor(given),
  min: (given) => Math.min(...numbers(given)),
  max: (given) => Math.max(...numbers(given)),
};

function every(given: Arguments, wanted: boolean): boolean {
  for (let index = 0; index < given.count; index += 1) if (given.flag(index) !== wanted) return false;
  return true;
}

function toBool(given: Arguments): boolean {
  const value = given.value(0);
  if (typeof value === "boolean") return value;
  if (typeof value === "number") return value !== 0;
  if (typeof value === "string" && /^(true|1)$/i.test(value)) return true;
  if (typeof value === "string" && /^(false|0)$/i.test(value)) return false;
  throw given.wrong(`a value of type '${kindOf(value)}' is no boolean`);
}

function order(given: Arguments): number {
  const [left, right] = [given.value(0), given.value(1)];
  if (typeof left === "number" && typeof right === "number") return left - right;
  if (typeof left === "string" && typeof right === "string" && left !== right) return left < right ? -1 : 1;
  if (left === right) return 0;
  throw given.wrong("two integers or two strings are expected");
}

function divisor(given: Arguments): number {
  const value = given.integer(1);
  if (value === 0) throw given.wrong("the divisor is zero");
  return value;
}

function numbers(given: Arguments): number[] {
  const values = given.count === 1 && isList(given.value(0)) ? given.list(0) : given.values();
  if (values.length === 0) throw given.wrong("there are no values");
  return values.map((value) => {
    if (typeof value === "number") return value;
    throw given.wrong(`a value of type '${kindOf(value)}' is no integer`);
  });
}
