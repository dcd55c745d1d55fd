import { conflict, groupNotFound, resourceNotFound } from "../arm-errors";
import type { CloudWorld } from "../cloud-world";
import { parseBody } from "../parse-body";
import { newResource, operationOn, typeAndNames } from "../resource-access";
import { isSame, type JsonObject, type StoredResource } from "../resource-store";
import type { ArmReply, ArmRequest, ArmRoute } from "../route";
import { parentTopicNotFound, quotaReached, unsupportedSource } from "./event-grid-errors";
import { type EventSource, EXTENSION_TYPE, parentOf, sourceOf, SUBSCRIPTION_TYPES } from "./event-sources";
import { SubscriptionBody, SubscriptionProperties } from "./event-subscription-body";
import { secretsOf, shown, shownProperties, type SubscriptionSecrets, urlOf } from "./event-subscription-record";
import { createSubscriptionLists } from "./subscription-lists";
import { checkLinkedPermissions, checkSubscription, destinationOf } from "./subscription-checks";
import { DELETE_KIND, VALIDATE_KIND } from "./subscription-operations";

/** https://learn.microsoft.com/azure/event-grid/quotas-limits */
const MAX_SUBSCRIPTIONS = 500;

type Method = ArmRoute["method"];
const VERBS: Partial<Readonly<Record<Method, string>>> = {
  GET: "read",
  PUT: "write",
  PATCH: "write",
  DELETE: "delete",
};

/** Event subscriptions: of system topics, of custom topics, and as an extension of the scope whose events they want. */
export function createSubscriptionRoutes(world: CloudWorld): ArmRoute[] {
  return [...SUBSCRIPTION_TYPES.flatMap((type) => routesOf(world, type)), ...createSubscriptionLists(world)];
}

function routesOf(world: CloudWorld, type: string): ArmRoute[] {
  const level = type === EXTENSION_TYPE ? ("any" as const) : ("group" as const);
  const item = (method: Method, handle: ArmRoute["handle"]): ArmRoute => {
    return { method, level, type, isItem: true, action: `${type}/${VERBS[method] ?? "read"}`, handle };
  };
  const action = (name: string, handle: ArmRoute["handle"]): ArmRoute => {
    return { method: "POST", level, type: `${type}/${name}`, isItem: false, action: `${type}/${name}/action`, handle };
  };
  return [
    item("GET", (request) => ({ status: 200, body: shown(requireSubscription(world, request)) })),
    item("PUT", (request) => put(world, type, request)),
    item("PATCH", (request) => patch(world, type, request)),
    item("DELETE", (request) => remove(world, request)),
    action("getFullUrl", (request) => ({ status: 200, body: fullUrl(requireSubscription(world, request)) })),
    action("getDeliveryAttributes", (request) => ({
      status: 200,
      body: attributes(requireSubscription(world, request)),
    })),
  ];
}

function requireSubscription(world: CloudWorld, request: ArmRequest): StoredResource {
  const found = world.resources.get(request.path.id);
  if (found) return found;
  throw resourceNotFound(typeAndNames(request), request.path.group ?? "");
}

const fullUrl = (resource: StoredResource): JsonObject => {
  const url = urlOf(secretsOf(resource).given);
  return url === undefined ? {} : { endpointUrl: url };
};

function attributes(resource: StoredResource): JsonObject {
  const { properties } = destinationOf(secretsOf(resource).given);
  return { value: ("deliveryAttributeMappings" in properties && properties.deliveryAttributeMappings) || [] };
}

function requireSource(
  world: CloudWorld,
  type: string,
  request: ArmRequest,
): EventSource & { readonly parent: string } {
  const { path } = request;
  const parent = parentOf({ id: path.id, type });
  const source = sourceOf(world, parent);
  if (source) return { ...source, parent };
  if (type !== EXTENSION_TYPE)
    throw parentTopicNotFound(typeAndNames(request).replace(/\/eventSubscriptions\/.*$/i, ""));
  if (path.level === "group") throw groupNotFound(path.group ?? "");
  throw unsupportedSource(parent);
}

