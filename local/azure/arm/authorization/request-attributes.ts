import { z } from "zod";
import type { CloudWorld } from "../cloud-world";
import type { ArmRequest } from "../route";
import type { Attributes, ConditionFacts } from "./evaluate-condition";

const TYPE = "Microsoft.Authorization/roleAssignments";

const Asked = z.object({
  properties: z.object({
    roleDefinitionId: z.string().optional(),
    principalId: z.string().optional(),
    principalType: z.string().optional(),
  }),
});

/**
 * The attributes by which the giving and taking of roles can be constrained:
 * https://learn.microsoft.com/azure/role-based-access-control/conditions-authorization-actions-attributes
 */
export function requestAttributes(world: CloudWorld, { path, method, body }: ArmRequest): ConditionFacts["attributes"] {
  const environment = { Environment: { UtcNow: new Date().toISOString() } };
  if (path.type.toLowerCase() !== TYPE.toLowerCase()) return environment;
  const known = world.access.assignments.get(path.id.toLowerCase());
  const resource = known && attributes({ ...known, roleDefinitionId: known.roleGuid });
  return {
    ...environment,
    ...(resource ? { Resource: resource } : {}),
    ...(method === "PUT" ? { Request: asked(world, body) } : {}),
  };
}

function asked(world: CloudWorld, body: unknown): Attributes {
  const parsed = Asked.safeParse(body);
  if (!parsed.success) return {};
  const { properties } = parsed.data;
  // Where the request does not say what the principal is, Azure looks it up.
  const principalType = properties.principalType ?? world.directory.find(properties.principalId ?? "")?.type;
  return attributes({ ...properties, principalType });
}

interface Named {
  readonly roleDefinitionId?: string | undefined;
  readonly principalId?: string | undefined;
  readonly principalType?: string | undefined;
}

function attributes({ roleDefinitionId, principalId, principalType }: Named): Attributes {
  const given = {
    RoleDefinitionId: roleDefinitionId?.slice(roleDefinitionId.lastIndexOf("/") + 1),
    PrincipalId: principalId,
    PrincipalType: principalType,
  };
  return Object.fromEntries(
    Object.entries(given).flatMap(([name, value]) => (value === undefined ? [] : [[`${TYPE}:${name}`, value]])),
  );
}
