import { z } from "zod";
import { ArmError } from "../arm-error";
import type { CloudWorld } from "../cloud-world";
import { pageById } from "../paging";
import { parseBody } from "../parse-body";
import type { ArmReply, ArmRequest, ArmRoute } from "../route";
import { isSame, type JsonObject } from "../resource-store";
import type { Principal } from "../../identity/directory";
import { isWithin, type RoleAssignment } from "./access-control";
import { checkCondition, requireRoomForAssignment, requireScope } from "./assignment-checks";
import { parseAssignmentFilter } from "./assignment-filter";

const TYPE = "Microsoft.Authorization/roleAssignments";

const AssignmentBody = z.looseObject({
  properties: z.looseObject({
    roleDefinitionId: z.string(),
    principalId: z.string(),
    principalType: z.enum(["User", "Group", "ServicePrincipal", "ForeignGroup", "Device"]).optional(),
    description: z.string().optional(),
    condition: z.string().nullish(),
    conditionVersion: z.string().nullish(),
  }),
});
type AssignmentProperties = z.infer<typeof AssignmentBody>["properties"];

export function createRoleAssignmentRoutes(world: CloudWorld): ArmRoute[] {
  const item = { level: "any", type: TYPE, isItem: true } as const;
  return [
    { ...item, method: "PUT", action: `${TYPE}/write`, handle: (request) => putAssignment(world, request) },
    { ...item, method: "GET", action: `${TYPE}/read`, handle: (request) => getAssignment(world, request) },
    { ...item, method: "DELETE", action: `${TYPE}/delete`, handle: (request) => deleteAssignment(world, request) },
    {
      level: "any",
      type: TYPE,
      isItem: false,
      method: "GET",
      action: `${TYPE}/read`,
      handle: (request) => listAssignments(world, request),
    },
  ];
}

function putAssignment(world: CloudWorld, request: ArmRequest): ArmReply {
  const { properties } = parseBody(AssignmentBody, request.body);
  const { id, scope } = request.path;
  const name = request.path.names.at(-1) ?? "";
  if (!/^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i.test(name)) {
    throw new ArmError(400, {
      code: "InvalidRoleAssignmentId",
      message: `The role assignment ID '${name}' is not valid. The role assignment ID must be a GUID.`,
    });
  }
  requireScope(world, scope);
  const roleGuid = requireRole(world, properties.roleDefinitionId, scope);
  const principal = requirePrincipal(world, properties);
  checkCondition(properties.condition ?? undefined, properties.conditionVersion ?? undefined);
  const known = world.access.assignments.get(id.toLowerCase());
  if (known) return repeat(world, known, { roleGuid, properties });
  const same = world.access.assignments
    .values()
    .find(
      (one) => isSame(one.scope, scope) && one.roleGuid === roleGuid && isSame(one.principalId, properties.principalId),
    );
  if (same) throw new ArmError(409, { code: "RoleAssignmentExists", message: "The role assignment already exists." });
  requireRoomForAssignment(world, scope);
  const stored = world.access.assignments.set(id.toLowerCase(), {
    id,
    name,
    scope,
    roleGuid,
    roleDefinitionId: properties.roleDefinitionId,
    principalId: properties.principalId,
    principalType: principal.type,
    description: properties.description,
    condition: properties.condition ?? undefined,
    conditionVersion: properties.conditionVersion ?? undefined,
    createdOn: new Date().toISOString(),
    createdBy: request.caller.objectId,
    effectiveAtMs: Date.now() + world.roleReplicationMs,
  });
  return { status: 201, body: assignmentView(stored) };
}

/** The same name with the same content is the same assignment; what it grants, and to whom, never changes. */
function repeat(
  world: CloudWorld,
  known: RoleAssignment,
  { roleGuid, properties }: { roleGuid: string; properties: AssignmentProperties },
): ArmReply {
  if (known.roleGuid !== roleGuid || !isSame(known.principalId, properties.principalId)) {
    throw new ArmError(409, {
      code: "RoleAssignmentUpdateNotPermitted",
      message: "Tenant ID, application ID, principal ID, and scope are not allowed to be updated.",
    });
  }
  const { description, condition, conditionVersion } = properties;
  const changed = {
    ...known,
    description,
    condition: condition ?? undefined,
    conditionVersion: conditionVersion ?? undefined,
  };
  return { status: 200, body: assignmentView(world.access.assignments.set(known.id.toLowerCase(), changed)) };
}

