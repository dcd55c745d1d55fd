import type { Organization } from "../contract/organization";

/** Where an organization's resources lie. Names are functions of the organization, so that every part finds them without asking. */
export interface EstateLocation {
  readonly prefix: string;
  readonly org: string;
  readonly subscriptionId: string;
}

export const computeGroupOf = ({ prefix, org }: EstateLocation): string => `${prefix}-${org}`;

export function computeGroupIdOf(estate: EstateLocation): string {
  return `/subscriptions/${estate.subscriptionId}/resourceGroups/${computeGroupOf(estate)}`;
}

/** The subnet of the managed VMs; each location in use has a network of its own. */
export function machineSubnetIdOf(estate: EstateLocation, location: string): string {
  return `${computeGroupIdOf(estate)}/providers/Microsoft.Network/virtualNetworks/vnet-${location}/subnets/machines`;
}

/** The identity that the estate makes for its machines; an organization may bring others instead. */
export function machineIdentityIdOf(estate: EstateLocation): string {
  return `${computeGroupIdOf(estate)}/providers/Microsoft.ManagedIdentity/userAssignedIdentities/id-machines`;
}

/** Resource ids of the identities that a VM of the organization gets; none when it uses the system-assigned one. */
export function machineIdentityIdsOf(
  estate: EstateLocation,
  identity: Organization["machineIdentity"],
): readonly string[] {
  if (identity.type === "system-assigned") return [];
  return identity.ids ?? [machineIdentityIdOf(estate)];
}

export const vmNameOf = (org: string, machineId: string): string => `vm-${org}-${machineId}`;
export const osDiskNameOf = (org: string, machineId: string): string => `osdisk-${org}-${machineId}`;
export const nicNameOf = (org: string, machineId: string): string => `nic-${org}-${machineId}`;

/** Set at create only. Leftovers of a machine are found by them. */
export function machineTagsOf(deploymentId: string, org: string, machineId: string): Record<string, string> {
  return { "corral:deployment": deploymentId, "corral:org": org, "corral:machine": machineId };
}

/** Login server of the estate's own registry; the suffix makes it unique in the world. */
export function registryOf(org: string, suffix: string): string {
  return `cr${org.replaceAll("-", "")}${suffix}.azurecr.io`;
}
