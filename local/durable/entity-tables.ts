import type { DatabaseSync, SQLInputValue, StatementSync } from "node:sqlite";

/** The orchestration that waits for an answer, or holds a lock. */
export interface EntityCaller {
  readonly iid: number;
  readonly execution: string;
}

/** Something that waits at an entity. */
export interface EntityMessage {
  readonly kind: "operation" | "lock" | "release";
  /** Undefined for what a client or another entity sent. */
  readonly caller?: EntityCaller;
  readonly requestId: string;
  readonly operation?: string;
  /** JSON text. */
  readonly input?: string;
  /** A signal has no answer. */
  readonly isSignal?: boolean;
  /** All entities of a critical section, sorted; this message stands at the one at `position`. */
  readonly lockSet?: readonly string[];
  readonly position?: number;
}

export interface QueuedMessage {
  readonly seq: number;
  readonly message: EntityMessage;
}

export interface EntityOwner extends EntityCaller {
  readonly requestId: string;
}

export interface EntityRow {
  readonly id: string;
  /** JSON text; null when the entity does not exist, which is not the same as having the state null. */
  readonly state: string | null;
  readonly alive: boolean;
  readonly owner: EntityOwner | undefined;
  readonly operatedAt: number;
}

export interface EntityFilter {
  readonly name: string | undefined;
  readonly from: number;
  readonly to: number;
  readonly after: string;
  readonly top: number;
}

const SCHEMA = `
CREATE TABLE IF NOT EXISTS entities (
  id TEXT PRIMARY KEY, state TEXT, alive INTEGER NOT NULL, owner TEXT, operatedAt INTEGER NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS entity_queue (seq INTEGER PRIMARY KEY, id TEXT NOT NULL, message TEXT NOT NULL);
CREATE INDEX IF NOT EXISTS entity_queue_id ON entity_queue (id);
`;

interface Stored {
  id: string;
  state: string | null;
  alive: number;
  owner: string | null;
  operatedAt: number;
}

/** The entities' part of the journal: states, locks and what waits. Writes belong into the journal's `commit`. */
export class EntityTables {
  private readonly statements = new Map<string, StatementSync>();

  constructor(private readonly db: DatabaseSync) {
    db.exec(SCHEMA);
  }

  highestSeq(): number {
    const [row] = this.all("SELECT max(seq) AS highest FROM entity_queue") as { highest: number | null }[];
    return row?.highest ?? 0;
  }

  find(id: string): EntityRow | undefined {
    const [row] = this.all("SELECT * FROM entities WHERE id = ?", id) as Stored[];
    return row && rowOf(row);
  }

  list({ name, from, to, after, top }: EntityFilter): EntityRow[] {
    const prefix = name === undefined ? "@" : `@${name.toLowerCase()}@`;
    const rows = this.all(
      `SELECT * FROM entities WHERE alive = 1 AND id > ? AND substr(id, 1, length(?)) = ? AND operatedAt BETWEEN ? AND ?
       ORDER BY id LIMIT ?`,
      ...[after, prefix, prefix, from, to, top],
    ) as Stored[];
    return rows.map(rowOf);
  }

  locked(): EntityRow[] {
    return (this.all("SELECT * FROM entities WHERE owner IS NOT NULL") as Stored[]).map(rowOf);
  }

  /** The entities for which something waits. */
  waiting(): string[] {
    return (this.all("SELECT DISTINCT id FROM entity_queue") as { id: string }[]).map(({ id }) => id);
  }

  queueOf(id: string): QueuedMessage[] {
    const rows = this.all("SELECT seq, message FROM entity_queue WHERE id = ? ORDER BY seq", id) as {
      seq: number;
      message: string;
    }[];
    // The texts were written by `enqueue`.
    return rows.map(({ seq, message }) => ({ seq, message: JSON.parse(message) as EntityMessage }));
  }

  save({ id, state, alive, owner, operatedAt }: EntityRow): void {
    if (!alive && !owner) {
      this.remove(id);
      return;
    }
    this.run(
      "INSERT OR REPLACE INTO entities (id, state, alive, owner, operatedAt) VALUES (?, ?, ?, ?, ?)",
      ...[id, state, alive ? 1 : 0, owner ? JSON.stringify(owner) : null, operatedAt],
    );
  }

  remove(id: string): void {
    this.run("DELETE FROM entities WHERE id = ?", id);
  }

  enqueue(id: string, { seq, message }: QueuedMessage): void {
    this.run("INSERT INTO entity_queue (seq, id, message) VALUES (?, ?, ?)", seq, id, JSON.stringify(message));
  }

  dequeue(seq: number): void {
    this.run("DELETE FROM entity_queue WHERE seq = ?", seq);
  }

  private prepared(sql: string): StatementSync {
    let statement = this.statements.get(sql);
    if (!statement) this.statements.set(sql, (statement = this.db.prepare(sql)));
    return statement;
  }

  private run(sql: string, ...values: SQLInputValue[]): void {
    this.prepared(sql).run(...values);
  }

  private all(sql: string, ...values: SQLInputValue[]): unknown[] {
    return this.prepared(sql).all(...values);
  }
}

function rowOf({ id, state, alive, owner, operatedAt }: Stored): EntityRow {
  // The text was written by `save`.
  const holder = owner === null ? undefined : (JSON.parse(owner) as EntityOwner);
  return { id, state, alive: alive === 1, owner: holder, operatedAt };
}
