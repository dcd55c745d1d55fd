import type { TableClient } from "@azure/data-tables";
import { findRow, insertRow, replaceRow, type Stored, toEntity } from "./rows";

/** How many calls the instances of the app have set aside for a principal in a minute. */
export interface RateRow {
  readonly principalId: string;
  /** Minutes since 1970. */
  readonly minute: number;
  readonly taken: number;
}

const ROW_KEY = "calls";

/** Rates: partition = object id of the principal, one row. */
export class RateTable {
  constructor(private readonly client: TableClient) {}

  find(principalId: string): Promise<Stored<RateRow> | undefined> {
    return findRow<RateRow>(this.client, principalId, ROW_KEY);
  }

  insert(row: RateRow): Promise<"inserted" | "exists"> {
    return insertRow(this.client, toEntity(row.principalId, ROW_KEY, row));
  }

  replace(before: Stored<RateRow>, next: RateRow): Promise<"replaced" | "stale"> {
    return replaceRow(this.client, toEntity(next.principalId, ROW_KEY, next), before.etag);
  }
}
