import { compareValues, isNothing, textOfValue } from "./kql-values";

const MAX_TEXT = 100_000;

function timeOf(value: unknown): Date | undefined {
  if (value instanceof Date) return value;
  const time = new Date(textOfValue(value));
  return Number.isNaN(time.getTime()) ? undefined : time;
}

function numberOf(value: unknown): number | undefined {
  if (isNothing(value) || value === "") return undefined;
  const number = Number(value instanceof Date ? value.getTime() : value);
  return Number.isNaN(number) ? undefined : number;
}

function wholeOf(value: unknown): number | undefined {
  const number = numberOf(value);
  return number === undefined ? undefined : Math.trunc(number);
}

function booleanOf(value: unknown): boolean | undefined {
  const text = textOfValue(value).toLowerCase();
  if (text !== "true" && text !== "false") return undefined;
  return text === "true";
}

const isEmpty = (value: unknown): boolean => isNothing(value) || value === "";

/** Scalar functions of the queries in use. https://learn.microsoft.com/azure/governance/resource-graph/concepts/query-language */
export const FUNCTIONS: Readonly<Record<string, (args: readonly unknown[]) => unknown>> = {
  tolower: ([value]) => textOfValue(value).toLowerCase(),
  toupper: ([value]) => textOfValue(value).toUpperCase(),
  tostring: ([value]) => textOfValue(value),
  toint: ([value]) => wholeOf(value),
  tolong: ([value]) => wholeOf(value),
  todouble: ([value]) => numberOf(value),
  tobool: ([value]) => booleanOf(value),
  todatetime: ([value]) => timeOf(value),
  datetime: ([value]) => timeOf(value),
  now: () => new Date(),
  ago: ([span]) => new Date(Date.now() - (numberOf(span) ?? 0)),
  strcat: (args) => args.map(textOfValue).join("").slice(0, MAX_TEXT),
  strlen: ([value]) => textOfValue(value).length,
  substring: ([value, from, length]) => {
    const start = numberOf(from) ?? 0;
    const count = numberOf(length);
    return textOfValue(value).slice(start, count === undefined ? undefined : start + count);
  },
  split: ([value, separator]) => textOfValue(value).split(textOfValue(separator)),
  trim: ([, value]) => textOfValue(value).trim(),
  isempty: ([value]) => isEmpty(value),
  isnotempty: ([value]) => !isEmpty(value),
  isnull: ([value]) => isNothing(value),
  isnotnull: ([value]) => !isNothing(value),
  not: ([value]) => value !== true,
  iff: ([condition, then, otherwise]) => (condition === true ? then : otherwise),
  iif: ([condition, then, otherwise]) => (condition === true ? then : otherwise),
  coalesce: (args) => args.find((value) => !isEmpty(value)),
  array_length: ([value]) => (Array.isArray(value) ? value.length : undefined),
  parse_json: ([value]) => jsonOf(value),
  dynamic: ([value]) => jsonOf(value),
};

function jsonOf(value: unknown): unknown {
  if (typeof value !== "string") return value;
  try {
    return JSON.parse(value) as unknown;
  } catch {
    // Kusto gives the text back when it is no JSON.
    return value;
  }
}

const numbers = (values: readonly unknown[]): number[] => values.map(numberOf).filter((value) => value !== undefined);

/** Aggregates of `summarize`, over the values of one expression. */
export const AGGREGATES: Readonly<Record<string, (values: readonly unknown[]) => unknown>> = {
  count: (values) => values.length,
  countif: (values) => values.filter((value) => value === true).length,
  sum: (values) => numbers(values).reduce((sum, value) => sum + value, 0),
  avg: (values) => {
    const given = numbers(values);
    return given.length === 0 ? undefined : given.reduce((sum, value) => sum + value, 0) / given.length;
  },
  min: (values) => values.filter((value) => !isNothing(value)).toSorted(compareValues)[0],
  max: (values) =>
    values
      .filter((value) => !isNothing(value))
      .toSorted(compareValues)
      .at(-1),
  dcount: (values) => new Set(values.map(textOfValue)).size,
  make_list: (values) => values.filter((value) => !isNothing(value)),
  make_set: (values) => [
    ...new Map(values.filter((value) => !isNothing(value)).map((value) => [textOfValue(value), value])).values(),
  ],
  any: ([value]) => value,
  take_any: ([value]) => value,
};
