import type { TableClient } from "@azure/data-tables";
import type { AuditEntry } from "../contract/audit";
import { insertRow, toEntity } from "./rows";
import { and, equals, from, upTo } from "./filter";
import { pageOfRows, type RowPage } from "./row-page";
import { WIDE_HOME } from "./role-definition-table";

export interface AuditQuery {
  readonly from?: string | undefined;
  readonly to?: string | undefined;
  readonly operation?: string | undefined;
  readonly actorId?: string | undefined;
  readonly outcome?: string | undefined;
  readonly correlationId?: string | undefined;
  readonly top: number;
  /** Where the last page ended. */
  readonly after?: string | undefined;
}

/** Audit: partition = organization or `-`, row = id and phase. Rows are only ever added: the app's role needs no more. */
export class AuditTable {
  constructor(private readonly client: TableClient) {}

  /** The same line again changes nothing. */
  async append(entry: AuditEntry): Promise<void> {
    const columns = {
      at: entry.at,
      operation: entry.operation.toLowerCase(),
      actorId: entry.actor.id.toLowerCase(),
      outcome: entry.outcome ?? "",
      correlationId: entry.correlationId,
    };
    const key = `${entry.id}:${entry.phase}`;
    await insertRow(this.client, { ...toEntity(entry.org ?? WIDE_HOME, key, entry), ...columns });
  }

  async list(home: string, query: AuditQuery): Promise<RowPage<AuditEntry>> {
    const { operation, actorId, outcome, correlationId } = query;
    const filter = and(
      from("at", query.from),
      upTo("at", query.to),
      equals("operation", operation?.toLowerCase()),
      equals("actorId", actorId?.toLowerCase()),
      equals("outcome", outcome),
      equals("correlationId", correlationId),
    );
    return pageOfRows<AuditEntry>(this.client, { partitionKey: home, filter, top: query.top, after: query.after });
  }
}
