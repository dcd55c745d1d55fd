import { AuthorizationManagementClient, type RoleAssignment } from "@azure/arm-authorization";
import { ManagementLockClient } from "@azure/arm-locks";
import type { ServicePrincipal } from "../../../local/azure/azure-options";
import { type AzureFixture, credentialOf, newGuid, SUBSCRIPTION } from "../../local/azure/azure-fixture";
import { definitionId } from "../../local/azure/role-giver";

/** Built-in roles by their real ids. */
export const ROLES = {
  contributor: "b24988ac-6180-42a0-ab88-20f7382dd24c",
  owner: "8e3af657-a8ff-443c-a75c-2fe8c4bcb635",
  reader: "acdd72a7-3385-48ef-bd42-f606fba81ae7",
  roleAdministrator: "f58310d9-a9f6-439a-9e8d-f62e7b41a168",
} as const;

// Clients of the older generation take their scope from the endpoint, unless told.
const classic = ({ azure }: AzureFixture) => ({
  endpoint: azure.armUrl,
  tlsOptions: { ca: azure.caPem },
  retryOptions: { maxRetries: 0 },
  credentialScopes: "https://management.azure.com/.default",
});

export const authorizationOf = (fixture: AzureFixture, principal?: ServicePrincipal): AuthorizationManagementClient =>
  new AuthorizationManagementClient(credentialOf(fixture, principal), SUBSCRIPTION, classic(fixture));

export const locksOf = (fixture: AzureFixture, principal?: ServicePrincipal): ManagementLockClient =>
  new ManagementLockClient(credentialOf(fixture, principal), SUBSCRIPTION, classic(fixture));

interface Giving {
  readonly scope: string;
  readonly role: string;
  readonly to: { readonly objectId: string };
  readonly as?: ServicePrincipal | undefined;
  readonly name?: string;
  readonly principalType?: "User" | "Group" | "ServicePrincipal";
  readonly condition?: string;
  readonly conditionVersion?: string;
}

export function giveRole(fixture: AzureFixture, giving: Giving): Promise<RoleAssignment> {
  const { scope, role, to, as, name = newGuid(), ...more } = giving;
  const properties = { roleDefinitionId: definitionId(role), principalId: to.objectId, ...more };
  return authorizationOf(fixture, as).roleAssignments.create(scope, name, properties);
}

export async function all<Item>(pages: AsyncIterable<Item>): Promise<Item[]> {
  const found: Item[] = [];
  for await (const one of pages) found.push(one);
  return found;
}

/** What a client throws. */
export async function refusalOf(act: Promise<unknown>): Promise<{ status: number; code: string; message: string }> {
  try {
    await act;
  } catch (error) {
    const { statusCode = 0, code = "" } = error as { statusCode?: number; code?: string };
    return { status: statusCode, code, message: error instanceof Error ? error.message : String(error) };
  }
  throw new Error("It was not refused.");
}
