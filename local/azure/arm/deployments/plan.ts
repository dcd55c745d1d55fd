import { copyCount, evaluateDeep, evaluateText, type LoopPosition, MAX_COPIES } from "./evaluate-document";
import { type Json, textOf } from "./json-value";
import { connect } from "./plan-dependencies";
import { DEPLOYMENT_TYPE } from "./deployment-view";
import { type DeploymentTarget, resourceIdOf, scopeOf } from "./resource-ids";
import type { NamedResource, Template, TemplateResource } from "./template";
import type { TemplateContext } from "./template-context";
import { TemplateError } from "./template-error";

/** A resource of a template with everything settled but its properties. */
export interface PlannedResource {
  readonly id: string;
  readonly type: string;
  readonly name: string;
  readonly apiVersion: string;
  readonly symbolicName: string | undefined;
  readonly template: TemplateResource;
  readonly loops: readonly LoopPosition[];
  /** `skip`: its condition is false. `existing`: it is read and not written. */
  readonly kind: "deploy" | "skip" | "existing";
  /** The ids, in lower case, of what must be done before. */
  readonly dependsOn: readonly string[];
}

/** A resource before its dependencies are known; `after` are the iterations that a serial loop puts before it. */
export type Placed = Omit<PlannedResource, "dependsOn"> & { readonly after: readonly string[] };

interface Planning {
  readonly context: TemplateContext;
  readonly target: DeploymentTarget;
}

interface Parent {
  readonly type: string;
  readonly name: string;
  readonly loops: readonly LoopPosition[];
  readonly kind: PlannedResource["kind"];
}

/** What a template would do, in which order: https://learn.microsoft.com/azure/azure-resource-manager/templates/resource-dependency */
export function planTemplate(template: Template, planning: Planning): PlannedResource[] {
  const placed = template.resources.flatMap((one) => placeAll(one, planning, undefined));
  if (placed.length > MAX_COPIES)
    throw new TemplateError(
      `The number of template resources limit exceeded. Limit: '${MAX_COPIES}' and actual: '${placed.length}'. Please see https://aka.ms/arm-syntax-resources for usage details.`,
    );
  requireUnique(placed);
  const planned = connect(placed, planning.context);
  planning.context.resolveWith((named) => find(planned, named));
  return planned;
}

function find(planned: readonly PlannedResource[], named: string): PlannedResource | undefined {
  const wanted = named.toLowerCase();
  return (
    planned.find(({ symbolicName, loops }) => symbolicName?.toLowerCase() === wanted && loops.length === 0) ??
    planned.find(({ id }) => id.toLowerCase() === wanted) ??
    planned.find(({ name }) => name.toLowerCase() === wanted)
  );
}

/** The resource once, or once for each iteration of its loop; its children behind it. */
function placeAll(one: NamedResource, planning: Planning, parent: Parent | undefined): Placed[] {
  const { copy } = one.resource;
  const around = parent?.loops ?? [];
  if (!copy) return placeOne(one, planning, { parent, loops: around, after: [] });
  const count = copyCount(evaluateDeep(copy.count, planning.context.planning, around), copy.name);
  const isSerial = copy.mode?.toLowerCase() === "serial";
  const batch = isSerial ? Number(evaluateDeep(copy.batchSize ?? 1, planning.context.planning, around)) : count;
  const iterations: Placed[][] = [];
  for (let index = 0; index < count; index += 1) {
    const from = Math.floor(index / batch) * batch;
    const before = isSerial ? iterations.slice(Math.max(0, from - batch), from) : [];
    const after = before.flatMap((placed) => placed.slice(0, 1)).map(({ id }) => id.toLowerCase());
    iterations.push(placeOne(one, planning, { parent, loops: [{ name: copy.name, index }, ...around], after }));
  }
  return iterations.flat();
}

interface Position {
  readonly parent: Parent | undefined;
  readonly loops: readonly LoopPosition[];
  readonly after: readonly string[];
}

