import { type GridEvent, valueAt } from "./grid-event";

type Operand = string | number | boolean;

/** `values` of the range operators are pairs. */
export interface AdvancedFilter {
  readonly operatorType: AdvancedOperator;
  readonly key: string;
  readonly value?: Operand | undefined;
  readonly values?: readonly (Operand | readonly number[])[] | undefined;
}

export interface EventFilter {
  /** Absent: all types. */
  readonly includedEventTypes?: readonly string[] | undefined;
  readonly subjectBeginsWith?: string | undefined;
  readonly subjectEndsWith?: string | undefined;
  readonly isSubjectCaseSensitive?: boolean | undefined;
  readonly enableAdvancedFilteringOnArrays?: boolean | undefined;
  readonly advancedFilters?: readonly AdvancedFilter[] | undefined;
}

type Test = (given: unknown, wanted: unknown) => boolean;

interface Operator {
  /** Which values of an event it can compare; others are passed over. */
  readonly of: "string" | "number" | "boolean";
  readonly test: Test;
  /** Must no value fit, instead of any? */
  readonly isNegated: boolean;
  /** What the filter says of an event without the key. */
  readonly withoutKey: boolean;
}

// All comparisons of strings go without case.
const text = (value: unknown): string => String(value).toLowerCase();
const contains: Test = (given, wanted) => text(given).includes(text(wanted));
const begins: Test = (given, wanted) => text(given).startsWith(text(wanted));
const ends: Test = (given, wanted) => text(given).endsWith(text(wanted));
const equalText: Test = (given, wanted) => text(given) === text(wanted);
const equal: Test = (given, wanted) => given === wanted;
const inRange: Test = (given, wanted) => {
  const [low, high] = wanted as readonly [number, number]; // checked when the subscription was written
  return Number(given) >= low && Number(given) <= high;
};
const compare =
  (fits: (given: number, wanted: number) => boolean): Test =>
  (given, wanted) =>
    fits(Number(given), Number(wanted));

const any = (of: Operator["of"], test: Test): Operator => ({ of, test, isNegated: false, withoutKey: false });
const none = (of: Operator["of"], test: Test, withoutKey = false): Operator => ({
  of,
  test,
  isNegated: true,
  withoutKey,
});

/** https://learn.microsoft.com/azure/event-grid/event-filtering: of the negated ones only the two `NotIn` fit an event without the key. */
const OPERATORS = {
  NumberIn: any("number", equal),
  NumberNotIn: none("number", equal, true),
  NumberLessThan: any(
    "number",
    compare((given, wanted) => given < wanted),
  ),
  NumberGreaterThan: any(
    "number",
    compare((given, wanted) => given > wanted),
  ),
  NumberLessThanOrEquals: any(
    "number",
    compare((given, wanted) => given <= wanted),
  ),
  NumberGreaterThanOrEquals: any(
    "number",
    compare((given, wanted) => given >= wanted),
  ),
  NumberInRange: any("number", inRange),
  NumberNotInRange: none("number", inRange),
  BoolEquals: any("boolean", equal),
  StringContains: any("string", contains),
  StringNotContains: none("string", contains),
  StringBeginsWith: any("string", begins),
  StringNotBeginsWith: none("string", begins),
  StringEndsWith: any("string", ends),
  StringNotEndsWith: none("string", ends),
  StringIn: any("string", equalText),
  StringNotIn: none("string", equalText, true),
} as const satisfies Readonly<Record<string, Operator>>;

export type AdvancedOperator = keyof typeof OPERATORS | "IsNullOrUndefined" | "IsNotNull";

export const ADVANCED_OPERATORS: readonly AdvancedOperator[] = [
  ...(Object.keys(OPERATORS) as (keyof typeof OPERATORS)[]),
  "IsNullOrUndefined",
  "IsNotNull",
];

export const operandKindOf = (operator: AdvancedOperator): "string" | "number" | "boolean" | "range" | "nothing" => {
  if (operator === "IsNullOrUndefined" || operator === "IsNotNull") return "nothing";
  return operator.endsWith("Range") ? "range" : OPERATORS[operator].of;
};

export function matchesFilter(filter: EventFilter, event: GridEvent): boolean {
  const { includedEventTypes, advancedFilters = [], enableAdvancedFilteringOnArrays: onArrays = false } = filter;
  if (includedEventTypes && !isIncluded(includedEventTypes, event.eventType)) return false;
  if (!matchesSubject(filter, event.subject)) return false;
  return advancedFilters.every((one) => matchesAdvanced(one, fieldOf(event, one.key), onArrays));
}

const isIncluded = (types: readonly string[], type: string): boolean =>
  types.some((one) => one.toLowerCase() === "all" || one.toLowerCase() === type.toLowerCase());

function matchesSubject(filter: EventFilter, subject: string): boolean {
  const fold = (value: string): string => (filter.isSubjectCaseSensitive ? value : value.toLowerCase());
  return (
    fold(subject).startsWith(fold(filter.subjectBeginsWith ?? "")) &&
    fold(subject).endsWith(fold(filter.subjectEndsWith ?? ""))
  );
}

function matchesAdvanced(filter: AdvancedFilter, given: unknown, onArrays: boolean): boolean {
  const isMissing = given === undefined || given === null;
  if (filter.operatorType === "IsNullOrUndefined") return isMissing;
  if (filter.operatorType === "IsNotNull") return !isMissing;
  const operator: Operator = OPERATORS[filter.operatorType];
  if (isMissing) return operator.withoutKey;
  // Without the switch an array is no value that a filter can compare.
  if (Array.isArray(given) && !onArrays) return false;
  const comparable = (Array.isArray(given) ? given : [given]).filter((one) => typeof one === operator.of);
  const wanted = filter.values ?? [filter.value];
  const isFound = comparable.some((one) => wanted.some((value) => operator.test(one, value)));
  return operator.isNegated ? !isFound : isFound;
}

/** The field that a key names: `Subject`, `data.key1`, a context attribute of a CloudEvent, a field of a custom event. */
export function fieldOf(event: GridEvent, key: string): unknown {
  const [first = "", ...rest] = key.split(".");
  switch (first.toLowerCase()) {
    case "data":
      return rest.length === 0 ? event.data : valueAt(event.data, rest.join("."));
    case "id":
    case "eventid":
      return event.id;
    case "topic":
    case "source":
      return event.topic;
    case "subject":
      return event.subject;
    case "eventtype":
    case "type":
      return event.eventType;
    case "eventtime":
    case "time":
      return event.eventTime;
    case "dataversion":
    case "eventtypeversion":
      return event.dataVersion;
    default:
      return event.schema === "EventGridSchema" ? undefined : valueAt(event.original, key);
  }
}
