import type { TableClient } from "@azure/data-tables";
import type { RoleDefinitionBody } from "../contract/access";
import type { Scope } from "../domain/access/scope";
import { deleteRow, findRow, insertRow, listRows, replaceRow, type Stored, toEntity } from "./rows";

/** A custom role as stored. */
export interface RoleDefinitionRow {
  /** The organization that it belongs to, or `-` for one that counts beyond an organization. */
  readonly home: string;
  readonly slug: string;
  /** What assignments refer to. It has a random part, so that a role made anew under an old name inherits no assignments. */
  readonly key: string;
  readonly body: RoleDefinitionBody;
  /** `body.AssignableScopes` in their one spelling. */
  readonly assignableScopes: readonly Scope[];
  readonly changedAt: string;
  /** Object id of who wrote it last. */
  readonly changedBy: string;
}

/** Home of what belongs to no single organization: no organization can be called so. */
export const WIDE_HOME = "-";

/** RoleDefinitions: partition = organization or `-`, row = slug. */
export class RoleDefinitionTable {
  constructor(private readonly client: TableClient) {}

  find(home: string, slug: string): Promise<Stored<RoleDefinitionRow> | undefined> {
    return findRow<RoleDefinitionRow>(this.client, home, slug);
  }

  insert(row: RoleDefinitionRow): Promise<"inserted" | "exists"> {
    return insertRow(this.client, toEntity(row.home, row.slug, row));
  }

  replace(before: Stored<RoleDefinitionRow>, next: RoleDefinitionRow): Promise<"replaced" | "stale"> {
    return replaceRow(this.client, toEntity(next.home, next.slug, next), before.etag);
  }

  remove(home: string, slug: string): Promise<void> {
    return deleteRow(this.client, home, slug);
  }

  async listOf(home: string): Promise<RoleDefinitionRow[]> {
    const rows = await listRows<RoleDefinitionRow>(this.client, home, "");
    return rows.map(({ value }) => value);
  }
}
