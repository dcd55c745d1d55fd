import { randomBytes } from "node:crypto";
import type { EstateConfirmation, Organization } from "../contract/organization";
import type { OrganizationRow, OrganizationTable } from "../state/organization-table";

export type Registered =
  | { readonly outcome: "registered" | "updated"; readonly row: OrganizationRow }
  | { readonly outcome: "refused"; readonly field: string; readonly message: string };

const TRIES = 5;

/** Organizations and their settings. The row with the unique suffix is there before anything in Azure is. */
export class OrganizationIntake {
  constructor(private readonly organizations: OrganizationTable) {}

  async put(settings: Organization): Promise<Registered> {
    for (let tries = 0; tries < TRIES; tries += 1) {
      const known = await this.organizations.find(settings.org);
      if (!known) {
        const row: OrganizationRow = {
          org: settings.org,
          settings,
          state: "Registered",
          reasons: [],
          suffix: randomBytes(3).toString("hex"),
          createdAt: new Date().toISOString(),
        };
        if ((await this.organizations.insert(row)) === "inserted") return { outcome: "registered", row };
        continue;
      }
      const refusal = refusalOfChange(known.value.settings, settings);
      if (refusal) return { outcome: "refused", ...refusal };
      const row: OrganizationRow = { ...known.value, settings };
      if ((await this.organizations.replace(known, row)) === "replaced") return { outcome: "updated", row };
    }
    throw new Error(`put ${settings.org}: its row kept changing`);
  }

  /** Notes what the one who laid down the estate says of it; reading it back is the next step. */
  async confirm(org: string, confirmation: EstateConfirmation): Promise<OrganizationRow> {
    for (let tries = 0; tries < TRIES; tries += 1) {
      const known = await this.organizations.find(org);
      if (!known) break;
      const { dataBlobEndpoint, vaultUrl } = confirmation;
      const row: OrganizationRow = {
        ...known.value,
        ...(known.value.state === "Registered" && { state: "Provisioning" as const }),
        ...(dataBlobEndpoint !== undefined && { dataBlobEndpoint }),
        ...(vaultUrl !== undefined && { vaultUrl }),
      };
      if ((await this.organizations.replace(known, row)) === "replaced") return row;
    }
    throw new Error(`confirm ${org}: its row is gone or kept changing`);
  }
}

/** What an organization cannot change once its estate may exist. */
function refusalOfChange(before: Organization, after: Organization): { field: string; message: string } | undefined {
  if (before.subscriptionId !== after.subscriptionId) {
    return {
      field: "subscriptionId",
      message: `subscriptionId: stays ${before.subscriptionId}; register another organization for another subscription`,
    };
  }
  if (before.machineIdentity.type === "user-assigned" && after.machineIdentity.type === "system-assigned") {
    return {
      field: "machineIdentity",
      message: "machineIdentity: may go from system-assigned to user-assigned, never back",
    };
  }
  return undefined;
}
