type Compare = (left: string, right: string) => boolean | undefined;

const lower =
  (compare: Compare): Compare =>
  (left, right) =>
    compare(left.toLowerCase(), right.toLowerCase());
const not =
  (compare: Compare): Compare =>
  (left, right) => {
    const isSo = compare(left, right);
    return isSo === undefined ? undefined : !isSo;
  };

const equals: Compare = (left, right) => left === right;
const startsWith: Compare = (left, right) => left.startsWith(right);
/** `*` for any characters, `?` for one. */
const isLike: Compare = (left, right) => {
  const pattern = right
    .replace(/[.+^${}()|[\]\\]/g, "\\$&")
    .replaceAll("*", ".*")
    .replaceAll("?", ".");
  return new RegExp(`^${pattern}$`, "s").test(left);
};

/** Undefined where one of both is no number, or no time. */
const ordered = (toNumber: (text: string) => number, isSo: (left: number, right: number) => boolean): Compare => {
  return (left, right) => {
    const [one, other] = [toNumber(left), toNumber(right)];
    return Number.isNaN(one) || Number.isNaN(other) ? undefined : isSo(one, other);
  };
};

const ORDERS: Readonly<Record<string, (left: number, right: number) => boolean>> = {
  Equals: (left, right) => left === right,
  NotEquals: (left, right) => left !== right,
  LessThan: (left, right) => left < right,
  LessThanEquals: (left, right) => left <= right,
  GreaterThan: (left, right) => left > right,
  GreaterThanEquals: (left, right) => left >= right,
};

const numberOf = (text: string): number => (text.trim() === "" ? Number.NaN : Number(text));

const byOrder = (prefix: string, toNumber: (text: string) => number): [string, Compare][] =>
  Object.entries(ORDERS).map(([name, isSo]) => [`${prefix}${name}`, ordered(toNumber, isSo)]);

const STRINGS: Readonly<Record<string, Compare>> = {
  Equals: equals,
  StartsWith: startsWith,
  Like: isLike,
};

const byString: [string, Compare][] = Object.entries(STRINGS).flatMap(([name, compare]): [string, Compare][] => [
  [`String${name}`, compare],
  [`String${name}IgnoreCase`, lower(compare)],
  [`StringNot${name}`, not(compare)],
  [`StringNot${name}IgnoreCase`, not(lower(compare))],
]);

/** The comparisons of role assignment conditions: https://learn.microsoft.com/azure/role-based-access-control/conditions-format */
const OPERATORS = new Map<string, Compare>([
  ...byString,
  ["GuidEquals", lower(equals)],
  ["GuidNotEquals", not(lower(equals))],
  ["BoolEquals", lower(equals)],
  ["BoolNotEquals", not(lower(equals))],
  ...byOrder("Numeric", numberOf),
  ...byOrder("DateTime", (text) => Date.parse(text)),
]);

const SPELLINGS = new Map([...OPERATORS.keys()].map((name) => [name.toLowerCase(), name]));

/** Azure's spelling of an operator; undefined for what is none. */
export const operatorNamed = (name: string): string | undefined => SPELLINGS.get(name.toLowerCase());

export const OPERATOR_NAMES: readonly string[] = [...OPERATORS.keys()];

/** Undefined: the values cannot be compared so. */
export const compareWith = (operator: string, left: string, right: string): boolean | undefined =>
  OPERATORS.get(operator)?.(left, right);
