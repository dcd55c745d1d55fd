import { copyCount, evaluateDeep } from "./evaluate-document";
import type { Json, JsonMap } from "./json-value";
import type { Template } from "./template";
import type { TemplateContext } from "./template-context";
import { TemplateError } from "./template-error";
import { matchesType, shownValue, typeWord } from "./template-parameters";

/** The outputs of a template once its resources are there. */
export function outputsOf(template: Template, context: TemplateContext): JsonMap {
  const entries = Object.entries(template.outputs).flatMap(([name, { type, value, condition, copy }]) => {
    const isWanted = condition === undefined || evaluateDeep(condition, context.running) === true;
    if (!isWanted) return [];
    const found = copy ? copies(name, copy, context) : evaluateDeep(value ?? null, context.running);
    if (!matchesType(type, found))
      throw new TemplateError(
        `The template output '${name}' is not valid: the value is not of the declared type '${typeWord(type)}'.`,
      );
    return [[name, shownValue(type, found)] as const];
  });
  return Object.fromEntries(entries);
}

function copies(name: string, { count, input }: { count: Json; input: Json }, context: TemplateContext): Json {
  const times = copyCount(evaluateDeep(count, context.running), name);
  return Array.from({ length: times }, (_, index) => evaluateDeep(input, context.running, [{ name, index }]));
}
