import { createHash } from "node:crypto";
import type { CloudWorld } from "../cloud-world";

export interface RoleGrant {
  readonly principalId: string;
  /** The name of a built-in or custom role. */
  readonly role: string;
  readonly scope: string;
}

/** An assignment that the tenant's administrator made beforehand; the same twice is one. */
export function grantRole({ access, directory }: CloudWorld, { principalId, role, scope }: RoleGrant): void {
  const definition = access.findRoleByName(role);
  const principal = directory.find(principalId);
  if (!definition || !principal)
    throw new Error(`grant ${role} to ${principalId}: no such ${definition ? "principal" : "role"}`);
  const hex = createHash("sha256").update(`${principalId} ${definition.guid} ${scope}`.toLowerCase()).digest("hex");
  const name = hex.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12}).*$/, "$1-$2-$3-$4-$5");
  const id = `${scope === "/" ? "" : scope}/providers/Microsoft.Authorization/roleAssignments/${name}`;
  if (access.assignments.get(id.toLowerCase())) return;
  access.assignments.set(id.toLowerCase(), {
    id,
    name,
    scope,
    roleGuid: definition.guid,
    roleDefinitionId: `/providers/Microsoft.Authorization/roleDefinitions/${definition.guid}`,
    principalId,
    principalType: principal.type,
    createdOn: new Date().toISOString(),
    createdBy: "",
    effectiveAtMs: 0,
  });
}
