import type { TableClient } from "@azure/data-tables";
import type { RoleAssignmentBody } from "../contract/access";
import type { Assignment } from "../domain/access/evaluator";
import { deleteRow, findRow, insertRow, listRows, type Stored, toEntity } from "./rows";

/** An assignment as stored; `role` is the role's key, `scope` in its one spelling, `principalId` in lower case. */
export interface RoleAssignmentRow extends Assignment {
  /** The organization in which it counts, or `-` when its scope is wider than an organization. */
  readonly home: string;
  readonly principalType: RoleAssignmentBody["principalType"];
  /** The role as its giver named it. */
  readonly roleName: string;
  readonly createdAt: string;
  /** Object id of who gave it. */
  readonly createdBy: string;
}

/** RoleAssignments: partition = organization or `-`, row = id. They are made and removed, never changed. */
export class RoleAssignmentTable {
  constructor(private readonly client: TableClient) {}

  find(home: string, id: string): Promise<Stored<RoleAssignmentRow> | undefined> {
    return findRow<RoleAssignmentRow>(this.client, home, id);
  }

  insert(row: RoleAssignmentRow): Promise<"inserted" | "exists"> {
    return insertRow(this.client, toEntity(row.home, row.id, row));
  }

  remove(home: string, id: string): Promise<void> {
    return deleteRow(this.client, home, id);
  }

  async listOf(home: string): Promise<RoleAssignmentRow[]> {
    const rows = await listRows<RoleAssignmentRow>(this.client, home, "");
    return rows.map(({ value }) => value);
  }
}
