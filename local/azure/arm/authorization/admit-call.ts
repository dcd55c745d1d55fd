import type { CloudWorld } from "../cloud-world";
import { requireUnlocked } from "../locks/require-unlocked";
import { requireAllowedByPolicy } from "../policy/require-allowed";
import type { ArmRequest } from "../route";
import type { RoleAssignment } from "./access-control";
import { authorize, authorizeLinked } from "./authorize";
import { linkedPermissionsOf } from "./linked-permissions";
import { requestAttributes } from "./request-attributes";

/** What stands between a caller and a handler: roles here and on what is referred to, then locks, then policies. */
export function admitCall(
  world: CloudWorld,
  request: ArmRequest,
  action: string | undefined,
): RoleAssignment | undefined {
  if (!action) return undefined;
  const scope = request.path.id;
  const grant = authorize(world.access, request.caller, {
    action,
    scope,
    attributes: requestAttributes(world, request),
  });
  authorizeLinked(world.access, request.caller, { action, scope, linked: linkedPermissionsOf(request) });
  requireUnlocked(world.locks, request);
  requireAllowedByPolicy(world, request);
  return grant;
}
