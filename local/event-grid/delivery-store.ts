import { mkdirSync } from "node:fs";
import { dirname } from "node:path";
import { DatabaseSync, type StatementSync } from "node:sqlite";
import type { GridEvent } from "./grid-event";

/** An event on its way to one subscription. */
export interface PendingDelivery {
  readonly id: number;
  /** Stays the same over all attempts, so that receivers can know an event again. */
  readonly messageId: string;
  readonly event: GridEvent;
  readonly bytes: number;
  readonly publishedAt: number;
  readonly attempts: number;
  readonly lastOutcome: string | undefined;
  readonly lastAttemptAt: number | undefined;
}

export interface NewDelivery {
  readonly subscription: string;
  readonly messageId: string;
  readonly event: GridEvent;
}

export interface DeliveryCounts {
  readonly matched: number;
  readonly delivered: number;
  /** Attempts that failed, whatever became of the event. */
  readonly failed: number;
  readonly deadLettered: number;
  readonly dropped: number;
}

export type Counter = keyof DeliveryCounts;

const NOTHING: DeliveryCounts = { matched: 0, delivered: 0, failed: 0, deadLettered: 0, dropped: 0 };

const SCHEMA = `
  PRAGMA journal_mode = WAL;
  PRAGMA synchronous = NORMAL;
  CREATE TABLE IF NOT EXISTS deliveries (
    id INTEGER PRIMARY KEY AUTOINCREMENT, subscription TEXT NOT NULL, messageId TEXT NOT NULL, event TEXT NOT NULL,
    bytes INTEGER NOT NULL, publishedAt INTEGER NOT NULL, dueAt INTEGER NOT NULL, attempts INTEGER NOT NULL DEFAULT 0,
    lastOutcome TEXT, lastAttemptAt INTEGER, taken INTEGER NOT NULL DEFAULT 0) STRICT;
  CREATE INDEX IF NOT EXISTS deliveriesDue ON deliveries (subscription, taken, dueAt);
  CREATE TABLE IF NOT EXISTS counters (
    subscription TEXT NOT NULL, name TEXT NOT NULL, value INTEGER NOT NULL, PRIMARY KEY (subscription, name)) STRICT;
`;

type Row = Readonly<Record<string, unknown>>;

/** Events that are not delivered yet, on disk before their publisher is answered: a killed process delivers them afterwards. */
export class DeliveryStore {
  readonly database: DatabaseSync;
  private readonly pending = new Map<string, number>();
  private readonly statements: Readonly<Record<"insert" | "due" | "next" | "take" | "retry" | "remove", StatementSync>>;
  private readonly count: StatementSync;
  private readonly counted = new Map<string, DeliveryCounts>();

  constructor(file: string) {
    mkdirSync(dirname(file), { recursive: true, mode: 0o700 });
    this.database = new DatabaseSync(file);
    this.database.exec(SCHEMA);
    // What the process that ended had under way was not acknowledged: it is delivered again.
    this.database.exec("UPDATE deliveries SET taken = 0 WHERE taken = 1");
    const prepare = (sql: string): StatementSync => this.database.prepare(sql);
    this.statements = {
      insert: prepare(
        "INSERT INTO deliveries (subscription, messageId, event, bytes, publishedAt, dueAt) VALUES (?, ?, ?, ?, ?, ?)",
      ),
      due: prepare(
        "SELECT * FROM deliveries WHERE subscription = ? AND taken = 0 AND dueAt <= ? ORDER BY dueAt, id LIMIT ?",
      ),
      next: prepare("SELECT min(dueAt) AS dueAt FROM deliveries WHERE subscription = ? AND taken = 0"),
      take: prepare("UPDATE deliveries SET taken = 1 WHERE id = ?"),
      retry: prepare(
        "UPDATE deliveries SET taken = 0, dueAt = ?, attempts = ?, lastOutcome = ?, lastAttemptAt = ? WHERE id = ?",
      ),
      remove: prepare("DELETE FROM deliveries WHERE id = ?"),
    };
    this.count = prepare(
      "INSERT INTO counters VALUES (?, ?, ?) ON CONFLICT (subscription, name) DO UPDATE SET value = value + excluded.value",
    );
    this.load();
  }

