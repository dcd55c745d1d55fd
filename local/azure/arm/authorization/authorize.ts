import { ArmError } from "../arm-error";
import type { Caller } from "../resource-events";
import type { AccessControl, AccessQuestion, RoleAssignment } from "./access-control";

/** Lets a caller pass, or refuses with ARM's 403. */
export function authorize(
  access: AccessControl,
  caller: Caller,
  { action, scope, attributes }: Pick<AccessQuestion, "action" | "scope" | "attributes">,
): RoleAssignment {
  const question = { principalId: caller.objectId, action, scope, attributes };
  const grant = access.findGrant(question);
  if (grant) return grant;
  // Words of the troubleshooting guide: https://learn.microsoft.com/azure/role-based-access-control/troubleshooting
  const lack = access.isConditionInTheWay(question)
    ? "authorization or an ABAC condition not fulfilled"
    : "authorization";
  throw new ArmError(403, {
    code: "AuthorizationFailed",
    message: `The client '${nameOf(caller)}' with object id '${caller.objectId}' does not have ${lack} to perform action '${action}' over scope '${scope}' or the scope is invalid. If access was recently granted, please refresh your credentials.`,
  });
}

/** Azure names people as they sign in, and programs by their client ids. */
const nameOf = ({ appId, claims }: Caller): string => (typeof claims["upn"] === "string" ? claims["upn"] : appId);

export interface LinkedPermission {
  readonly action: string;
  readonly scope: string;
}

/** A write that refers to other resources needs permissions there too: to join a subnet, to assign an identity. */
export function authorizeLinked(
  access: AccessControl,
  caller: Caller,
  { action, scope, linked }: { action: string; scope: string; linked: readonly LinkedPermission[] },
): void {
  const missing = linked.filter(
    (one) => !access.findGrant({ principalId: caller.objectId, action: one.action, scope: one.scope }),
  );
  if (missing.length === 0) return;
  const actions = missing.map((one) => one.action).join(",");
  const scopes = missing.map((one) => one.scope).join(",");
  throw new ArmError(403, {
    code: "LinkedAuthorizationFailed",
    message: `The client '${nameOf(caller)}' with object id '${caller.objectId}' has permission to perform action '${action}' on scope '${scope}'; however, it does not have permission to perform action(s) '${actions}' on the linked scope(s) '${scopes}' (respectively) or the linked scope(s) are invalid.`,
  });
}