function requireRole(world: CloudWorld, roleDefinitionId: string, scope: string): string {
  const guid = roleDefinitionId.slice(roleDefinitionId.lastIndexOf("/") + 1).toLowerCase();
  const role = world.access.findRole(guid);
  if (!role || !role.assignableScopes.some((assignable) => isWithin(scope, assignable))) {
    throw new ArmError(400, {
      code: "RoleDefinitionDoesNotExist",
      message: `The specified role definition with ID '${guid.replaceAll("-", "")}' does not exist.`,
    });
  }
  return guid;
}

/** A principal that was just made is not known everywhere yet; with `principalType` Azure does not look it up. */
function requirePrincipal(world: CloudWorld, { principalId, principalType }: AssignmentProperties): Principal {
  const principal = world.directory.find(principalId);
  const age = principal ? Date.now() - principal.createdAtMs : 0;
  if (!principal || (principalType === undefined && age < world.principalReplicationMs)) {
    throw new ArmError(400, {
      code: "PrincipalNotFound",
      message: `Principal ${principalId.replaceAll("-", "")} does not exist in the directory ${world.directory.tenantId}. Check that you have the correct principal ID. If you are creating this principal and then immediately assigning a role, this error might be related to a replication delay. In this case, set the role assignment principalType property to a value, such as ServicePrincipal, User, or Group.  See https://aka.ms/docs-principaltype`,
    });
  }
  if (principalType !== undefined && principalType !== principal.type) {
    throw new ArmError(400, {
      code: "UnmatchedPrincipalType",
      message: `The PrincipalId '${principalId.replaceAll("-", "")}' has type '${principal.type}' , which is different from specified PrinciaplType '${principalType}'.`,
    });
  }
  return principal;
}

function getAssignment(world: CloudWorld, { path }: ArmRequest): ArmReply {
  const known = world.access.assignments.get(path.id.toLowerCase());
  if (known) return { status: 200, body: assignmentView(known) };
  throw new ArmError(404, {
    code: "RoleAssignmentNotFound",
    message: `The role assignment '${path.names.at(-1) ?? ""}' is not found.`,
  });
}

function deleteAssignment(world: CloudWorld, { path }: ArmRequest): ArmReply {
  const known = world.access.assignments.get(path.id.toLowerCase());
  if (!known) return { status: 204 };
  world.access.assignments.delete(known.id.toLowerCase());
  return { status: 200, body: assignmentView(known) };
}

/** Without a filter: what lies at the scope, above it, and below it; `atScope()` leaves out what lies below. */
function listAssignments(world: CloudWorld, request: ArmRequest): ArmReply {
  const { path, query } = request;
  const { isAtScope, principalId, assignedTo } = parseAssignmentFilter(query.get("$filter"));
  const candidates = assignedTo === undefined ? world.access.assignments.values() : world.access.heldBy(assignedTo);
  const shown = candidates
    .filter(({ scope }) => isWithin(path.scope, scope) || (!isAtScope && isWithin(scope, path.scope)))
    .filter((one) => principalId === undefined || isSame(one.principalId, principalId));
  return pageById(world, request, { rows: shown, view: assignmentView });
}

function assignmentView(one: RoleAssignment): JsonObject {
  const { roleDefinitionId, principalId, principalType, scope, createdOn, createdBy } = one;
  const condition =
    one.condition === undefined ? {} : { condition: one.condition, conditionVersion: one.conditionVersion };
  return {
    id: one.id,
    type: TYPE,
    name: one.name,
    properties: {
      roleDefinitionId,
      principalId,
      principalType,
      scope,
      ...condition,
      ...(one.description ? { description: one.description } : {}),
      createdOn,
      updatedOn: createdOn,
      createdBy,
      updatedBy: createdBy,
    },
  };
}
