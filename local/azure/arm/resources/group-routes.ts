import { z } from "zod";
import { groupBeingDeleted, groupNotFound } from "../arm-errors";
import type { CloudWorld } from "../cloud-world";
import { isVm, removeVm } from "../compute/vm-removal";
import { pageById } from "../paging";
import { parseBody } from "../parse-body";
import { newResource, operationOn, requireLocation } from "../resource-access";
import type { EventSeed } from "../resource-events";
import { type ArmReply, type ArmRequest, type ArmRoute, itemRoute, listRoute } from "../route";
import { GROUP_TYPE, isSame, propertiesOf, type StoredResource } from "../resource-store";
import { parseResourceFilter } from "./resource-filter";

const GROUPS = ["subscription", "Microsoft.Resources/subscriptions/resourceGroups"] as const;

const GroupBody = z.strictObject({
  id: z.unknown().optional(),
  name: z.unknown().optional(),
  type: z.unknown().optional(),
  location: z.string().optional(),
  managedBy: z.string().optional(),
  tags: z.record(z.string(), z.string()).optional(),
  properties: z.looseObject({}).optional(),
});

export function createGroupRoutes(world: CloudWorld): ArmRoute[] {
  registerGroupDelete(world);
  return [
    itemRoute("PUT", GROUPS, (request) => putGroup(world, request)),
    itemRoute("PATCH", GROUPS, (request) => patchGroup(world, request)),
    itemRoute("GET", GROUPS, (request) => ({ status: 200, body: groupOf(world, request).body })),
    itemRoute("HEAD", GROUPS, (request) => ({ status: groupOf(world, request).id ? 204 : 404 })),
    itemRoute("DELETE", GROUPS, (request) => deleteGroup(world, request)),
    listRoute(GROUPS, (request) => listGroups(world, request)),
  ];
}

/** Only tags may be filtered by: https://learn.microsoft.com/rest/api/resources/resource-groups/list */
function listGroups(world: CloudWorld, request: ArmRequest): ArmReply {
  const { keep } = parseResourceFilter(request.query.get("$filter"), "groups");
  const rows = world.resources
    .ofType(GROUP_TYPE)
    .filter((group) => isSame(group.subscriptionId, request.path.subscriptionId ?? "") && keep(group));
  return pageById(world, request, { rows, view: ({ body }) => body, takesTop: true });
}

/** Group paths differ in the case of `resourceGroups`; one spelling is the key. */
const groupId = ({ path }: ArmRequest): string =>
  `/subscriptions/${path.subscriptionId ?? ""}/resourceGroups/${path.names[1] ?? ""}`;

function groupOf(world: CloudWorld, request: ArmRequest): StoredResource {
  const group = world.resources.get(groupId(request));
  if (group) return group;
  throw groupNotFound(request.path.names[1] ?? "");
}

function putGroup(world: CloudWorld, request: ArmRequest): ArmReply {
  const given = parseBody(GroupBody, request.body);
  const id = groupId(request);
  const known = world.resources.get(id);
  if (known && propertiesOf(known)["provisioningState"] === "Deleting") throw groupBeingDeleted(known.name);
  const location = requireLocation(world, { given: given.location, type: GROUP_TYPE, known });
  const { subscriptionId = "", names } = request.path;
  const body = {
    location,
    ...(given.managedBy ? { managedBy: given.managedBy } : {}),
    tags: given.tags ?? {},
    properties: { provisioningState: "Succeeded" },
  };
  const stored = world.resources.put(
    newResource({ id: known?.id ?? id, type: GROUP_TYPE, group: names[1] ?? "", subscriptionId }, body),
  );
  return { status: known ? 200 : 201, body: stored.body };
}

function patchGroup(world: CloudWorld, request: ArmRequest): ArmReply {
  const known = groupOf(world, request);
  const { tags } = parseBody(GroupBody, request.body);
  const changed = tags ? world.resources.change(known.id, { body: { tags } }) : known;
  return { status: 200, body: (changed ?? known).body };
}

/** 202, and only a `Location` to follow. Everything in the group goes with it. */
function deleteGroup(world: CloudWorld, request: ArmRequest): ArmReply {
  const group = groupOf(world, request);
  const current = world.operations.currentOf(group.id);
  if (current) return { status: 202, operation: current, follow: "location" };
  world.resources.changeProperties(group.id, { provisioningState: "Deleting" });
  for (const vm of world.resources.inGroup(group.subscriptionId, group.name).filter(isVm)) {
    world.operations.preempt(vm.id);
    world.resources.changeProperties(vm.id, { provisioningState: "Deleting" });
    world.power.offSoon(vm.id);
  }
  const operation = world.operations.begin({
    ...operationOn(group, request.label),
    kind: "deleteGroup",
    latencyMs: world.latencies.drawMs("deleteGroup"),
  });
  return { status: 202, operation, follow: "location" };
}

function registerGroupDelete(world: CloudWorld): void {
  world.operations.on("deleteGroup", {
    complete: async ({ resourceId, event }) => {
      const group = world.resources.get(resourceId);
      if (group) await removeGroup(world, group, event);
      return undefined;
    },
    fail: ({ resourceId }) => {
      world.resources.changeProperties(resourceId, { provisioningState: "Failed" });
      return Promise.resolve();
    },
  });
}

async function removeGroup(world: CloudWorld, group: StoredResource, event: EventSeed | undefined): Promise<void> {
  const members = world.resources.inGroup(group.subscriptionId, group.name);
  await Promise.all(members.filter(isVm).map((vm) => world.power.off(vm.id, { discardDisk: true })));
  for (const vm of members.filter(isVm)) removeVm(world, vm, { withDisks: true });
  for (const member of members) {
    world.operations.preempt(member.id);
    world.resources.delete(member.id);
    if (member.type === "Microsoft.ManagedIdentity/userAssignedIdentities")
      world.directory.removeManagedIdentity(member.id);
    if (event) world.emit({ ...event, resourceId: member.id, action: `${member.type}/delete` }, "Success");
  }
  world.resources.delete(group.id);
  // The roles that were given on the group go with it: who held only those is told 403, and not 404, from now on.
  world.access.forgetScope(group.id);
  world.deployments.forgetScope(group.id);
}
