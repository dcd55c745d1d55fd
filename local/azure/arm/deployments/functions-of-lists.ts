import type { Arguments, TemplateFunction } from "./evaluate";
import { textOf } from "./functions-of-text";
import { isEqual, isList, isMap, type Json, type JsonMap, memberOf } from "./json-value";

/** https://learn.microsoft.com/azure/azure-resource-manager/templates/template-functions-array and -object, -lambda */
export const LIST_FUNCTIONS: Readonly<Record<string, TemplateFunction>> = {
  length: (given) => sizeOf(given),
  empty: (given) => given.value(0) === null || sizeOf(given) === 0,
  contains: (given) => contains(given),
  first: (given) => edge(given, 0),
  last: (given) => edge(given, -1),
  indexof: (given) => {
    const within = given.value(0);
    if (isList(within)) return within.findIndex((one) => isEqual(one, given.value(1)));
    return given.text(0).toLowerCase().indexOf(given.text(1).toLowerCase());
  },
  lastindexof: (given) => {
    const within = given.value(0);
    if (isList(within)) return within.findLastIndex((one) => isEqual(one, given.value(1)));
    return given.text(0).toLowerCase().lastIndexOf(given.text(1).toLowerCase());
  },
  take: (given) => cut(given, (length, count) => [0, Math.min(length, count)]),
  skip: (given) => cut(given, (length, count) => [Math.min(length, count), length]),
  array: (given) => (isList(given.value(0)) ? given.list(0) : [given.value(0)]),
  createarray: (given) => given.values(),
  createobject: (given) => {
    if (given.count % 2 !== 0) throw given.wrong("names and values must come in pairs");
    const pairs = Array.from({ length: given.count / 2 }, (_, index) => [
      given.text(index * 2),
      given.value(index * 2 + 1),
    ]);
    return Object.fromEntries(pairs) as JsonMap;
  },
  range: (given) => {
    const [start, count] = [given.integer(0), given.integer(1)];
    if (count < 0 || count > 10_000) throw given.wrong(`the count '${count}' must lie between 0 and 10000`);
    return Array.from({ length: count }, (_, index) => start + index);
  },
  union: (given) => {
    if (isList(given.value(0))) return unique(given.values().flatMap((_, index) => given.list(index)));
    return given.values().reduce<JsonMap>((all, _, index) => mergeDeep(all, given.map(index)), {});
  },
  intersection: (given) => {
    if (isList(given.value(0)))
      return given
        .values()
        .map((_, index) => given.list(index))
        .reduce((left, right) => unique(left.filter((one) => right.some((other) => isEqual(one, other)))));
    return given
      .values()
      .map((_, index) => given.map(index))
      .reduce((left, right) =>
        Object.fromEntries(Object.entries(left).filter(([name, value]) => isEqual(right[name], value))),
      );
  },
  items: (given) =>
    Object.entries(given.map(0))
      .toSorted(([left], [right]) => compare(left, right))
      .map(([key, value]) => ({ key, value })),
  objectkeys: (given) => Object.keys(given.map(0)).toSorted(compare),
  flatten: (given) => given.list(0).flatMap((one) => (isList(one) ? one : [one])),
  shallowmerge: (given) => Object.assign({}, ...given.list(0).filter(isMap)) as JsonMap,
  tryget: (given) => tryGet(given),
  map: (given) => {
    const apply = given.lambda(1);
    return given.list(0).map((one, index) => apply(one, index));
  },
  filter: (given) => {
    const apply = given.lambda(1);
    return given.list(0).filter((one, index) => apply(one, index) === true);
  },
  reduce: (given) => {
    const apply = given.lambda(2);
    return given.list(0).reduce<Json>((result, one, index) => apply(result, one, index), given.value(1));
  },
  toobject: (given) => {
    const [key, value] = [given.lambda(1), given.has(2) ? given.lambda(2) : (one: Json) => one];
    return Object.fromEntries(given.list(0).map((one) => [textOf(key(one)), value(one)]));
  },
  lambdavariables: (given) => {
    const found = memberOf(given.scope.lambdaVariables, given.text(0));
    if (found === undefined) throw given.wrong(`there is no lambda variable '${given.text(0)}'`);
    return found;
  },
};

const compare = (left: string, right: string): number => left.localeCompare(right, "en");

function sizeOf(given: Arguments): number {
  const value = given.value(0);
  if (typeof value === "string" || isList(value)) return value.length;
  if (isMap(value)) return Object.keys(value).length;
  throw given.unexpected(0, value, "a string, an array or an object");
}

function contains(given: Arguments): boolean {
  const within = given.value(0);
  if (isList(within)) return within.some((one) => isEqual(one, given.value(1)));
  if (isMap(within)) return memberOf(within, given.text(1)) !== undefined;
  return given.text(0).includes(textOf(given.value(1)));
}

function edge(given: Arguments, at: 0 | -1): Json {
  const value = given.value(0);
  if (typeof value === "string") return value.at(at) ?? "";
  const found = given.list(0).at(at);
  if (found === undefined) throw given.wrong("the array is empty");
  return found;
}

function cut(given: Arguments, bounds: (length: number, count: number) => [number, number]): Json {
  const value = given.value(0);
  const whole = typeof value === "string" ? value : given.list(0);
  return whole.slice(...bounds(whole.length, Math.max(0, given.integer(1))));
}

function unique(values: readonly Json[]): Json[] {
  return values.filter((one, index) => values.findIndex((other) => isEqual(one, other)) === index);
}

function mergeDeep(left: JsonMap, right: JsonMap): JsonMap {
  const merged = Object.entries(right).map(([name, value]) => {
    const before = left[name];
    return [name, isMap(before) && isMap(value) ? mergeDeep(before, value) : value];
  });
  return { ...left, ...(Object.fromEntries(merged) as JsonMap) };
}

function tryGet(given: Arguments): Json {
  let value = given.value(0);
  for (const key of given.values().slice(1)) {
    let next: Json | undefined;
    if (isList(value) && typeof key === "number") next = value[key];
    else if (isMap(value) && typeof key === "string") next = memberOf(value, key);
    if (next === undefined) return null;
    value = next;
  }
  return value;
}