function put(world: CloudWorld, type: string, request: ArmRequest): ArmReply {
  const source = requireSource(world, type, request);
  const { properties } = parseBody(SubscriptionBody, request.body);
  const known = world.resources.get(request.path.id);
  if (!known && siblings(world, source.parent) >= MAX_SUBSCRIPTIONS)
    throw quotaReached("event subscriptions of a topic", MAX_SUBSCRIPTIONS);
  return write(world, request, { type, source, given: properties, known });
}

/** A PATCH names at its top what changes; a destination replaces one of either kind. */
function patch(world: CloudWorld, type: string, request: ArmRequest): ArmReply {
  const source = requireSource(world, type, request);
  const known = requireSubscription(world, request);
  const change = parseBody(SubscriptionProperties, request.body);
  const before = secretsOf(known).given;
  const isMoved = change.destination ?? change.deliveryWithResourceIdentity;
  const isReburied = change.deadLetterDestination ?? change.deadLetterWithResourceIdentity;
  const given = {
    ...before,
    ...(isMoved ? { destination: undefined, deliveryWithResourceIdentity: undefined } : {}),
    ...(isReburied ? { deadLetterDestination: undefined, deadLetterWithResourceIdentity: undefined } : {}),
    ...change,
  };
  return write(world, request, { type, source, given, known });
}

const siblings = (world: CloudWorld, parent: string): number =>
  SUBSCRIPTION_TYPES.flatMap((type) => world.resources.ofType(type)).filter((one) => isSame(parentOf(one), parent))
    .length;

interface Write {
  readonly type: string;
  readonly source: EventSource & { readonly parent: string };
  readonly given: SubscriptionProperties;
  readonly known: StoredResource | undefined;
}

/** Stored at once, and finished by the operation that asks the webhook. */
function write(world: CloudWorld, request: ArmRequest, { type, source, given, known }: Write): ArmReply {
  const { id, group = "", subscriptionId = "", names } = request.path;
  if (world.operations.currentOf(id)) throw conflict();
  const destination = checkSubscription(names.at(-1) ?? "", given, source);
  checkLinkedPermissions(world, request, { source, destination });
  const validatedUrl = known && secretsOf(known).validatedUrl;
  const secrets: SubscriptionSecrets = { given, ...(validatedUrl === undefined ? {} : { validatedUrl }) };
  const properties = {
    ...shownProperties(given, source, source.parent),
    provisioningState: known ? "Updating" : "Creating",
  };
  const fresh = newResource({ id: known?.id ?? id, type, group, subscriptionId }, { properties });
  const stored = world.resources.put({
    ...fresh,
    hidden: { ...secrets },
    createdAt: known?.createdAt ?? fresh.createdAt,
  });
  const operation = world.operations.begin({
    ...operationOn(stored, request.label),
    kind: VALIDATE_KIND,
    // Seconds in Azure; it was not measured, and is drawn like other short operations.
    latencyMs: world.latencies.drawMs("updateVm"),
  });
  return { status: known ? 200 : 201, body: stored.body, operation };
}

function remove(world: CloudWorld, request: ArmRequest): ArmReply {
  const known = world.resources.get(request.path.id);
  if (!known) return { status: 204 };
  const current = world.operations.currentOf(known.id);
  if (current?.kind === DELETE_KIND) return { status: 202, operation: current, follow: "async-and-location" };
  world.operations.preempt(known.id);
  world.resources.changeProperties(known.id, { provisioningState: "Deleting" });
  const operation = world.operations.begin({
    ...operationOn(known, request.label),
    kind: DELETE_KIND,
    latencyMs: world.latencies.drawMs("deleteResource"),
  });
  return { status: 202, operation, follow: "async-and-location" };
}
