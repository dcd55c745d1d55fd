import { RestError, type TableClient, type TableEntity, type TransactionAction } from "@azure/data-tables";
import { and, before, equals, type Filter, from } from "./filter";

/** A string property of Table Storage holds 64 KiB of UTF-16, so longer documents are cut into columns json0, json1, … */
const CHUNK_CHARACTERS = 30_000;
const HALF_CHARACTER = /[\ud800-\udbff]$/;
/** Version of the row layout; readers of a later layout tell older rows by it. */
const LAYOUT = 1;

export interface Stored<T> {
  readonly value: T;
  readonly etag: string;
}

export interface Row {
  readonly [column: string]: unknown;
}

/** The document as columns, with `state` beside it so that a person who opens the table sees something. */
export function toEntity(partitionKey: string, rowKey: string, value: object): TableEntity {
  const json = JSON.stringify(value);
  const entity: TableEntity = { partitionKey, rowKey, v: LAYOUT };
  if ("state" in value && typeof value.state === "string") entity["state"] = value.state;
  let start = 0;
  for (let index = 0; start < json.length; index += 1) {
    const end = start + CHUNK_CHARACTERS;
    // A character of two code units stays whole: half of one is no text, and a store may replace it.
    const chunk = HALF_CHARACTER.test(json.slice(end - 1, end)) ? json.slice(start, end - 1) : json.slice(start, end);
    entity[`json${index}`] = chunk;
    start += chunk.length;
  }
  return entity;
}

function documentOf(row: Row): unknown {
  let json = "";
  for (let index = 0; ; index += 1) {
    const chunk = row[`json${index}`];
    if (typeof chunk !== "string") break;
    json += chunk;
  }
  return JSON.parse(json);
}

/** The document of a row, once it is certain that it is of the partition that was asked for: no query may read another organization's. */
export function rowValue(row: Row, partitionKey: string | undefined): unknown {
  if (partitionKey !== undefined && row["partitionKey"] !== partitionKey)
    throw new Error(`a row of ${String(row["partitionKey"])} came for ${partitionKey}`);
  return documentOf(row);
}

export function isStatus(error: unknown, ...statusCodes: readonly number[]): boolean {
  return error instanceof RestError && error.statusCode !== undefined && statusCodes.includes(error.statusCode);
}

export async function findRow<T>(
  client: TableClient,
  partitionKey: string,
  rowKey: string,
): Promise<Stored<T> | undefined> {
  try {
    const row = await client.getEntity<Row>(partitionKey, rowKey);
    // Rows are written by this service only, each table by one class: the document has the type that was put in.
    return { value: rowValue(row, partitionKey) as T, etag: row.etag };
  } catch (error) {
    if (isStatus(error, 404)) return undefined;
    throw error;
  }
}

/** All rows of a partition whose key starts with the prefix; a range query, so its cost is that of what it returns. */
export async function listRows<T>(client: TableClient, partitionKey: string, prefix: string): Promise<Stored<T>[]> {
  const isPrefixed = prefix !== "";
  const filter = and(
    equals("PartitionKey", partitionKey),
    from("RowKey", isPrefixed ? prefix : undefined),
    before("RowKey", isPrefixed ? `${prefix}\u{ffff}` : undefined),
  );
  return collect<T>(client, { partitionKey, filter });
}

/** Rows of a partition whose keys lie between two, the first one included. */
export function listRowsBetween<T>(
  client: TableClient,
  partitionKey: string,
  keys: { readonly from: string; readonly to: string },
): Promise<Stored<T>[]> {
  const filter = and(equals("PartitionKey", partitionKey), from("RowKey", keys.from), before("RowKey", keys.to));
  return collect<T>(client, { partitionKey, filter });
}

/** All rows of a table: only for tables that stay small, such as one row for each organization. */
export function scanRows<T>(client: TableClient): Promise<Stored<T>[]> {
  return collect<T>(client, {});
}

interface Selection {
  readonly partitionKey?: string;
  readonly filter?: Filter | undefined;
}

async function collect<T>(client: TableClient, { partitionKey, filter }: Selection): Promise<Stored<T>[]> {
  const rows: Stored<T>[] = [];
  const queryOptions = filter === undefined ? {} : { filter };
  for await (const row of client.listEntities<Row>({ queryOptions }))
    rows.push({ value: rowValue(row, partitionKey) as T, etag: row.etag });
  return rows;
}

/** Inserts a row unless one of that key is there. */
export async function insertRow(client: TableClient, entity: TableEntity): Promise<"inserted" | "exists"> {
  try {
    await client.createEntity(entity);
    return "inserted";
  } catch (error) {
    if (isStatus(error, 409)) return "exists";
    throw error;
  }
}

/** Replaces a row only if nobody has changed it since it was read. */
export async function replaceRow(
  client: TableClient,
  entity: TableEntity,
  etag: string,
): Promise<"replaced" | "stale"> {
  try {
    await client.updateEntity(entity, "Replace", { etag });
    return "replaced";
  } catch (error) {
    if (isStatus(error, 404, 412)) return "stale";
    throw error;
  }
}

/** Deletes a row, whatever is in it; one that is gone already is as good. */
export async function deleteRow(client: TableClient, partitionKey: string, rowKey: string): Promise<void> {
  try {
    await client.deleteEntity(partitionKey, rowKey);
  } catch (error) {
    if (!isStatus(error, 404)) throw error;
  }
}

/** Several writes of one partition that happen together or not at all. `conflict`: a row was there already, or has changed. */
export async function writeTogether(
  client: TableClient,
  actions: TransactionAction[],
): Promise<"written" | "conflict"> {
  try {
    await client.submitTransaction(actions);
    return "written";
  } catch (error) {
    if (isStatus(error, 404, 409, 412)) return "conflict";
    throw error;
  }
}
