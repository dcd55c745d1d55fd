import type { DatabaseSync } from "node:sqlite";
import { JsonTable } from "../../store/json-table";
import { matchesAction } from "./action-pattern";
import { BUILT_IN_ROLES, type RolePermissions } from "./built-in-roles";
import { ConditionCache } from "./condition-cache";
import type { ConditionFacts } from "./evaluate-condition";

export interface RoleDefinition {
  readonly guid: string;
  readonly roleName: string;
  readonly description: string;
  readonly roleType: "BuiltInRole" | "CustomRole";
  readonly assignableScopes: readonly string[];
  readonly permissions: readonly RolePermissions[];
  readonly createdOn: string;
  readonly updatedOn: string;
}

export interface RoleAssignment {
  /** `<scope>/providers/Microsoft.Authorization/roleAssignments/<name>`. */
  readonly id: string;
  readonly name: string;
  readonly scope: string;
  readonly roleGuid: string;
  /** As the caller wrote it. */
  readonly roleDefinitionId: string;
  readonly principalId: string;
  readonly principalType: string;
  readonly description?: string | undefined;
  readonly condition?: string | undefined;
  readonly conditionVersion?: string | undefined;
  readonly createdOn: string;
  readonly createdBy: string;
  /** When it begins to count: role assignments take a while to spread. */
  readonly effectiveAtMs: number;
}

export interface AccessQuestion {
  readonly principalId: string;
  readonly action: string;
  readonly scope: string;
  readonly plane?: "control" | "data" | undefined;
  /** What the conditions of role assignments may ask for. */
  readonly attributes?: ConditionFacts["attributes"] | undefined;
}

const BUILT_IN_SINCE = "2015-02-02T21:55:09.8806423Z";

/** Role definitions and assignments, and what follows from them. */
export class AccessControl {
  readonly assignments: JsonTable<RoleAssignment>;
  readonly customRoles: JsonTable<RoleDefinition>;
  private readonly builtIn = new Map<string, RoleDefinition>();
  private readonly conditions = new ConditionCache();
  private readonly forgetListeners: ((scope: string) => void)[] = [];

  constructor(
    database: DatabaseSync,
    /** Groups that a principal is in, through all levels: their roles are its own. */
    private readonly groupsOf: (principalId: string) => readonly string[] = () => [],
  ) {
    this.assignments = new JsonTable(database, "roleAssignments");
    this.customRoles = new JsonTable(database, "roleDefinitions");
    for (const { guid, roleName, description, ...permissions } of BUILT_IN_ROLES) {
      const times = { createdOn: BUILT_IN_SINCE, updatedOn: BUILT_IN_SINCE };
      const role = {
        guid,
        roleName,
        description,
        roleType: "BuiltInRole" as const,
        assignableScopes: ["/"],
        permissions: [permissions],
        ...times,
      };
      this.builtIn.set(guid, role);
    }
  }

  findRole(guid: string): RoleDefinition | undefined {
    return this.builtIn.get(guid.toLowerCase()) ?? this.customRoles.get(guid.toLowerCase());
  }

  findRoleByName(roleName: string): RoleDefinition | undefined {
    return this.roles().find((role) => role.roleName.toLowerCase() === roleName.toLowerCase());
  }

  roles(): RoleDefinition[] {
    return [...this.builtIn.values(), ...this.customRoles.values()];
  }

  /** The assignment that permits it. Each role is judged by itself: what one role excludes another may grant. */
  findGrant(question: AccessQuestion): RoleAssignment | undefined {
    const attributes = withScopeAttributes(question);
    return this.candidates(question).find(({ condition }) =>
      this.conditions.isFulfilled(condition, { action: question.action, attributes }),
    );
  }

  /** Would it be permitted, were it not for the condition of an assignment? Azure says so in its refusal. */
  isConditionInTheWay(question: AccessQuestion): boolean {
    return this.candidates(question).length > 0;
  }

  private candidates({ principalId, action, scope, plane = "control" }: AccessQuestion): RoleAssignment[] {
    const now = Date.now();
    return this.heldBy(principalId).filter((assignment) => {
      if (assignment.effectiveAtMs > now) return false;
      if (!isWithin(scope, assignment.scope)) return false;
      return (
        this.findRole(assignment.roleGuid)?.permissions.some((permissions) => permits(permissions, action, plane)) ??
        false
      );
    });
  }

  /** Assignments of the principal itself, and of the groups that it is in. */
  heldBy(principalId: string): RoleAssignment[] {
    const holders = new Set([principalId, ...this.groupsOf(principalId)].map((id) => id.toLowerCase()));
    return this.assignments.values().filter((assignment) => holders.has(assignment.principalId.toLowerCase()));
  }

  /** Azure removes the assignments that lie on a resource, or below it, together with the resource. */
  forgetScope(scope: string): void {
    for (const assignment of this.assignments.values()) {
      if (isWithin(assignment.scope, scope)) this.assignments.delete(assignment.id.toLowerCase());
    }
    for (const listener of this.forgetListeners) listener(scope);
  }

  /** Told of scopes that are no more: locks go the same way. */
  onForget(listener: (scope: string) => void): void {
    this.forgetListeners.push(listener);
  }
}

/** Is a scope the outer one, or somewhere below it? `/` holds everything. */
export function isWithin(scope: string, outer: string): boolean {
  const inside = scope.toLowerCase().replace(/\/+$/, "");
  const around = outer.toLowerCase().replace(/\/+$/, "");
  return inside === around || inside.startsWith(`${around}/`);
}

function permits(permissions: RolePermissions, action: string, plane: "control" | "data"): boolean {
  const [granted, excluded] =
    plane === "control"
      ? [permissions.actions, permissions.notActions]
      : [permissions.dataActions, permissions.notDataActions];
  return (
    granted.some((pattern) => matchesAction(pattern, action)) &&
    !excluded.some((pattern) => matchesAction(pattern, action))
  );
}

/** What a scope itself tells: the container that a blob is in. */
function withScopeAttributes({ scope, attributes = {} }: AccessQuestion): ConditionFacts["attributes"] {
  const [, container, blob] = /\/blobServices\/[^/]+\/containers\/([^/]+)(?:\/blobs\/(.+))?$/i.exec(scope) ?? [];
  if (container === undefined) return attributes;
  return {
    ...attributes,
    Resource: {
      ...attributes.Resource,
      "Microsoft.Storage/storageAccounts/blobServices/containers:name": container,
      ...(blob === undefined ? {} : { "Microsoft.Storage/storageAccounts/blobServices/containers/blobs:path": blob }),
    },
  };
}
