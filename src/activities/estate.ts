import type { ResourceClient } from "../azure/vm-client";
import { computeGroupOf, machineIdentityIdsOf, machineSubnetIdOf } from "../domain/estate-names";
import type { OrgRef } from "../domain/instances";
import type { OrganizationRow, OrganizationTable } from "../state/organization-table";

export interface EstateDeps {
  readonly organizations: OrganizationTable;
  readonly resources: ResourceClient;
  readonly estatePrefix: string;
}

const NETWORK_API_VERSION = "2024-07-01";
/** Until event subscriptions exist, what happens in Azure is noticed by looking, not by being told. */
const EVENTS_NOT_CONNECTED = "eventsNotConnected";

export function createEstateActivities(deps: EstateDeps) {
  /** Looks for everything that a machine needs and that the service may read; returns what is missing. */
  async function readBack(
    settings: OrganizationRow["settings"],
  ): Promise<{ missing: string[]; machinePrincipalId?: string }> {
    const { org, subscriptionId, locations, machineIdentity } = settings;
    const estate = { prefix: deps.estatePrefix, org, subscriptionId };
    const group = computeGroupOf(estate);
    if (!(await deps.resources.groupExists(subscriptionId, group))) return { missing: [`resource group ${group}`] };
    const missing: string[] = [];
    for (const location of locations) {
      const subnetId = machineSubnetIdOf(estate, location);
      if (!(await deps.resources.exists(subnetId, NETWORK_API_VERSION))) missing.push(`subnet ${subnetId}`);
    }
    const [identityId] = machineIdentityIdsOf(estate, machineIdentity);
    if (identityId === undefined) return { missing };
    const machinePrincipalId = await deps.resources.findIdentityPrincipal(identityId);
    if (machinePrincipalId === undefined) return { missing: [...missing, `identity ${identityId}`] };
    return { missing, machinePrincipalId };
  }

  return {
    /** Writes what was found: `Failed` with what is missing, else `Degraded` as long as no events are connected. */
    async confirmEstateOf({ org }: OrgRef): Promise<void> {
      const organization = await deps.organizations.find(org);
      if (!organization) return;
      const { missing, machinePrincipalId } = await readBack(organization.value.settings);
      const next: OrganizationRow = {
        ...organization.value,
        state: missing.length > 0 ? "Failed" : "Degraded",
        reasons: missing.length > 0 ? missing.map((what) => `missing: ${what}`) : [EVENTS_NOT_CONNECTED],
        ...(machinePrincipalId !== undefined && { machinePrincipalId }),
      };
      if ((await deps.organizations.replace(organization, next)) === "stale")
        throw new Error(`confirm ${org}: its row changed`);
    },
  };
}
