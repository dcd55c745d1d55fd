/** A row: columns by name, which are read without case. */
export type KqlRow = Readonly<Record<string, unknown>>;

export const isNothing = (value: unknown): boolean => value === undefined || value === null;

export function textOfValue(value: unknown): string {
  if (isNothing(value)) return "";
  if (value instanceof Date) return value.toISOString();
  return typeof value === "string" ? value : JSON.stringify(value);
}

export function memberOf(value: unknown, name: string): unknown {
  if (typeof value !== "object" || value === null) return undefined;
  if (Object.hasOwn(value, name)) return (value as Record<string, unknown>)[name];
  const key = Object.keys(value).find((one) => one.toLowerCase() === name.toLowerCase());
  return key === undefined ? undefined : (value as Record<string, unknown>)[key];
}

/** The order of Kusto: nothing first, then by value; numbers and times by size, everything else as text. */
export function compareValues(left: unknown, right: unknown): number {
  if (isNothing(left) || isNothing(right)) return Number(!isNothing(left)) - Number(!isNothing(right));
  const [one, other] = [sizeOf(left), sizeOf(right)];
  if (one !== undefined && other !== undefined) return one - other;
  const [a, b] = [textOfValue(left), textOfValue(right)];
  return a < b ? -1 : Number(a > b);
}

function sizeOf(value: unknown): number | undefined {
  if (typeof value === "number") return value;
  if (value instanceof Date) return value.getTime();
  return typeof value === "boolean" ? Number(value) : undefined;
}

const lower = (value: unknown): string => textOfValue(value).toLowerCase();

/** `has` looks for whole terms: runs of letters and digits. */
function hasTerm(text: unknown, term: unknown): boolean {
  const wanted = lower(term);
  // Every text has the empty term.
  if (wanted === "") return true;
  const found = lower(text);
  for (let at = found.indexOf(wanted); at >= 0; at = found.indexOf(wanted, at + 1)) {
    const before = found[at - 1] ?? " ";
    const after = found[at + wanted.length] ?? " ";
    if (!/[\p{L}\p{N}]/u.test(before) && !/[\p{L}\p{N}]/u.test(after)) return true;
  }
  return false;
}

type Comparison = (left: unknown, right: unknown) => boolean;
const isEqual: Comparison = (left, right) => compareValues(left, right) === 0;

/** Operators between two values. https://learn.microsoft.com/kusto/query/datatypes-string-operators */
export const COMPARISONS: Readonly<Record<string, Comparison>> = {
  "==": isEqual,
  "!=": (left, right) => !isEqual(left, right),
  "=~": (left, right) => lower(left) === lower(right),
  "!~": (left, right) => lower(left) !== lower(right),
  "<": (left, right) => !isNothing(left) && !isNothing(right) && compareValues(left, right) < 0,
  "<=": (left, right) => !isNothing(left) && !isNothing(right) && compareValues(left, right) <= 0,
  ">": (left, right) => !isNothing(left) && !isNothing(right) && compareValues(left, right) > 0,
  ">=": (left, right) => !isNothing(left) && !isNothing(right) && compareValues(left, right) >= 0,
  contains: (left, right) => lower(left).includes(lower(right)),
  "!contains": (left, right) => !lower(left).includes(lower(right)),
  contains_cs: (left, right) => textOfValue(left).includes(textOfValue(right)),
  startswith: (left, right) => lower(left).startsWith(lower(right)),
  "!startswith": (left, right) => !lower(left).startsWith(lower(right)),
  endswith: (left, right) => lower(left).endsWith(lower(right)),
  "!endswith": (left, right) => !lower(left).endsWith(lower(right)),
  has: hasTerm,
  "!has": (left, right) => !hasTerm(left, right),
};

/** Operators between a value and a list. */
export const MEMBERSHIPS: Readonly<Record<string, (value: unknown, list: readonly unknown[]) => boolean>> = {
  in: (value, list) => list.some((one) => isEqual(value, one)),
  "!in": (value, list) => !list.some((one) => isEqual(value, one)),
  "in~": (value, list) => list.some((one) => lower(value) === lower(one)),
  "!in~": (value, list) => !list.some((one) => lower(value) === lower(one)),
};
