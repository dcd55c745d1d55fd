import { DatabaseSync, type StatementSync } from "node:sqlite";
import type { Change, MessageState, Properties, PropertyValue, QueueSnapshot, StoredMessage } from "./stored-message";

const schema = `
  PRAGMA journal_mode = WAL;
  PRAGMA synchronous = FULL;
  CREATE TABLE IF NOT EXISTS queues (name TEXT PRIMARY KEY, next_sequence INTEGER NOT NULL) WITHOUT ROWID;
  CREATE TABLE IF NOT EXISTS messages (
    queue TEXT NOT NULL, sequence INTEGER NOT NULL, enqueued_sequence INTEGER NOT NULL, message_id TEXT NOT NULL,
    enqueued_at INTEGER NOT NULL, state TEXT NOT NULL, due_at INTEGER, deliveries INTEGER NOT NULL, properties TEXT NOT NULL,
    dead_letter_source TEXT, content BLOB NOT NULL, PRIMARY KEY (queue, sequence));
  CREATE TABLE IF NOT EXISTS remembered (queue TEXT NOT NULL, message_id TEXT NOT NULL, until INTEGER NOT NULL);
`;

interface MessageRow {
  readonly sequence: number;
  readonly enqueued_sequence: number;
  readonly message_id: string;
  readonly enqueued_at: number;
  readonly state: string;
  readonly due_at: number | null;
  readonly deliveries: number;
  readonly properties: string;
  readonly dead_letter_source: string | null;
  readonly content: Uint8Array;
}

/**
 * The broker's memory on disk. All changes of one turn of the event loop are one transaction with one fsync; rows of settled
 * messages are deleted, so the file stays as large as the queues are.
 */
export class Journal {
  private readonly database: DatabaseSync;
  private readonly statements: ReturnType<typeof prepare>;
  private pending: Change[] = [];
  private waiters: { readonly resolve: () => void; readonly reject: (error: unknown) => void }[] = [];
  private scheduled: NodeJS.Immediate | undefined;

  constructor(
    dataFile: string,
    private readonly onCommit: () => void = () => undefined,
  ) {
    this.database = new DatabaseSync(dataFile);
    this.database.exec(schema);
    this.statements = prepare(this.database);
  }

  record(change: Change): void {
    this.pending.push(change);
    this.scheduled ??= setImmediate(() => this.commit());
  }

  /** Calls back once everything recorded so far is on disk. */
  whenCommitted(resolve: () => void, reject: (error: unknown) => void): void {
    this.waiters.push({ resolve, reject });
    this.scheduled ??= setImmediate(() => this.commit());
  }

  /** Commits at once what is pending. */
  commit(): void {
    clearImmediate(this.scheduled);
    this.scheduled = undefined;
    const { pending, waiters } = this;
    this.pending = [];
    this.waiters = [];
    try {
      this.write(pending);
    } catch (error) {
      for (const { reject } of waiters) reject(error);
      throw error;
    }
    for (const { resolve } of waiters) resolve();
    if (pending.length > 0) this.onCommit();
  }

  snapshotOf(queue: string): QueueSnapshot {
    const next = this.database.prepare("SELECT next_sequence FROM queues WHERE name = ?").get(queue);
    const rows = this.database.prepare("SELECT * FROM messages WHERE queue = ? ORDER BY sequence").all(queue);
    const remembered = this.database
      .prepare("SELECT message_id, until FROM remembered WHERE queue = ? ORDER BY until")
      .all(queue);
    return {
      nextSequence: next ? Number(next["next_sequence"]) : 1,
      // The columns are those of the schema above, which only this file writes.
      messages: rows.map((row) => messageOf(row as unknown as MessageRow)),
      remembered: remembered.map((row) => ({ messageId: String(row["message_id"]), until: Number(row["until"]) })),
    };
  }

  close(): void {
    this.commit();
    this.database.close();
  }

