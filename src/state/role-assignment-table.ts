import type { TableClient } from "@azure/data-tables";
import type { PrincipalType } from "../contract/access";
import { deleteRow, findRow, insertRow, listRows, type Stored, toEntity } from "./rows";

/** That a principal holds a role. It is given and taken away, never changed. */
export interface RoleAssignmentRow {
  readonly id: string;
  /** undefined: its scope is wider than one organization. */
  readonly org?: string;
  readonly principalId: string;
  readonly principalType: PrincipalType;
  readonly role: string;
  readonly scope: string;
  readonly createdBy: string;
  readonly createdAt: string;
}

/** Names of organizations start with a letter, so this partition is nobody's. */
const WIDE = "-";
const partitionOf = (org: string | undefined): string => org ?? WIDE;

/** RoleAssignments: partition = organization, or `-` for wider scopes; row = id. */
export class RoleAssignmentTable {
  constructor(private readonly client: TableClient) {}

  find(org: string | undefined, id: string): Promise<Stored<RoleAssignmentRow> | undefined> {
    return findRow<RoleAssignmentRow>(this.client, partitionOf(org), id);
  }

  insert(row: RoleAssignmentRow): Promise<"inserted" | "exists"> {
    return insertRow(this.client, toEntity(partitionOf(row.org), row.id, row));
  }

  delete({ org, id }: RoleAssignmentRow): Promise<void> {
    return deleteRow(this.client, partitionOf(org), id);
  }

  async list(org: string | undefined): Promise<RoleAssignmentRow[]> {
    const rows = await listRows<RoleAssignmentRow>(this.client, partitionOf(org), "");
    return rows.map(({ value }) => value);
  }
}
