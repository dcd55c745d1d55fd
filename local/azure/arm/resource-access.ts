import type { CloudWorld } from "./cloud-world";
import {
  groupBeingDeleted,
  groupNotFound,
  locationNotAvailable,
  missingLocation,
  otherLocation,
  resourceNotFound,
} from "./arm-errors";
import type { NewOperation } from "./operations";
import type { ArmRequest } from "./route";
import { GROUP_TYPE, isSame, type JsonObject, locationName, propertiesOf, type StoredResource } from "./resource-store";

/** The group of a request; it must exist, and for writes it must not be on its way out. */
export function requireGroup(world: CloudWorld, { path, method }: ArmRequest): StoredResource {
  const group = world.resources.get(`/subscriptions/${path.subscriptionId ?? ""}/resourceGroups/${path.group ?? ""}`);
  if (!group) throw groupNotFound(path.group ?? "");
  if (method !== "GET" && method !== "DELETE" && propertiesOf(group)["provisioningState"] === "Deleting")
    throw groupBeingDeleted(group.name);
  return group;
}

export function requireResource(world: CloudWorld, request: ArmRequest): StoredResource {
  requireGroup(world, request);
  const resource = world.resources.get(request.path.id);
  if (resource) return resource;
  throw resourceNotFound(typeAndNames(request), request.path.group ?? "");
}

/** `Microsoft.Network/virtualNetworks/v/subnets/s`. */
export function typeAndNames({ path }: Pick<ArmRequest, "path">): string {
  const marker = "/providers/";
  return path.id.slice(path.id.toLowerCase().lastIndexOf(marker) + marker.length);
}

/** The location of a resource: given at create, and never changed. */
export function requireLocation(
  world: CloudWorld,
  { given, type, known }: { given: string | undefined; type: string; known?: StoredResource | undefined },
): string {
  const current = known?.body["location"];
  if (given === undefined) {
    if (typeof current === "string") return current;
    throw missingLocation();
  }
  const location = locationName(given);
  if (known && typeof current === "string" && current !== location) {
    throw otherLocation({ name: known.name, group: known.group, location: current, wanted: location });
  }
  if (!world.locations.includes(location)) throw locationNotAvailable(given, type, world.locations);
  return location;
}

/** A row for a resource that a request makes; `id`, `name` and `type` lead its body, as in Azure's answers. */
export function newResource(
  { id, type, group, subscriptionId }: Pick<StoredResource, "id" | "type" | "group" | "subscriptionId">,
  body: JsonObject,
): StoredResource {
  const name = id.slice(id.lastIndexOf("/") + 1);
  const now = new Date().toISOString();
  const whole = { name, id, type, ...body };
  return { id, name, type, group, subscriptionId, body: whole, hidden: {}, createdAt: now, changedAt: now };
}

/** The common part of an operation on a resource. */
export function operationOn(resource: StoredResource, label: string): Omit<NewOperation, "kind" | "latencyMs"> {
  const isGroup = resource.type === GROUP_TYPE;
  return {
    label,
    resourceId: resource.id,
    subscriptionId: resource.subscriptionId,
    provider: isGroup ? "Microsoft.Resources" : (resource.type.split("/")[0] ?? ""),
    location: typeof resource.body["location"] === "string" ? resource.body["location"] : "global",
  };
}

export function sameId(left: string | undefined, right: string): boolean {
  return left !== undefined && isSame(left, right);
}
