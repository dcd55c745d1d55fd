import { z } from "zod";
import type { DeliveryIdentity } from "../../../event-grid/event-subscription";
import { identityNotFound } from "../arm-errors";
import { authorizeLinked } from "../authorization/authorize";
import type { CloudWorld } from "../cloud-world";
import { isSame, type JsonObject, type StoredResource } from "../resource-store";
import type { ArmRequest } from "../route";

export const IdentityBody = z.looseObject({
  type: z.string().optional(),
  userAssignedIdentities: z.record(z.string(), z.looseObject({}).nullable()).optional(),
});
type IdentityBody = z.infer<typeof IdentityBody>;

export const SubscriptionIdentityBody = z.strictObject({
  type: z.string().optional(),
  userAssignedIdentity: z.string().optional(),
});

const has = (type: string | undefined, kind: string): boolean => (type ?? "").replaceAll(" ", "").includes(kind);

/** The identity block of a topic with the principals behind it. Who assigns an identity needs the right to. */
export function buildIdentity(
  world: CloudWorld,
  request: Pick<ArmRequest, "caller" | "path">,
  given: IdentityBody | undefined,
): JsonObject | undefined {
  const { id } = request.path;
  if (!has(given?.type, "SystemAssigned")) world.directory.removeManagedIdentity(id);
  if (!given?.type || given.type === "None") return undefined;
  const ids = Object.entries(given.userAssignedIdentities ?? {}).flatMap(([key, value]) =>
    value === null ? [] : [key],
  );
  const action = "Microsoft.ManagedIdentity/userAssignedIdentities/assign/action";
  const linked = ids.map((scope) => ({ action, scope }));
  authorizeLinked(world.access, request.caller, { action: "Microsoft.EventGrid/topics/write", scope: id, linked });
  const assigned = ids.map((key) => {
    const principal = world.directory.findByResourceId(key);
    if (!principal) throw identityNotFound(id, key);
    return [key, { principalId: principal.objectId, clientId: principal.clientId }] as const;
  });
  const own = has(given.type, "SystemAssigned")
    ? world.directory.addManagedIdentity({ resourceId: id, kind: "system-assigned" })
    : undefined;
  return {
    type: given.type,
    ...(own ? { principalId: own.objectId, tenantId: world.directory.tenantId } : {}),
    ...(assigned.length > 0 ? { userAssignedIdentities: Object.fromEntries(assigned) } : {}),
  };
}

type Wanted = z.infer<typeof SubscriptionIdentityBody>;

/** Has the topic the identity that a subscription wants to act with? The answer says what is missing. */
export function missingIdentity(topic: StoredResource | undefined, wanted: Wanted): string | undefined {
  if (!topic) return "only subscriptions of a topic or a system topic may act with an identity.";
  const identity = topic.body["identity"] as { type?: string; userAssignedIdentities?: JsonObject } | undefined; // written above
  if (has(wanted.type, "UserAssigned")) {
    const ids = Object.keys(identity?.userAssignedIdentities ?? {});
    const isThere = ids.some((id) => isSame(id, wanted.userAssignedIdentity ?? ""));
    return isThere ? undefined : `the topic has no user-assigned identity '${wanted.userAssignedIdentity ?? ""}'.`;
  }
  return has(identity?.type, "SystemAssigned") ? undefined : "the topic has no system-assigned identity.";
}

/** The principal that a subscription acts with now. */
export function deliveryIdentity(
  world: CloudWorld,
  topic: StoredResource | undefined,
  wanted: Wanted | undefined,
): DeliveryIdentity {
  if (!wanted) return { kind: "none" };
  if (missingIdentity(topic, wanted) !== undefined) return { kind: "managed", principalId: undefined };
  const owner = has(wanted.type, "UserAssigned") ? wanted.userAssignedIdentity : topic?.id;
  return { kind: "managed", principalId: world.directory.findByResourceId(owner ?? "")?.objectId };
}
