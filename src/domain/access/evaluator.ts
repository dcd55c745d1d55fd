import { permittingPattern, permits, type Role } from "./role";
import type { Scope } from "./scope";

/** That a principal holds a role at a scope. */
export interface Assignment {
  readonly id: string;
  /** Object id of a user, group, service principal or managed identity, in lower case. */
  readonly principalId: string;
  /** `Role.key`. */
  readonly role: string;
  readonly scope: Scope;
}

/** What decided (contract 5, Access). */
export interface AccessDecision {
  readonly allowed: boolean;
  readonly because: {
    readonly assignmentId: string;
    readonly role: string;
    readonly pattern: string;
    readonly scope: Scope;
  } | null;
}

export interface Grants {
  readonly assignments: readonly Assignment[];
  readonly roles: ReadonlyMap<string, Role>;
}

export interface AccessQuestion {
  /** The caller's object id and those of his groups. */
  readonly principalIds: ReadonlySet<string>;
  readonly operation: string;
  /** The scope in question and all that hold it, as `scopesAround` gives them: what is granted at any of them counts. */
  readonly scopes: readonly Scope[];
}

/**
 * The union over all assignments that count here; each role is judged by itself, so what one excludes another may permit. There is
 * no deny. An assignment whose role is gone permits nothing.
 */
export function decideAccess(grants: Grants, { principalIds, operation, scopes }: AccessQuestion): AccessDecision {
  // Many assignments share few roles: each role is asked once.
  const patterns = new Map<string, string | undefined>();
  for (const { id, principalId, role: key, scope } of grants.assignments) {
    if (!principalIds.has(principalId) || !scopes.includes(scope)) continue;
    if (!patterns.has(key)) {
      const role = grants.roles.get(key);
      patterns.set(key, role && permittingPattern(role, operation));
    }
    const pattern = patterns.get(key);
    if (pattern !== undefined) return { allowed: true, because: { assignmentId: id, role: key, pattern, scope } };
  }
  return { allowed: false, because: null };
}

/** The roles that a principal holds at one of the scopes. */
export function rolesHeld(
  grants: Grants,
  principalIds: ReadonlySet<string>,
  scopes: readonly Scope[],
): readonly Role[] {
  const held = grants.assignments.filter(
    ({ principalId, scope }) => principalIds.has(principalId) && scopes.includes(scope),
  );
  return [...new Set(held.map(({ role }) => role))].flatMap((key) => grants.roles.get(key) ?? []);
}

/** Of the named operations those that none of the roles permits. */
export function missingOf(roles: readonly Role[], operations: readonly string[]): readonly string[] {
  return operations.filter((operation) => !roles.some((role) => permits(role, operation)));
}
