import type { Expression } from "./expression";
import { isList, isMap, type Json, type JsonMap, kindOf, memberOf, textOf } from "./json-value";
import { TemplateError } from "./template-error";

export type TemplateFunction = (given: Arguments) => Json;

export interface Scope {
  /** By name in lower case. */
  readonly functions: ReadonlyMap<string, TemplateFunction>;
  readonly lambdaVariables: Readonly<Record<string, Json>>;
}

export function evaluate(expression: Expression, scope: Scope): Json {
  switch (expression.kind) {
    case "literal":
      return expression.value;
    case "member":
      return select(evaluate(expression.of, scope), expression.name);
    case "index":
      return select(evaluate(expression.of, scope), evaluate(expression.index, scope));
    case "call": {
      const implementation = scope.functions.get(expression.name.toLowerCase());
      if (!implementation)
        throw new TemplateError(
          `The template function '${expression.name}' at position ${expression.column} is not valid. The simulator does not know it.`,
        );
      return implementation(new Arguments(expression, scope));
    }
  }
}

export function select(from: Json, key: Json): Json {
  if (isList(from) && typeof key === "number") {
    const found = from[key];
    if (found !== undefined) return found;
    throw new TemplateError(`The language expression property array index '${key}' is out of bounds.`);
  }
  if (isMap(from) && typeof key === "string") {
    const found = memberOf(from, key);
    if (found !== undefined) return found;
    throw new TemplateError(
      `The language expression property '${key}' doesn't exist, available properties are '${Object.keys(from).join(", ")}'.`,
    );
  }
  throw new TemplateError(
    `The language expression property '${textOf(key)}' can't be evaluated, property name must be a string for an object, and an integer for an array; what it is asked of is of type '${kindOf(from)}'.`,
  );
}

type Call = Extract<Expression, { kind: "call" }>;

/** What a function is given. An argument is evaluated when it is asked for, so that `if` does not run into the branch that it does not take. */
export class Arguments {
  constructor(
    private readonly call: Call,
    readonly scope: Scope,
  ) {}

  get name(): string {
    return this.call.name;
  }

  get count(): number {
    return this.call.given.length;
  }

  value(index: number): Json {
    const expression = this.call.given[index];
    if (!expression) throw this.wrong(`at least ${index + 1} argument(s) are expected, and there are ${this.count}`);
    return evaluate(expression, this.scope);
  }

  has(index: number): boolean {
    return index < this.count;
  }

  values(): Json[] {
    return this.call.given.map((_, index) => this.value(index));
  }

  text(index: number): string {
    const value = this.value(index);
    if (typeof value === "string") return value;
    throw this.unexpected(index, value, "a string");
  }

  integer(index: number): number {
    const value = this.value(index);
    if (typeof value === "number" && Number.isInteger(value)) return value;
    throw this.unexpected(index, value, "an integer");
  }

  flag(index: number): boolean {
    const value = this.value(index);
    if (typeof value === "boolean") return value;
    throw this.unexpected(index, value, "a boolean");
  }

  list(index: number): readonly Json[] {
    const value = this.value(index);
    if (isList(value)) return value;
    throw this.unexpected(index, value, "an array");
  }

  map(index: number): JsonMap {
    const value = this.value(index);
    if (isMap(value)) return value;
    throw this.unexpected(index, value, "an object");
  }

  /** `lambda('x', expression)` as a function of its variables. */
  lambda(index: number): (...values: readonly Json[]) => Json {
    const expression = this.call.given[index];
    if (expression?.kind !== "call" || expression.name.toLowerCase() !== "lambda")
      throw this.wrong(`argument ${index + 1} must be a lambda`);
    const variables = expression.given.slice(0, -1).map((one) => textOf(evaluate(one, this.scope)));
    const body = expression.given.at(-1);
    if (!body) throw this.wrong(`argument ${index + 1} must be a lambda with a body`);
    return (...values) => {
      const bound = Object.fromEntries(variables.map((name, at) => [name, values[at] ?? null]));
      return evaluate(body, { ...this.scope, lambdaVariables: { ...this.scope.lambdaVariables, ...bound } });
    };
  }

  unexpected(index: number, value: Json, wanted: string): TemplateError {
    return this.wrong(`argument ${index + 1} is of type '${kindOf(value)}', and ${wanted} is expected`);
  }

  wrong(reason: string): TemplateError {
    return new TemplateError(
      `The template language function '${this.name}' at position ${this.call.column} cannot be evaluated: ${reason}.`,
    );
  }
}
