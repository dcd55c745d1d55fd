import { matchesAction } from "./action-pattern";
import { compareWith } from "./condition-operators";
import type { AttributeSource, Condition, Operand, Quantifier } from "./condition-syntax";

export type Attributes = Readonly<Record<string, string | readonly string[]>>;

/** What is known when a condition is judged. Names are compared without case. */
export interface ConditionFacts {
  readonly action: string;
  readonly attributes: Partial<Readonly<Record<AttributeSource, Attributes>>>;
}

/** Does a condition hold? What depends on an attribute that nobody knows does not, however it is negated. */
export const isFulfilled = (condition: Condition, facts: ConditionFacts): boolean => judge(condition, facts) === true;

/** True, false, or undefined for what cannot be told: three values, as in SQL. */
function judge(condition: Condition, facts: ConditionFacts): boolean | undefined {
  switch (condition.kind) {
    case "and":
      return both(judge(condition.left, facts), judge(condition.right, facts));
    case "or":
      return either(judge(condition.left, facts), judge(condition.right, facts));
    case "not":
      return opposite(judge(condition.of, facts));
    case "action":
      return matchesAction(condition.pattern, facts.action);
    case "suboperation":
      // None of the simulated services has suboperations.
      return false;
    case "exists":
      return valuesOf(condition.attribute, facts) !== undefined;
    case "comparison":
      return compare(condition, facts);
  }
}

const both = (left: boolean | undefined, right: boolean | undefined): boolean | undefined => {
  if (left === false || right === false) return false;
  return left === undefined || right === undefined ? undefined : true;
};

const either = (left: boolean | undefined, right: boolean | undefined): boolean | undefined => {
  if (left === true || right === true) return true;
  return left === undefined || right === undefined ? undefined : false;
};

const opposite = (value: boolean | undefined): boolean | undefined => (value === undefined ? undefined : !value);

function compare(
  { left, quantifier = "ForAnyOfAnyValues", operator, right }: Extract<Condition, { kind: "comparison" }>,
  facts: ConditionFacts,
): boolean | undefined {
  const [given, wanted] = [valuesOf(left, facts), valuesOf(right, facts)];
  if (!given || !wanted) return undefined;
  const [ofGiven, ofWanted] = FOLDS[quantifier];
  return ofGiven(given.map((one) => ofWanted(wanted.map((other) => compareWith(operator, one, other)))));
}

const some = (values: readonly (boolean | undefined)[]): boolean | undefined =>
  values.reduce((sofar, one) => either(sofar, one), false);
const every = (values: readonly (boolean | undefined)[]): boolean | undefined =>
  values.reduce((sofar, one) => both(sofar, one), true);

const FOLDS: Readonly<Record<Quantifier, readonly [typeof some, typeof some]>> = {
  ForAnyOfAnyValues: [some, some],
  ForAllOfAnyValues: [every, some],
  ForAnyOfAllValues: [some, every],
  ForAllOfAllValues: [every, every],
};

function valuesOf(operand: Operand, { attributes }: ConditionFacts): readonly string[] | undefined {
  if (operand.kind === "values") return operand.values;
  const wanted = operand.name.toLowerCase();
  const found = Object.entries(attributes[operand.source] ?? {}).find(([name]) => name.toLowerCase() === wanted)?.[1];
  if (found === undefined) return undefined;
  return typeof found === "string" ? [found] : found;
}
