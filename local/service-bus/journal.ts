import { DatabaseSync, type StatementSync } from "node:sqlite";
import { prepareFile, prepareStatements, type Statements } from "./journal-schema";
import type { Change, MessageState, Properties, PropertyValue, QueueSnapshot, StoredMessage } from "./stored-message";

/** Free pages of 4 KB that stay in the file, for the messages to come. */
const sparePages = 1000;
/** How many pages are given back at once, so that nobody waits long. */
const pagesAtOnce = 500;
const compactionPauseMs = 20;

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
  readonly session_id: string | null;
  readonly expires_at: number | null;
}

/**
 * The broker's memory on disk. All changes of one turn of the event loop are one transaction with one fsync; rows of settled
 * messages are deleted, and their pages given back bit by bit, so that the file stays about as large as the queues are.
 */
export class Journal {
  private readonly database: DatabaseSync;
  private readonly statements: Statements;
  private pending: Change[] = [];
  private waiters: { readonly resolve: () => void; readonly reject: (error: unknown) => void }[] = [];
  private scheduled: NodeJS.Immediate | undefined;
  private removals = 0;
  private compaction: NodeJS.Timeout | undefined;

  constructor(
    dataFile: string,
    private readonly onCommit: (queues: ReadonlySet<string>) => void = () => undefined,
  ) {
    this.database = new DatabaseSync(dataFile);
    prepareFile(this.database);
    this.statements = prepareStatements(this.database);
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
    if (pending.length > 0) this.onCommit(new Set(pending.map(({ queue }) => queue)));
    if (this.removals >= sparePages) this.compact();
  }

  /** Gives free pages back to the file system. Each step is a transaction of its own: a crash costs nothing but that step. */
  private compact(): void {
    this.removals = 0;
    clearTimeout(this.compaction);
    this.compaction = undefined;
    const free = Number(this.database.prepare("PRAGMA freelist_count").get()?.["freelist_count"] ?? 0);
    if (free <= sparePages) return;
    this.database.exec(`PRAGMA incremental_vacuum(${Math.min(pagesAtOnce, free - sparePages)})`);
    // The next step waits, so that messages come between.
    this.compaction = setTimeout(() => this.compact(), compactionPauseMs).unref();
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
      sessions: this.sessionsOf(queue),
    };
  }

  /** What was defined at run time, by its address. */
  entities(): { readonly name: string; readonly kind: string; readonly json: string }[] {
    const rows = this.database.prepare("SELECT name, kind, json FROM entities ORDER BY name").all();
    return rows.map((row) => ({ name: String(row["name"]), kind: String(row["kind"]), json: String(row["json"]) }));
  }

  close(): void {
    this.commit();
    clearTimeout(this.compaction);
    this.database.close();
  }

  private sessionsOf(queue: string): QueueSnapshot["sessions"] {
    const rows = this.database.prepare("SELECT * FROM sessions WHERE queue = ? ORDER BY session_id").all(queue);
    return rows.map((row) => ({
      sessionId: String(row["session_id"]),
      state: Buffer.from(row["state"] as Uint8Array),
      updatedAt: Number(row["updated_at"]),
    }));
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
        this.removals += 1;
        break;
      case "remember":
        remember.run(change.queue, change.messageId, change.until);
        break;
      case "forget":
        forget.run(change.queue, change.until);
        break;
      case "session-state":
      case "define":
      case "drop":
      case "undefine":
        this.applyToEntity(change);
    }
  }

  private applyToEntity(change: EntityChange): void {
    const { keepState, dropState, define, undefine, drops, dropQueue } = this.statements;
    switch (change.kind) {
      case "session-state": {
        const { sessionId, state, updatedAt } = change.session;
        if (state) keepState.run(change.queue, sessionId, state, updatedAt);
        else dropState.run(change.queue, sessionId);
        break;
      }
      case "drop":
        for (const statement of [...drops, dropQueue]) statement.run(change.queue);
        break;
      case "define":
        define.run(change.queue, change.entity.kind, change.entity.json);
        break;
      case "undefine":
        undefine.run(change.queue);
        break;
    }
  }
}

type EntityChange = Extract<Change, { kind: "session-state" | "drop" | "define" | "undefine" }>;

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

function putMessage(put: StatementSync, queue: string, message: StoredMessage): void {
  const { sequence, enqueuedSequence, messageId, enqueuedAt, state, deliveries } = message;
  const source = message.deadLetterSource ?? null;
  const identity = [queue, sequence, enqueuedSequence, messageId, enqueuedAt] as const;
  const facts = [state, message.dueAt ?? null, deliveries, written(message.properties), source] as const;
  put.run(...identity, ...facts, message.content, message.sessionId ?? null, message.expiresAt ?? null);
}

function messageOf(row: MessageRow): StoredMessage {
  return {
    sequence: row.sequence,
    enqueuedSequence: row.enqueued_sequence,
    messageId: row.message_id,
    enqueuedAt: row.enqueued_at,
    content: Buffer.from(row.content),
    sessionId: row.session_id ?? undefined,
    expiresAt: row.expires_at ?? undefined,
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
