import type { AzureFixture } from "./azure-fixture";
import type { ServicePrincipal } from "../../../local/azure/azure-options";
import { GROUP_ID, newGuid, SUBSCRIPTION } from "./azure-fixture";
import { call, type RawReply } from "./wire";

export const READER = "acdd72a7-3385-48ef-bd42-f606fba81ae7";
export const definitionId = (guid: string): string =>
  `/subscriptions/${SUBSCRIPTION}/providers/Microsoft.Authorization/roleDefinitions/${guid}`;

interface Assignment {
  readonly scope?: string;
  readonly guid?: string;
  readonly name?: string;
  readonly to?: { readonly objectId: string };
  readonly more?: object;
}

/** Gives roles through ARM, to the operator unless somebody else is named. */
export function createRoleGiver(fixture: AzureFixture, operator: ServicePrincipal) {
  const assign = ({
    scope = GROUP_ID,
    guid = READER,
    name = newGuid(),
    to = operator,
    more = {},
  }: Assignment): Promise<RawReply> => {
    const properties = { roleDefinitionId: definitionId(guid), principalId: to.objectId, ...more };
    const path = `${scope}/providers/Microsoft.Authorization/roleAssignments/${name}`;
    return call(fixture, { method: "PUT", path, body: { properties } });
  };
  /** A role of one's own, assigned at a scope. */
  const permit = async (
    actions: string[],
    { scope = GROUP_ID, notActions = [] as string[], to = operator } = {},
  ): Promise<string> => {
    const guid = newGuid();
    const properties = {
      roleName: `role ${guid}`,
      assignableScopes: [`/subscriptions/${SUBSCRIPTION}`],
      permissions: [{ actions, notActions }],
    };
    await call(fixture, { method: "PUT", path: definitionId(guid), body: { properties } });
    const name = newGuid();
    if (!scope.includes("/resourceGroups/images/")) await assign({ scope, guid, name, to });
    else fixture.azure.grant({ principalId: to.objectId, role: `role ${guid}`, scope });
    return `${scope}/providers/Microsoft.Authorization/roleAssignments/${name}`;
  };
  return { assign, permit };
}
