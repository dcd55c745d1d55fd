import type { VaultFacts } from "../../../vault/vault-request";
import { propertiesOf, type ResourceStore, type StoredResource } from "../resource-store";
import type { AccessPolicyEntry } from "./vault-body";

export const VAULT_TYPE = "Microsoft.KeyVault/vaults";

/** Two vaults of one name, one after the other, hold different things: the instance tells them apart. */
export const instanceOf = ({ hidden }: StoredResource): string => String(hidden["instance"]);

/** Tells the data plane what ARM knows of a vault. */
export function createVaultDescription(
  resources: ResourceStore,
): (instance: string) => Omit<VaultFacts, "uri" | "instance"> | undefined {
  const idOf = new Map<string, string>();
  const find = (instance: string): StoredResource | undefined => {
    const known = resources.get(idOf.get(instance) ?? "");
    if (known && instanceOf(known) === instance) return known;
    const found = resources.ofType(VAULT_TYPE).find((one) => instanceOf(one) === instance);
    if (found) idOf.set(instance, found.id);
    else idOf.delete(instance);
    return found;
  };
  return (instance) => {
    const vault = find(instance);
    return vault && factsOf(vault);
  };
}

function factsOf(vault: StoredResource): Omit<VaultFacts, "uri" | "instance"> {
  const properties = propertiesOf(vault);
  return {
    resourceId: vault.id,
    name: vault.name,
    location: String(vault.body["location"]),
    usesRoles: properties["enableRbacAuthorization"] === true,
    accessPolicies: accessPoliciesOf(vault),
    retentionDays: Number(properties["softDeleteRetentionInDays"]),
    isPurgeProtected: properties["enablePurgeProtection"] === true,
  };
}

export function accessPoliciesOf(vault: StoredResource): AccessPolicyEntry[] {
  return (propertiesOf(vault)["accessPolicies"] ?? []) as AccessPolicyEntry[]; // checked when they were written
}
