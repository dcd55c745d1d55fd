import { evaluate } from "./evaluate";
import { evaluateText } from "./evaluate-document";
import { type Expression, isExpression, parseExpression } from "./expression";
import { isList, isMap, type Json, textOf } from "./json-value";
import type { Placed, PlannedResource } from "./plan";
import type { TemplateContext } from "./template-context";
import { ResourceWanted, TemplateError } from "./template-error";

/** Puts the resources in order: by `dependsOn`, by serial loops, and by what `reference()` names. */
export function connect(placed: readonly Placed[], context: TemplateContext): PlannedResource[] {
  const planned = placed.map(({ after, ...one }) => {
    const named = (one.template.dependsOn ?? []).flatMap((entry) => dependenciesOf({ entry, one, placed, context }));
    const referenced = referencesOf(one, context).flatMap((name) => matching(placed, name));
    const ids = [...named, ...referenced].map(({ id }) => id.toLowerCase());
    const others = [...new Set([...after, ...ids])].filter((id) => id !== one.id.toLowerCase());
    return { ...one, dependsOn: others };
  });
  requireNoCircle(planned);
  return planned;
}

interface Entry {
  readonly entry: string;
  readonly one: Omit<Placed, "after">;
  readonly placed: readonly Placed[];
  readonly context: TemplateContext;
}

function dependenciesOf({ entry, one, placed, context }: Entry): readonly Placed[] {
  const named = textOf(evaluateText(entry, context.planning(one.loops)));
  const found = matching(placed, named);
  if (found.length > 0) return found;
  throw new TemplateError(
    `The resource '${named}' is not defined in the template. Please see https://aka.ms/arm-syntax for usage details.`,
  );
}

/** By symbolic name, id, loop, or name with or without its type. A loop's name, or its symbolic name, stands for all iterations. */
function matching(placed: readonly Placed[], named: string): readonly Placed[] {
  const wanted = named.toLowerCase();
  const is = (one: string | undefined): boolean => one?.toLowerCase() === wanted;
  const ways: readonly ((one: Placed) => boolean)[] = [
    ({ symbolicName }) => is(symbolicName),
    ({ id }) => is(id),
    ({ template }) => is(template.copy?.name),
    ({ type, name }) => is(name) || is(`${type}/${name}`),
  ];
  for (const way of ways) {
    const found = placed.filter(way);
    if (found.length > 0) return found;
  }
  return [];
}

/** What the resource's expressions refer to, as far as that can be told beforehand. */
function referencesOf({ template, loops }: Omit<Placed, "after">, context: TemplateContext): string[] {
  // A nested template in its own scope speaks of its own resources.
  const texts = textsIn(withoutInnerTemplate(template));
  return texts.filter(isExpression).flatMap((text) =>
    callsOf(parseExpression(text)).flatMap((call) => {
      const first = call.name.toLowerCase() === "reference" ? call.given[0] : undefined;
      if (!first) return [];
      try {
        const named = evaluate(first, context.planning(loops));
        return typeof named === "string" ? [named] : [];
      } catch (error) {
        // What it names is known only later; then whoever wrote the template must have said what comes first.
        if (error instanceof TemplateError || error instanceof ResourceWanted) return [];
        throw error;
      }
    }),
  );
}

function withoutInnerTemplate(template: Placed["template"]): Json {
  const { resources: _children, ...own } = template;
  const { properties } = own;
  if (!isMap(properties) || !isMap(properties["template"])) return own as Json; // it came out of JSON
  const { template: _template, ...rest } = properties;
  return { ...own, properties: rest } as Json;
}

function textsIn(value: Json): string[] {
  if (typeof value === "string") return [value];
  if (isList(value)) return value.flatMap(textsIn);
  return isMap(value) ? Object.values(value).flatMap(textsIn) : [];
}

function callsOf(expression: Expression): Extract<Expression, { kind: "call" }>[] {
  switch (expression.kind) {
    case "literal":
      return [];
    case "member":
      return callsOf(expression.of);
    case "index":
      return [...callsOf(expression.of), ...callsOf(expression.index)];
    case "call":
      return [expression, ...expression.given.flatMap(callsOf)];
  }
}

function requireNoCircle(planned: readonly PlannedResource[]): void {
  const left = new Map(planned.map((one) => [one.id.toLowerCase(), one]));
  for (;;) {
    const free = [...left.values()].filter(({ dependsOn }) => !dependsOn.some((id) => left.has(id)));
    if (free.length === 0) break;
    for (const { id } of free) left.delete(id.toLowerCase());
  }
  const [stuck] = left.values();
  if (stuck)
    throw new TemplateError(
      `Circular dependency detected on resource: '${stuck.id}'. Please see https://aka.ms/arm-syntax-resources for usage details.`,
    );
}
