/**
 * Filters of Table Storage, from text values only. The SDK's own `odata` tag escapes strings and lets everything else through, so that
 * an array where a string was expected would read other partitions.
 */
export type Filter = string & { readonly brand: "filter" };

const COLUMN = /^[A-Za-z][A-Za-z0-9]*$/;

function compare(column: string, operator: "eq" | "ge" | "gt" | "le" | "lt", value: string): Filter {
  if (!COLUMN.test(column)) throw new Error(`'${column}' is no column`);
  // Types do not hold at run time what came as JSON.
  if (typeof (value as unknown) !== "string") throw new Error(`the value of ${column} must be text`);
  return `${column} ${operator} '${value.replaceAll("'", "''")}'` as Filter;
}

const unlessUndefined =
  (operator: "eq" | "ge" | "gt" | "le" | "lt"): ((column: string, value: string | undefined) => Filter | undefined) =>
  (column, value) =>
    value === undefined ? undefined : compare(column, operator, value);

/** Each is left out where its value is undefined. */
export const equals = unlessUndefined("eq");
export const from = unlessUndefined("ge");
export const after = unlessUndefined("gt");
export const upTo = unlessUndefined("le");
export const before = unlessUndefined("lt");

export const either = (one: Filter, other: Filter): Filter => `(${one} or ${other})` as Filter;

/** The comparison itself, where the value is certain to be there. */
export const below = (column: string, value: string): Filter => compare(column, "lt", value);
export const notBelow = (column: string, value: string): Filter => compare(column, "ge", value);

/** All of them; undefined when there is none. */
export function and(...filters: readonly (Filter | undefined)[]): Filter | undefined {
  const given = filters.filter((filter) => filter !== undefined);
  return given.length === 0 ? undefined : (given.join(" and ") as Filter);
}
