import type { Assignment } from "./evaluator";
import { missingOf } from "./evaluator";
import { probesOf, type Role } from "./role";
import { isWithin, type Scope } from "./scope";

export interface Refusal {
  readonly code: "NotHeld" | "RoleNotAssignableHere" | "LastOwner" | "AssignmentFromSettings" | "RoleInUse";
  readonly message: string;
}

const some = (names: readonly string[]): string =>
  names.slice(0, 3).join(", ") + (names.length > 3 ? ` and ${names.length - 3} more` : "");

/**
 * Nobody gives what he does not hold. What a role permits is compared operation by operation, not pattern by pattern, with an
 * invented operation for each wildcard: who holds every operation of today one by one does not hold `*`.
 */
export function refusalToGive(held: readonly Role[], given: Role, where: Scope): Refusal | undefined {
  const missing = missingOf(held, probesOf(given));
  if (missing.length === 0) return undefined;
  return {
    code: "NotHeld",
    message: `the role permits what you may not do yourself at ${where}: ${some(missing)}`,
  };
}

/** A custom role counts only where its AssignableScopes say. `around`: the assignment's scope and all that hold it. */
export function refusalOfPlace(assignable: readonly Scope[], around: readonly Scope[]): Refusal | undefined {
  if (assignable.some((scope) => around.includes(scope))) return undefined;
  return {
    code: "RoleNotAssignableHere",
    message: `the role may be assigned at ${some(assignable)} and below, and nowhere else`,
  };
}

export const OWNER = "Owner";

/** Assignments that follow from settings have ids that no caller can make: slugs have no colon. */
export const isFromSettings = ({ id }: Assignment): boolean => id.includes(":");

/**
 * The last Owner stays, and what follows from settings is changed there.
 * @param assignments all that count at the scope of the one that is taken: an Owner further out can still give the role again
 */
export function refusalToTake(assignments: readonly Assignment[], taken: Assignment): Refusal | undefined {
  const owners = assignments.filter(({ role }) => role === OWNER);
  if (taken.role === OWNER && owners.length === 1) {
    return {
      code: "LastOwner",
      message: `this is the last Owner at ${taken.scope}: give somebody else the role first`,
    };
  }
  if (!isFromSettings(taken)) return undefined;
  return {
    code: "AssignmentFromSettings",
    message: `this assignment follows from settings: change the administrators of the organization, or the deployment's first owner`,
  };
}

/** A role's AssignableScopes may not shrink away from under assignments that exist. */
export function refusalToNarrow(
  assignable: readonly Scope[],
  assignments: readonly { readonly id: string; readonly around: readonly Scope[] }[],
): Refusal | undefined {
  const outside = assignments.filter(({ around }) => !assignable.some((scope) => around.includes(scope)));
  if (outside.length === 0) return undefined;
  return {
    code: "RoleInUse",
    message: `assignments lie outside of the new AssignableScopes: ${some(outside.map(({ id }) => id))}`,
  };
}

/** Deleting a role that somebody holds would take rights away unseen. */
export function refusalToDelete(key: string, assignments: readonly Assignment[]): Refusal | undefined {
  const held = assignments.filter(({ role }) => role === key);
  if (held.length === 0) return undefined;
  return { code: "RoleInUse", message: `the role is assigned: ${some(held.map(({ id }) => id))}` };
}

/** Rights of the deployment that are given by settings: its first owner, and each organization's administrators. */
export function assignmentsOfSettings(settings: {
  readonly firstOwnerId: string;
  readonly organization?: { readonly scope: Scope; readonly administrators: readonly string[] } | undefined;
}): readonly Assignment[] {
  const first = {
    id: "settings:first-owner",
    principalId: settings.firstOwnerId.toLowerCase(),
    role: OWNER,
    scope: "/",
  };
  const { organization } = settings;
  const administrators = (organization?.administrators ?? []).map((id) => ({
    id: `settings:administrator:${id.toLowerCase()}`,
    principalId: id.toLowerCase(),
    role: OWNER,
    scope: organization?.scope ?? "/",
  }));
  return [first, ...administrators];
}

/** Scopes below which a caller may define roles: each must hold, or be, the scope of the definition. */
export function scopesOutside(assignable: readonly Scope[], outer: readonly Scope[]): readonly Scope[] {
  return assignable.filter((scope) => !outer.some((one) => isWithin(scope, one)));
}
