import { z } from "zod";
import { ArmError } from "../arm-error";
import type { CloudWorld } from "../cloud-world";
import { pageReply } from "../paging";
import { parseBody } from "../parse-body";
import type { ArmReply, ArmRequest, ArmRoute } from "../route";
import type { JsonObject } from "../resource-store";
import { isWithin, type RoleDefinition } from "./access-control";

const TYPE = "Microsoft.Authorization/roleDefinitions";

const DefinitionBody = z.looseObject({
  properties: z.looseObject({
    roleName: z.string().min(1),
    description: z.string().optional(),
    assignableScopes: z.array(z.string()).min(1),
    permissions: z
      .array(
        z.looseObject({
          actions: z.array(z.string()).optional(),
          notActions: z.array(z.string()).optional(),
          dataActions: z.array(z.string()).optional(),
          notDataActions: z.array(z.string()).optional(),
        }),
      )
      .min(1),
  }),
});

/** Built-in roles are there from the beginning; custom ones come by PUT. */
export function createRoleDefinitionRoutes(world: CloudWorld): ArmRoute[] {
  const item = { level: "any", type: TYPE, isItem: true } as const;
  return [
    { ...item, method: "PUT", action: `${TYPE}/write`, handle: (request) => putDefinition(world, request) },
    {
      ...item,
      method: "GET",
      action: `${TYPE}/read`,
      handle: (request) => ({
        status: 200,
        body: definitionView(requireDefinition(world, request), request.path.scope),
      }),
    },
    { ...item, method: "DELETE", action: `${TYPE}/delete`, handle: (request) => deleteDefinition(world, request) },
    {
      level: "any",
      type: TYPE,
      isItem: false,
      method: "GET",
      action: `${TYPE}/read`,
      handle: (request) => listDefinitions(world, request),
    },
  ];
}

const guidOf = ({ path }: ArmRequest): string => (path.names.at(-1) ?? "").toLowerCase();

function requireDefinition(world: CloudWorld, request: ArmRequest): RoleDefinition {
  const known = world.access.findRole(guidOf(request));
  if (known) return known;
  throw new ArmError(404, {
    code: "RoleDefinitionDoesNotExist",
    message: `The specified role definition with ID '${guidOf(request)}' does not exist.`,
  });
}

function putDefinition(world: CloudWorld, request: ArmRequest): ArmReply {
  const guid = guidOf(request);
  const { properties } = parseBody(DefinitionBody, request.body);
  const known = world.access.findRole(guid);
  if (known?.roleType === "BuiltInRole") {
    throw new ArmError(403, {
      code: "CannotUpdateBuiltInRole",
      message: `The built-in role definition '${guid}' cannot be changed.`,
    });
  }
  if (!/^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/.test(guid)) {
    throw new ArmError(400, {
      code: "InvalidRoleDefinitionId",
      message: `The role definition ID '${guid}' is not valid. The role definition ID must be a GUID.`,
    });
  }
  const sameName = world.access.findRoleByName(properties.roleName);
  if (sameName && sameName.guid !== guid) {
    throw new ArmError(409, {
      code: "RoleDefinitionWithSameNameExists",
      message: `A custom role with the same name already exists in this directory. Use a different name.`,
    });
  }
  const now = new Date().toISOString();
  const stored = world.access.customRoles.set(guid, {
    guid,
    roleName: properties.roleName,
    description: properties.description ?? "",
    roleType: "CustomRole",
    assignableScopes: properties.assignableScopes,
    permissions: properties.permissions.map(
      ({ actions = [], notActions = [], dataActions = [], notDataActions = [] }) => ({
        actions,
        notActions,
        dataActions,
        notDataActions,
      }),
    ),
    createdOn: known?.createdOn ?? now,
    updatedOn: now,
  });
  return { status: 201, body: definitionView(stored, request.path.scope) };
}

function deleteDefinition(world: CloudWorld, request: ArmRequest): ArmReply {
  const guid = guidOf(request);
  const known = world.access.customRoles.get(guid);
  if (!known) return { status: 204 };
  const isUsed = world.access.assignments.values().some(({ roleGuid }) => roleGuid === guid);
  if (isUsed)
    throw new ArmError(400, {
      code: "RoleDefinitionHasAssignments",
      message: "There are existing role assignments referencing role (code: RoleDefinitionHasAssignments).",
    });
  world.access.customRoles.delete(guid);
  return { status: 200, body: definitionView(known, request.path.scope) };
}

function listDefinitions(world: CloudWorld, request: ArmRequest): ArmReply {
  const { path, query } = request;
  const filter = query.get("$filter") ?? "";
  const name = /roleName\s+eq\s+'([^']*)'/i.exec(filter)?.[1]?.toLowerCase();
  const type = /type\s+eq\s+'([^']*)'/i.exec(filter)?.[1]?.toLowerCase();
  const shown = world.access
    .roles()
    .filter((role) => name === undefined || role.roleName.toLowerCase() === name)
    .filter((role) => type === undefined || role.roleType.toLowerCase() === type)
    .filter((role) =>
      role.assignableScopes.some((scope) => isWithin(path.scope, scope) || isWithin(scope, path.scope)),
    );
  return pageReply(world, request, {
    rows: shown,
    keyOf: ({ guid }) => guid,
    view: (role) => definitionView(role, path.scope),
  });
}

function definitionView(role: RoleDefinition, scope: string): JsonObject {
  const subscription = /^\/subscriptions\/[^/]+/i.exec(scope)?.[0] ?? "";
  const { guid, roleType, createdOn, updatedOn } = role;
  const { roleName, description, assignableScopes, permissions } = role;
  return {
    id: `${subscription}/providers/${TYPE}/${guid}`,
    type: TYPE,
    name: guid,
    properties: {
      roleName,
      type: roleType,
      description,
      assignableScopes,
      permissions,
      createdOn,
      updatedOn,
      createdBy: null,
      updatedBy: null,
    },
  };
}
