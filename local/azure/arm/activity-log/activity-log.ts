import type { DatabaseSync, StatementSync } from "node:sqlite";
import type { ActivityFilter } from "./activity-filter";
import type { ActivityRow } from "./activity-row";

export interface ActivityPage {
  readonly rows: readonly Readonly<Record<string, unknown>>[];
  /** Number of the last row, when there are more. */
  readonly next?: number;
}

/** Azure keeps 90 days; here the newest lines are kept, so that a stack that runs for long does not grow. */
const KEPT_ROWS = 20_000;

const COLUMNS = [
  "subscriptionId",
  "resourceGroup",
  "resourceId",
  "provider",
  "correlationId",
  "caller",
  "status",
] as const;

/** What was done to resources, by whom, on disk and in the order in which it ended. */
export class ActivityLog {
  private readonly insert: StatementSync;
  private readonly forget: StatementSync;

  constructor(
    private readonly database: DatabaseSync,
    private readonly keptRows = KEPT_ROWS,
  ) {
    const columns = COLUMNS.map((name) => `${name} TEXT NOT NULL COLLATE NOCASE`).join(", ");
    database.exec(
      `CREATE TABLE IF NOT EXISTS activityLog (number INTEGER PRIMARY KEY AUTOINCREMENT, at TEXT NOT NULL, ${columns}, view TEXT NOT NULL) STRICT`,
    );
    const names = COLUMNS.join(", ");
    const marks = COLUMNS.map(() => "?").join(", ");
    this.insert = database.prepare(`INSERT INTO activityLog (at, ${names}, view) VALUES (?, ${marks}, ?)`);
    this.forget = database.prepare("DELETE FROM activityLog WHERE number <= ?");
  }

  add(row: ActivityRow): void {
    const { lastInsertRowid } = this.insert.run(row.at, ...COLUMNS.map((name) => row[name]), JSON.stringify(row.view));
    this.forget.run(Number(lastInsertRowid) - this.keptRows);
  }

  /** Newest first, as Azure lists them. */
  page(
    subscriptionId: string,
    filter: ActivityFilter,
    { before, size }: { before?: number | undefined; size: number },
  ): ActivityPage {
    const conditions: [string, string | number | undefined][] = [
      ["subscriptionId = ?", subscriptionId],
      ["at >= ?", filter.from],
      ["at <= ?", filter.to],
      ["resourceGroup = ?", filter.resourceGroupName],
      ["resourceId = ?", filter.resourceUri],
      ["provider = ?", filter.resourceProvider],
      ["correlationId = ?", filter.correlationId],
      ["caller = ?", filter.caller],
      ["status = ?", filter.status],
      ["number < ?", before],
    ];
    const given = conditions.flatMap(([text, value]) => (value === undefined ? [] : [[text, value] as const]));
    const found = this.database
      .prepare(
        `SELECT number, view FROM activityLog WHERE ${given.map(([text]) => text).join(" AND ")} ORDER BY number DESC LIMIT ?`,
      )
      .all(...given.map(([, value]) => value), size + 1);
    const shown = found.slice(0, size);
    const rows = shown.map(({ view }) => JSON.parse(String(view)) as Readonly<Record<string, unknown>>); // written by `add`
    const last = shown.at(-1);
    return { rows, ...(found.length > size && last ? { next: Number(last["number"]) } : {}) };
  }
}
