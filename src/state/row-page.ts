import type { TableClient } from "@azure/data-tables";
import { after, and, equals, type Filter } from "./filter";
import { type Row, rowValue } from "./rows";

export interface RowPage<T> {
  readonly values: readonly T[];
  /** Key of the last row, when there are more: where the next page begins. */
  readonly next?: string;
}

export interface PageQuery {
  readonly partitionKey: string;
  readonly filter?: Filter | undefined;
  readonly top: number;
  readonly after?: string | undefined;
}

/** Some rows of a partition in the order of their keys. Pages go by key and not by the store's token, so that a link is good for ever. */
export async function pageOfRows<T>(client: TableClient, query: PageQuery): Promise<RowPage<T>> {
  const { partitionKey, top } = query;
  const filter = and(equals("PartitionKey", partitionKey), after("RowKey", query.after), query.filter);
  const values: T[] = [];
  let last = "";
  for await (const row of client.listEntities<Row>({ queryOptions: { filter: filter ?? "" } })) {
    if (values.length === top) return { values, next: last };
    values.push(rowValue(row, partitionKey) as T);
    last = String(row["rowKey"]);
  }
  return { values };
}