function placeOne({ symbolicName, resource }: NamedResource, planning: Planning, position: Position): Placed[] {
  const { parent, loops, after } = position;
  const text = (value: string): string => {
    const found = evaluateText(value, planning.context.planning(loops));
    if (typeof found === "string" && found !== "") return found;
    throw new TemplateError(`The template resource at '${value}' must have a string there, and has none.`);
  };
  const name = text(resource.name);
  // A child is written with its own part of type and name, or with all of both.
  const isWhole = resource.type.split("/")[0]?.includes(".") ?? false;
  const whole =
    parent && !isWhole
      ? { type: `${parent.type}/${resource.type}`, name: `${parent.name}/${name}` }
      : { type: resource.type, name };
  const scope = scopeFor(resource, planning, text);
  const kind = parent?.kind === "skip" ? "skip" : kindFor(resource, planning, loops);
  const placed: Placed = {
    id: resourceIdOf(scope, whole.type, whole.name),
    ...whole,
    apiVersion: versionOf(resource, text),
    symbolicName,
    template: resource,
    loops,
    kind,
    after,
  };
  const children = (resource.resources ?? []).flatMap((child) =>
    placeAll({ symbolicName: undefined, resource: child }, planning, { ...whole, loops, kind }),
  );
  return [placed, ...children];
}

function versionOf({ apiVersion, name, type }: TemplateResource, text: (value: string) => string): string {
  if (apiVersion !== undefined) return text(apiVersion);
  throw new TemplateError(
    `The template resource '${name}' of type '${type}' is missing the required property 'apiVersion'. Please see https://aka.ms/arm-syntax-resources for usage details.`,
  );
}

/** Nested deployments go where `subscriptionId` and `resourceGroup` say; extensions hang on what `scope` names. */
function scopeFor(resource: TemplateResource, { target }: Planning, text: (value: string) => string): string {
  const { subscriptionId, resourceGroup, scope } = resource;
  if (scope !== undefined) {
    const found = text(scope);
    return found.startsWith("/") ? found.replace(/(?<=.)\/+$/, "") : `${scopeOf(target)}/providers/${typedPath(found)}`;
  }
  if (subscriptionId === undefined && resourceGroup === undefined) return scopeOf(target);
  if (resource.type.toLowerCase() !== DEPLOYMENT_TYPE.toLowerCase())
    throw new TemplateError(
      `The template resource '${resource.name}' of type '${resource.type}' has a 'resourceGroup' or 'subscriptionId', which only nested deployments may have.`,
    );
  return scopeOf({
    subscriptionId: subscriptionId === undefined ? target.subscriptionId : text(subscriptionId),
    group: resourceGroup === undefined ? undefined : text(resourceGroup),
  });
}

const typedPath = (path: string): string => path.replace(/^\/+|\/+$/g, "");

function kindFor(resource: TemplateResource, { context }: Planning, loops: readonly LoopPosition[]): Placed["kind"] {
  const condition: Json =
    resource.condition === undefined ? true : evaluateDeep(resource.condition, context.planning, loops);
  if (typeof condition !== "boolean" && !/^(true|false)$/i.test(textOf(condition)))
    throw new TemplateError(`The condition of the template resource '${resource.name}' is no boolean.`);
  if (textOf(condition).toLowerCase() === "false") return "skip";
  return resource.existing ? "existing" : "deploy";
}

function requireUnique(placed: readonly Placed[]): void {
  const seen = new Set<string>();
  for (const { id, type, name, kind } of placed) {
    if (kind === "skip") continue;
    if (seen.has(id.toLowerCase()))
      throw new TemplateError(
        `The resource '${type}/${name}' at line '1' and column '1' is defined multiple times in a template. Please see https://aka.ms/arm-syntax-resources for usage details.`,
      );
    seen.add(id.toLowerCase());
  }
}
