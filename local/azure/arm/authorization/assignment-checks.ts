import { ArmError } from "../arm-error";
import { groupNotFound, resourceNotFound } from "../arm-errors";
import type { CloudWorld } from "../cloud-world";
import { isWithin } from "./access-control";
import { ConditionSyntaxError, parseCondition } from "./parse-condition";

/** Fixed, for each subscription: https://learn.microsoft.com/azure/role-based-access-control/troubleshoot-limits */
const MAX_ASSIGNMENTS = 4000;

/** Types whose resources the store knows; what hangs below them, a container or a secret, is data and not looked up. */
const KNOWN_TYPES = [
  "Microsoft.Compute/virtualMachines",
  "Microsoft.Compute/disks",
  "Microsoft.ContainerRegistry/registries",
  "Microsoft.KeyVault/vaults",
  "Microsoft.ManagedIdentity/userAssignedIdentities",
  "Microsoft.Network/networkInterfaces",
  "Microsoft.Network/virtualNetworks",
  "Microsoft.Storage/storageAccounts",
].map((type) => type.toLowerCase());

const GROUP_SCOPE = /^(\/subscriptions\/[^/]+\/resourceGroups\/([^/]+))/i;
const RESOURCE_SCOPE = /^\/subscriptions\/[^/]+\/resourceGroups\/[^/]+\/providers\/([^/]+\/[^/]+)\/([^/]+)/i;

/** What is set on a scope needs it to be there: a group or a resource that exists, a subscription, or the root. */
export function requireScope(world: CloudWorld, scope: string): void {
  const [, groupId, group = ""] = GROUP_SCOPE.exec(scope) ?? [];
  if (groupId !== undefined && !world.resources.get(groupId)) throw groupNotFound(group);
  const [resourceId, type = "", name = ""] = RESOURCE_SCOPE.exec(scope) ?? [];
  if (resourceId === undefined || !KNOWN_TYPES.includes(type.toLowerCase())) return;
  if (!world.resources.get(resourceId)) throw resourceNotFound(`${type}/${name}`, group);
}

export function requireRoomForAssignment(world: CloudWorld, scope: string): void {
  const subscription = /^\/subscriptions\/[^/]+/i.exec(scope)?.[0];
  if (subscription === undefined) return;
  const inSubscription = world.access.assignments.values().filter((one) => isWithin(one.scope, subscription));
  if (inSubscription.length < MAX_ASSIGNMENTS) return;
  throw new ArmError(400, { code: "RoleAssignmentLimitExceeded", message: "No more role assignments can be created." });
}

export function checkCondition(condition: string | undefined, version: string | undefined): void {
  if (condition === undefined) return;
  if (version !== undefined && version !== "1.0" && version !== "2.0")
    throw invalidCondition(`The condition version '${version}' is neither 1.0 nor 2.0.`);
  try {
    parseCondition(condition);
  } catch (error) {
    if (error instanceof ConditionSyntaxError) throw invalidCondition(error.message);
    throw error;
  }
}

/** The first sentence is Azure's: https://learn.microsoft.com/azure/role-based-access-control/conditions-troubleshoot */
const invalidCondition = (why: string): ArmError =>
  new ArmError(400, {
    code: "InvalidCondition",
    message: `The given role assignment condition is invalid. ${why}`,
  });