  private load(): void {
    for (const row of this.database.prepare("SELECT subscription, count(*) AS n FROM deliveries GROUP BY 1").all())
      this.pending.set(String(row["subscription"]), Number(row["n"]));
    for (const row of this.database.prepare("SELECT subscription, name, value FROM counters").all()) {
      const key = String(row["subscription"]);
      this.counted.set(key, { ...this.countsOf(key), [String(row["name"])]: Number(row["value"]) });
    }
  }

  transaction<Result>(act: () => Result): Result {
    this.database.exec("BEGIN IMMEDIATE");
    try {
      const result = act();
      this.database.exec("COMMIT");
      return result;
    } catch (error) {
      this.database.exec("ROLLBACK");
      throw error;
    }
  }

  add({ subscription, messageId, event }: NewDelivery, now: number): void {
    const text = JSON.stringify(event);
    this.statements.insert.run(subscription, messageId, text, Buffer.byteLength(text), now, now);
    this.change(subscription, 1);
  }

  subscriptions(): string[] {
    return [...this.pending.keys()];
  }

  pendingOf(subscription: string): number {
    return this.pending.get(subscription) ?? 0;
  }

  /** Takes what is due, within both limits but at least one, so that an event above the size goes alone. */
  take(
    subscription: string,
    now: number,
    limit: { readonly events: number; readonly bytes: number },
  ): PendingDelivery[] {
    const taken: PendingDelivery[] = [];
    let bytes = 0;
    for (const row of this.statements.due.iterate(subscription, now, limit.events)) {
      bytes += Number(row["bytes"]);
      if (taken.length > 0 && bytes > limit.bytes) break;
      taken.push(toPending(row));
    }
    for (const { id } of taken) this.statements.take.run(id);
    return taken;
  }

  nextDueAt(subscription: string): number | undefined {
    const dueAt = this.statements.next.get(subscription)?.["dueAt"];
    return typeof dueAt === "number" ? dueAt : undefined;
  }

  retry(
    { id }: PendingDelivery,
    next: { dueAt: number; attempts: number; outcome: string; lastAttemptAt: number },
  ): void {
    this.statements.retry.run(Math.ceil(next.dueAt), next.attempts, next.outcome, next.lastAttemptAt, id);
  }

  remove(subscription: string, { id }: PendingDelivery): void {
    if (this.statements.remove.run(id).changes > 0) this.change(subscription, -1);
  }

  /** A subscription that is gone takes its events with it. */
  forget(subscription: string): number {
    const { changes } = this.database.prepare("DELETE FROM deliveries WHERE subscription = ?").run(subscription);
    this.database.prepare("DELETE FROM counters WHERE subscription = ?").run(subscription);
    this.pending.delete(subscription);
    this.counted.delete(subscription);
    return Number(changes);
  }

  increase(subscription: string, counter: Counter, by = 1): void {
    const counts = this.countsOf(subscription);
    this.counted.set(subscription, { ...counts, [counter]: counts[counter] + by });
    this.count.run(subscription, counter, by);
  }

  countsOf(subscription: string): DeliveryCounts {
    return this.counted.get(subscription) ?? NOTHING;
  }

  close(): void {
    this.database.close();
  }

  private change(subscription: string, by: number): void {
    const count = this.pendingOf(subscription) + by;
    if (count > 0) this.pending.set(subscription, count);
    else this.pending.delete(subscription);
  }
}

function toPending(row: Row): PendingDelivery {
  return {
    id: Number(row["id"]),
    messageId: String(row["messageId"]),
    event: JSON.parse(String(row["event"])) as GridEvent, // written by `add`
    bytes: Number(row["bytes"]),
    publishedAt: Number(row["publishedAt"]),
    attempts: Number(row["attempts"]),
    lastOutcome: typeof row["lastOutcome"] === "string" ? row["lastOutcome"] : undefined,
    lastAttemptAt: typeof row["lastAttemptAt"] === "number" ? row["lastAttemptAt"] : undefined,
  };
}
