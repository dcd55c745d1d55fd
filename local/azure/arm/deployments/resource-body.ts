import { DEPLOYMENT_TYPE } from "./deployment-view";
import { evaluateDeep, evaluateOuter, isInnerScope } from "./evaluate-document";
import { isMap, type Json, type JsonMap } from "./json-value";
import type { PlannedResource } from "./plan";
import type { TemplateContext } from "./template-context";

/** What tells ARM how to deploy a resource, and is no part of it. */
const NOT_SENT = new Set(
  "type,apiVersion,name,dependsOn,condition,copy,scope,existing,subscriptionId,resourceGroup,resources,comments,metadata".split(
    ",",
  ),
);

/** The body of a resource's PUT, with its expressions evaluated. */
export function bodyOf(resource: PlannedResource, context: TemplateContext): JsonMap {
  const members = Object.entries(resource.template).filter(
    ([name, value]) => !NOT_SENT.has(name) && value !== undefined,
  ) as [string, Json][]; // the template came out of JSON
  const own = Object.fromEntries(members);
  if (resource.type.toLowerCase() === DEPLOYMENT_TYPE.toLowerCase()) return nestedBody(own, resource, context);
  return evaluateDeep(own, context.running, resource.loops) as JsonMap; // an object stays one
}

/** A nested template is handed on: with its own expressions, or with the parent's evaluated in it. */
function nestedBody(own: JsonMap, { loops }: PlannedResource, context: TemplateContext): JsonMap {
  const properties = isMap(own["properties"]) ? own["properties"] : {};
  const { template, ...rest } = properties;
  const body = evaluateDeep({ ...own, properties: rest }, context.running, loops) as JsonMap; // an object stays one
  if (!isMap(template)) return body;
  const inner = isInnerScope(properties);
  const nested = inner ? template : evaluateOuter(template, context.running, loops);
  const evaluated = body["properties"] as JsonMap; // it was given above
  return { ...body, properties: { ...evaluated, template: nested } };
}
