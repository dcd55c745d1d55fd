import type { TableClient } from "@azure/data-tables";
import type { Organization, OrganizationState } from "../contract/organization";
import { findRow, insertRow, replaceRow, scanRows, type Stored, toEntity } from "./rows";

/** An organization as stored: its settings and what became of its estate. */
export interface OrganizationRow {
  readonly org: string;
  readonly settings: Organization;
  readonly state: OrganizationState;
  readonly reasons: readonly string[];
  /** Part of the world-unique names of its estate; decided before anything is created in Azure. */
  readonly suffix: string;
  readonly createdAt: string;
  /** Object id of the identity that its machines carry: whose tokens are an agent's. */
  readonly machinePrincipalId?: string;
  readonly dataBlobEndpoint?: string;
  readonly vaultUrl?: string;
}

const ROW_KEY = "organization";

/** Organizations: partition = organization, one row. */
export class OrganizationTable {
  constructor(private readonly client: TableClient) {}

  find(org: string): Promise<Stored<OrganizationRow> | undefined> {
    return findRow<OrganizationRow>(this.client, org, ROW_KEY);
  }

  insert(row: OrganizationRow): Promise<"inserted" | "exists"> {
    return insertRow(this.client, toEntity(row.org, ROW_KEY, row));
  }

  replace(before: Stored<OrganizationRow>, next: OrganizationRow): Promise<"replaced" | "stale"> {
    return replaceRow(this.client, toEntity(next.org, ROW_KEY, next), before.etag);
  }

  /** A scan: the table holds one row for each organization of the tenant, some hundreds at most. */
  async list(): Promise<OrganizationRow[]> {
    const rows = await scanRows<OrganizationRow>(this.client);
    return rows.map(({ value }) => value);
  }
}