  private write(changes: readonly Change[]): void {
    if (changes.length === 0) return;
    this.database.exec("BEGIN IMMEDIATE");
    try {
      const lastSequences = new Map<string, number>();
      for (const [index, change] of changes.entries()) {
        if (change.kind === "put") lastSequences.set(change.queue, change.message.sequence);
        if (!isOvertaken(changes, index)) this.apply(change);
      }
      for (const [queue, sequence] of lastSequences) this.statements.advance.run(queue, sequence + 1);
      this.database.exec("COMMIT");
    } catch (error) {
      this.database.exec("ROLLBACK");
      throw error;
    }
  }

  private apply(change: Change): void {
    const { put, update, remove, remember, forget } = this.statements;
    switch (change.kind) {
      case "put":
        putMessage(put, change.queue, change.message);
        break;
      case "update": {
        const { state, deliveries, properties, sequence } = change.message;
        update.run(state, deliveries, written(properties), change.queue, sequence);
        break;
      }
      case "remove":
        remove.run(change.queue, change.sequence);
        break;
      case "remember":
        remember.run(change.queue, change.messageId, change.until);
        break;
      case "forget":
        forget.run(change.queue, change.until);
        break;
    }
  }
}

/** The next change often removes what this one would update: a lock and its settlement in one turn. */
function isOvertaken(changes: readonly Change[], index: number): boolean {
  const change = changes[index];
  const next = changes[index + 1];
  return (
    change?.kind === "update" &&
    next?.kind === "remove" &&
    change.queue === next.queue &&
    change.message.sequence === next.sequence
  );
}

function prepare(database: DatabaseSync) {
  return {
    put: database.prepare("INSERT INTO messages VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"),
    update: database.prepare(
      "UPDATE messages SET state = ?, deliveries = ?, properties = ? WHERE queue = ? AND sequence = ?",
    ),
    remove: database.prepare("DELETE FROM messages WHERE queue = ? AND sequence = ?"),
    remember: database.prepare("INSERT INTO remembered VALUES (?, ?, ?)"),
    forget: database.prepare("DELETE FROM remembered WHERE queue = ? AND until <= ?"),
    advance: database.prepare(
      "INSERT INTO queues VALUES (?, ?) ON CONFLICT (name) DO UPDATE SET next_sequence = max(next_sequence, excluded.next_sequence)",
    ),
  };
}

function putMessage(put: StatementSync, queue: string, message: StoredMessage): void {
  const { sequence, enqueuedSequence, messageId, enqueuedAt, state, deliveries } = message;
  const source = message.deadLetterSource ?? null;
  const identity = [queue, sequence, enqueuedSequence, messageId, enqueuedAt] as const;
  put.run(...identity, state, message.dueAt ?? null, deliveries, written(message.properties), source, message.content);
}

function messageOf(row: MessageRow): StoredMessage {
  return {
    sequence: row.sequence,
    enqueuedSequence: row.enqueued_sequence,
    messageId: row.message_id,
    enqueuedAt: row.enqueued_at,
    content: Buffer.from(row.content),
    // Only `putMessage` writes this column.
    state: row.state as MessageState,
    dueAt: row.due_at ?? undefined,
    deliveries: row.deliveries,
    properties: readBack(row.properties),
    deadLetterSource: row.dead_letter_source ?? undefined,
  };
}

function written(properties: Properties): string {
  const entries = Object.entries(properties);
  if (entries.length === 0) return "";
  return JSON.stringify(
    entries.map(([name, value]) => [name, value instanceof Date ? { date: value.getTime() } : value]),
  );
}

function readBack(text: string): Properties {
  if (text === "") return {};
  const entries = JSON.parse(text) as [string, Exclude<PropertyValue, Date> | { readonly date: number }][];
  return Object.fromEntries(
    entries.map(([name, value]) => [name, typeof value === "object" ? new Date(value.date) : value]),
  );
}
