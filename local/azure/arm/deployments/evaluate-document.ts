import { evaluate, type Scope } from "./evaluate";
import { escapeLiteral, isExpression, parseExpression, unescapeLiteral } from "./expression";
import { isList, isMap, type Json, type JsonMap, memberOf, textOf } from "./json-value";
import { TemplateError } from "./template-error";

/** The loops that an expression stands in: what `copyIndex()` answers. */
export interface LoopPosition {
  readonly name: string;
  readonly index: number;
}

export type ScopeWithLoops = (loops: readonly LoopPosition[]) => Scope;

// https://learn.microsoft.com/azure/azure-resource-manager/templates/copy-resources#copy-limits
export const MAX_COPIES = 800;

/** Evaluates every expression in a value, and unrolls the `copy` loops of its properties. */
export function evaluateDeep(value: Json, scope: ScopeWithLoops, loops: readonly LoopPosition[] = []): Json {
  if (typeof value === "string") return evaluateText(value, scope(loops));
  if (isList(value)) return value.map((one) => evaluateDeep(one, scope, loops));
  if (!isMap(value)) return value;
  const copy = value["copy"];
  const copies = isPropertyCopy(copy) ? unroll(copy, scope, loops) : {};
  const members = Object.entries(value)
    .filter(([name]) => name !== "copy" || !isPropertyCopy(copy))
    .map(([name, member]) => [textOf(evaluateText(name, scope(loops))), evaluateDeep(member, scope, loops)] as const);
  return { ...Object.fromEntries(members), ...copies };
}

export function evaluateText(text: string, scope: Scope): Json {
  return isExpression(text) ? evaluate(parseExpression(text), scope) : unescapeLiteral(text);
}

interface PropertyCopy extends JsonMap {
  readonly name: string;
  readonly count: Json;
  readonly input: Json;
}

const isPropertyCopy = (copy: Json | undefined): copy is readonly PropertyCopy[] =>
  isList(copy) &&
  copy.every((one) => isMap(one) && typeof one["name"] === "string" && "count" in one && "input" in one);

function unroll(copies: readonly PropertyCopy[], scope: ScopeWithLoops, loops: readonly LoopPosition[]): JsonMap {
  return Object.fromEntries(
    copies.map(({ name, count, input }) => {
      const times = copyCount(evaluateDeep(count, scope, loops), name);
      const values = Array.from({ length: times }, (_, index) =>
        evaluateDeep(input, scope, [{ name, index }, ...loops]),
      );
      return [name, values];
    }),
  );
}

export function copyCount(count: Json, name: string): number {
  if (typeof count === "number" && Number.isInteger(count) && count >= 0 && count <= MAX_COPIES) return count;
  throw new TemplateError(
    `The template copy definition of '${name}' has the count '${JSON.stringify(count)}': it must be an integer between 0 and ${MAX_COPIES}.`,
  );
}

/**
 * A nested template in the outer scope: its expressions are evaluated now, in the parent's terms, and what comes out stands in it as
 * literals. Expressions of its own loops stay, as only the nested deployment unrolls them.
 */
export function evaluateOuter(template: JsonMap, scope: ScopeWithLoops, loops: readonly LoopPosition[]): JsonMap {
  const kept = (text: string): boolean => isExpression(text) && /copyIndex\s*\(/i.test(text);
  const visit = (value: Json): Json => {
    if (typeof value === "string") return kept(value) ? value : escapeDeep(evaluateText(value, scope(loops)));
    if (isList(value)) return value.map(visit);
    if (!isMap(value)) return value;
    return Object.fromEntries(Object.entries(value).map(([name, member]) => [name, visit(member)]));
  };
  // Declarations are the parent's in this scope, and the nested template's own do not count.
  const { parameters: _parameters, variables: _variables, ...rest } = template;
  return visit(rest) as JsonMap; // an object stays one
}

export function escapeDeep(value: Json): Json {
  if (typeof value === "string") return escapeLiteral(value);
  if (isList(value)) return value.map(escapeDeep);
  if (!isMap(value)) return value;
  return Object.fromEntries(Object.entries(value).map(([name, member]) => [name, escapeDeep(member)]));
}

/** Is a nested template evaluated in its own scope? https://learn.microsoft.com/azure/azure-resource-manager/templates/linked-templates#expression-evaluation-scope-in-nested-templates */
export function isInnerScope(properties: JsonMap): boolean {
  const options = properties["expressionEvaluationOptions"];
  const scope = isMap(options) ? memberOf(options, "scope") : undefined;
  return typeof scope === "string" && scope.toLowerCase() === "inner";
}
