import type { TableClient } from "@azure/data-tables";
import type { RoleDefinition } from "../contract/access";
import { deleteRow, findRow, insertRow, listRows, replaceRow, type Stored, toEntity } from "./rows";

/** A custom role. `org` undefined: it may be assigned wider than in one organization. */
export interface RoleDefinitionRow {
  readonly slug: string;
  readonly org?: string;
  readonly definition: RoleDefinition;
  readonly createdBy: string;
  readonly createdAt: string;
  readonly updatedBy: string;
  readonly updatedAt: string;
}

/** Names of organizations start with a letter, so this partition is nobody's. */
const WIDE = "-";
const partitionOf = (org: string | undefined): string => org ?? WIDE;

/** RoleDefinitions: partition = organization, or `-` for roles of wider scopes; row = slug. */
export class RoleDefinitionTable {
  constructor(private readonly client: TableClient) {}

  find(org: string | undefined, slug: string): Promise<Stored<RoleDefinitionRow> | undefined> {
    return findRow<RoleDefinitionRow>(this.client, partitionOf(org), slug);
  }

  insert(row: RoleDefinitionRow): Promise<"inserted" | "exists"> {
    return insertRow(this.client, toEntity(partitionOf(row.org), row.slug, row));
  }

  replace(before: Stored<RoleDefinitionRow>, next: RoleDefinitionRow): Promise<"replaced" | "stale"> {
    return replaceRow(this.client, toEntity(partitionOf(next.org), next.slug, next), before.etag);
  }

  delete({ org, slug }: RoleDefinitionRow): Promise<void> {
    return deleteRow(this.client, partitionOf(org), slug);
  }

  async list(org: string | undefined): Promise<RoleDefinitionRow[]> {
    const rows = await listRows<RoleDefinitionRow>(this.client, partitionOf(org), "");
    return rows.map(({ value }) => value);
  }
}
