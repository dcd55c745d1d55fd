import type { CloudWorld } from "../cloud-world";
import { othersIn } from "./complete-mode";
import { prepare, type PreparedDeployment } from "./deployment-context";
import type { DeploymentRequest } from "./deployment-request";
import { evaluateWithReads, ReferenceRefused } from "./deployment-step";
import type { DeploymentRecord } from "./deployment-store";
import { DEPLOYMENT_TYPE } from "./deployment-view";
import { isList, isMap, type Json, type JsonMap } from "./json-value";
import type { PlannedResource } from "./plan";
import { bodyOf } from "./resource-body";
import { partsOf } from "./resource-ids";
import type { TemplateContext } from "./template-context";
import { TemplateError } from "./template-error";
import type { GivenParameters } from "./template-parameters";
import { type PropertyChange, propertyChanges } from "./what-if-delta";

type Origin = Pick<DeploymentRecord, "caller" | "correlationId">;

interface Change {
  readonly resourceId: string;
  readonly resourceType: string;
  readonly deploymentId: string;
  readonly changeType: "Create" | "Modify" | "NoChange" | "Delete" | "Ignore" | "Deploy" | "Unsupported";
  readonly unsupportedReason?: string;
  readonly before?: Json;
  readonly after?: Json;
  readonly delta?: readonly PropertyChange[];
}

/** The changes that a deployment would make, in the order of their ids. Nothing is written. */
export async function whatIf(world: CloudWorld, deployment: DeploymentRequest, origin: Origin): Promise<Json[]> {
  const prepared = prepare(world, deployment);
  const made = await changesOf(world, { deployment, prepared, origin });
  const rest = deployment.group === undefined ? [] : othersOf(world, deployment, prepared);
  const full = deployment.resultFormat !== "ResourceIdOnly";
  return [...made, ...rest]
    .toSorted((left, right) => (left.resourceId.toLowerCase() < right.resourceId.toLowerCase() ? -1 : 1))
    .map((one) => (full ? one : idOnly(one)) as unknown as Json); // plain data
}

/** Without payloads a change is only known as a deployment of what is there. */
function idOnly({ resourceId, resourceType, deploymentId, changeType }: Change): Change {
  const isKnown = changeType === "Modify" || changeType === "NoChange";
  return { resourceId, resourceType, deploymentId, changeType: isKnown ? "Deploy" : changeType };
}

interface Looking {
  readonly deployment: DeploymentRequest;
  readonly prepared: PreparedDeployment;
  readonly origin: Origin;
}

async function changesOf(world: CloudWorld, looking: Looking): Promise<Change[]> {
  const wanted = looking.prepared.planned.filter(({ kind }) => kind === "deploy");
  const changes = await Promise.all(wanted.map((one) => changeOf(world, looking, one)));
  return changes.flat();
}

async function changeOf(world: CloudWorld, looking: Looking, one: PlannedResource): Promise<Change[]> {
  const body = await predictedBody(world, looking, one);
  if (one.type.toLowerCase() === DEPLOYMENT_TYPE.toLowerCase()) return nested(world, looking, { one, body });
  const { caller, correlationId } = looking.origin;
  const { id, apiVersion, type, name } = one;
  const current = await world.internalCalls.send({ method: "GET", path: id, apiVersion, caller, correlationId });
  const common = { resourceId: id, resourceType: type, deploymentId: looking.deployment.id };
  const after = { ...body, id, type, name: name.split("/").at(-1) ?? name, apiVersion };
  if (current.status !== 200 || !isMap(current.body)) return [{ ...common, changeType: "Create", after }];
  const before = { ...current.body, apiVersion } as JsonMap; // it is sent as JSON
  const delta = propertyChanges(before, body);
  return [
    { ...common, changeType: delta.length > 0 ? "Modify" : "NoChange", before, after: merged(before, after), delta },
  ];
}

/** What the template says, over what is there. */
function merged(before: JsonMap, after: JsonMap): JsonMap {
  const members = Object.entries(after).map(([name, value]) => {
    const old = before[name];
    return [name, name !== "tags" && isMap(old) && isMap(value) ? merged(old, value) : value] as const;
  });
  return { ...before, ...Object.fromEntries(members) };
}

async function predictedBody(world: CloudWorld, { prepared, origin }: Looking, one: PlannedResource): Promise<JsonMap> {
  const { context } = prepared;
  try {
    return await evaluateWithReads(world, origin, { context, evaluate: () => bodyOf(one, context) });
  } catch (error) {
    if (!(error instanceof ReferenceRefused) && !(error instanceof TemplateError)) throw error;
    return asFarAsKnown(one, context);
  }
}

/** What refers to resources that are not there yet stays an expression, as Azure shows it. */
function asFarAsKnown(one: PlannedResource, context: TemplateContext): JsonMap {
  const visit = (value: Json): Json => {
    if (isList(value)) return value.map(visit);
    if (isMap(value)) return Object.fromEntries(Object.entries(value).map(([name, member]) => [name, visit(member)]));
    try {
      return (
        bodyOf({ ...one, template: { ...one.template, properties: { value } } }, context)["properties"] as JsonMap
      )["value"] as Json; // what was put in two lines above
    } catch {
      // Any refusal here only means that the value is not known beforehand.
      return value;
    }
  };
  const { location, tags, kind, sku, identity, zones, properties } = one.template as Readonly<Record<string, Json>>;
  const given = Object.entries({ location, tags, kind, sku, identity, zones, properties }).filter(
    (entry): entry is [string, Json] => entry[1] !== undefined,
  );
  return visit(Object.fromEntries(given)) as JsonMap; // an object stays one
}

async function nested(
  world: CloudWorld,
  looking: Looking,
  { one, body }: { one: PlannedResource; body: JsonMap },
): Promise<Change[]> {
  const properties = isMap(body["properties"]) ? body["properties"] : {};
  const { template } = properties;
  const given = isMap(properties["parameters"]) ? (properties["parameters"] as GivenParameters) : {}; // as in a request
  const [, subscriptionId = "", group] = /^\/subscriptions\/([^/]+)(?:\/resourceGroups\/([^/]+))?/i.exec(one.id) ?? [];
  const location = typeof body["location"] === "string" ? body["location"] : undefined;
  const deployment: DeploymentRequest = {
    ...looking.deployment,
    ...{ id: one.id, name: one.name, subscriptionId, group, location, given },
    template: isMap(template) ? template : {},
  };
  try {
    return await changesOf(world, { ...looking, deployment, prepared: prepare(world, deployment) });
  } catch (error) {
    if (!(error instanceof TemplateError)) throw error;
    const common = { resourceId: one.id, resourceType: one.type, deploymentId: looking.deployment.id };
    return [{ ...common, changeType: "Unsupported", unsupportedReason: error.message }];
  }
}

/** What is in the group and not in the template: left alone, or deleted in complete mode. */
function othersOf(world: CloudWorld, deployment: DeploymentRequest, { planned }: PreparedDeployment): Change[] {
  return othersIn(world, deployment, planned).map((resourceId) => ({
    resourceId,
    resourceType: partsOf(resourceId).type,
    deploymentId: deployment.id,
    changeType: deployment.mode === "Complete" ? "Delete" : "Ignore",
    before: (world.resources.get(resourceId)?.body ?? {}) as JsonMap, // bodies are JSON
  }));
}
