import { z } from "zod";
import type { CloudWorld } from "./cloud-world";
import { newResource, operationOn, requireGroup, requireLocation, requireResource } from "./resource-access";
import { parseBody } from "./parse-body";
import { type ArmReply, type ArmRequest, type ArmRoute, itemRoute, listRoute } from "./route";
import { isSame, type JsonObject, newEtag, type StoredResource } from "./resource-store";
import { pageById } from "./paging";
import { requirePreconditions } from "./preconditions";

const anything = z.unknown().optional();

/** What the body of any tracked resource may have at its top. */
const TrackedBody = z.strictObject({
  id: anything,
  name: anything,
  type: anything,
  etag: anything,
  systemData: anything,
  location: z.string().optional(),
  tags: z.record(z.string(), z.string()).optional(),
  kind: z.string().optional(),
  sku: z.looseObject({ name: z.string() }).optional(),
  plan: anything,
  managedBy: anything,
  managedByExtended: anything,
  identity: anything,
  zones: z.array(z.string()).optional(),
  extendedLocation: anything,
  properties: z.record(z.string(), z.unknown()).optional(),
});
export type TrackedBody = z.infer<typeof TrackedBody>;

const PatchBody = z.looseObject({ tags: z.record(z.string(), z.string()).optional() });

export interface SimpleType {
  readonly type: string;
  /** The properties as a GET will answer them; throws for a body that Azure would refuse. */
  readonly properties: (write: SimpleWrite) => JsonObject;
  /** After it was stored: child resources and principals. */
  readonly afterPut?: (resource: StoredResource, body: TrackedBody) => void;
  readonly checkDelete?: (resource: StoredResource) => void;
  readonly afterDelete?: (resource: StoredResource) => void;
  readonly view?: (resource: StoredResource) => JsonObject;
  /** Some providers delete at once (200), others with an operation (202). */
  readonly deletes: "at-once" | "later";
}

export interface SimpleWrite {
  readonly id: string;
  readonly location: string;
  readonly body: TrackedBody;
  readonly known: StoredResource | undefined;
}

/** PUT, PATCH of tags, GET, HEAD, DELETE and both lists of a type that is done as soon as it is answered. */
export function createSimpleRoutes(world: CloudWorld, simple: SimpleType): ArmRoute[] {
  const at = ["group", simple.type] as const;
  const view = simple.view ?? ((resource: StoredResource) => resource.body);
  const listed = (request: ArmRequest, keep: (one: StoredResource) => boolean): ArmReply =>
    pageById(world, request, { rows: world.resources.ofType(simple.type).filter(keep), view });
  registerSimpleDelete(world, simple);
  return [
    itemRoute("PUT", at, (request) => put(world, { simple, request, view })),
    itemRoute("PATCH", at, (request) => patchTags(world, request, view)),
    itemRoute("GET", at, (request) => shown(200, requireResource(world, request), view)),
    itemRoute("HEAD", at, (request) => ({ status: requireResource(world, request).id ? 204 : 404 })),
    itemRoute("DELETE", at, (request) => remove(world, simple, request)),
    listRoute(at, (request) => {
      const group = requireGroup(world, request);
      return listed(
        request,
        (one) => isSame(one.group, group.name) && isSame(one.subscriptionId, group.subscriptionId),
      );
    }),
    listRoute(["subscription", simple.type], (request) =>
      listed(request, (one) => isSame(one.subscriptionId, request.path.subscriptionId ?? "")),
    ),
  ];
}

/** Those that have an etag say it in a header too. */
function shown(status: number, resource: StoredResource, view: Put["view"]): ArmReply {
  const { etag } = resource.body;
  return { status, body: view(resource), headers: typeof etag === "string" ? { ETag: etag } : {} };
}

interface Put {
  readonly simple: SimpleType;
  readonly request: ArmRequest;
  readonly view: (resource: StoredResource) => JsonObject;
}

function put(world: CloudWorld, { simple, request, view }: Put): ArmReply {
  requireGroup(world, request);
  const body = parseBody(TrackedBody, request.body);
  const { id, group = "", subscriptionId = "" } = request.path;
  const known = world.resources.get(id);
  requirePreconditions(request, known);
  const location = requireLocation(world, { given: body.location, type: simple.type, known });
  const properties = { provisioningState: "Succeeded", ...simple.properties({ id, location, body, known }) };
  const { kind, sku, tags, zones, identity } = body;
  const members = Object.fromEntries(
    Object.entries({ kind, sku, tags, zones, identity }).filter(([, value]) => value !== undefined),
  );
  const kept = known ? { ...known.body, ...members } : members;
  // Of the simulated providers only Network puts the etag into the body.
  const etag = simple.type.startsWith("Microsoft.Network/") ? { etag: newEtag() } : {};
  const fresh = newResource(
    { id: known?.id ?? id, type: simple.type, group, subscriptionId },
    { ...kept, ...etag, location, properties },
  );
  const stored = world.resources.put({
    ...fresh,
    createdAt: known?.createdAt ?? fresh.createdAt,
    hidden: known?.hidden ?? {},
  });
  simple.afterPut?.(stored, body);
  return shown(known ? 200 : 201, world.resources.get(id) ?? stored, view);
}

function patchTags(world: CloudWorld, request: ArmRequest, view: Put["view"]): ArmReply {
  const known = requireResource(world, request);
  requirePreconditions(request, known);
  const { tags } = parseBody(PatchBody, request.body);
  const changed = tags ? world.resources.change(known.id, { body: { tags } }) : known;
  return shown(200, changed ?? known, view);
}

function remove(world: CloudWorld, simple: SimpleType, request: ArmRequest): ArmReply {
  requireGroup(world, request);
  const known = world.resources.get(request.path.id);
  if (!known) return { status: 204 };
  requirePreconditions(request, known);
  simple.checkDelete?.(known);
  if (simple.deletes === "at-once") {
    drop(world, simple, known);
    return { status: 200 };
  }
  const current = world.operations.currentOf(known.id);
  if (current) return { status: 202, operation: current, follow: "async-and-location" };
  world.resources.changeProperties(known.id, { provisioningState: "Deleting" });
  const operation = world.operations.begin({
    ...operationOn(known, request.label),
    kind: deleteKind(simple),
    latencyMs: world.latencies.drawMs("deleteResource"),
  });
  return { status: 202, operation, follow: "async-and-location" };
}

const deleteKind = ({ type }: SimpleType): string => `delete ${type}`;

function registerSimpleDelete(world: CloudWorld, simple: SimpleType): void {
  world.operations.on(deleteKind(simple), {
    complete: ({ resourceId }) => {
      const known = world.resources.get(resourceId);
      if (known) drop(world, simple, known);
      return Promise.resolve(undefined);
    },
    fail: ({ resourceId }) => {
      world.resources.changeProperties(resourceId, { provisioningState: "Failed" });
      return Promise.resolve();
    },
  });
}

function drop(world: CloudWorld, simple: SimpleType, resource: StoredResource): void {
  world.resources.delete(resource.id);
  world.access.forgetScope(resource.id);
  simple.afterDelete?.(resource);
}
