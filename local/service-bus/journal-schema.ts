import type { DatabaseSync } from "node:sqlite";

const schema = `
  CREATE TABLE IF NOT EXISTS queues (name TEXT PRIMARY KEY, next_sequence INTEGER NOT NULL) WITHOUT ROWID;
  CREATE TABLE IF NOT EXISTS messages (
    queue TEXT NOT NULL, sequence INTEGER NOT NULL, enqueued_sequence INTEGER NOT NULL, message_id TEXT NOT NULL,
    enqueued_at INTEGER NOT NULL, state TEXT NOT NULL, due_at INTEGER, deliveries INTEGER NOT NULL, properties TEXT NOT NULL,
    dead_letter_source TEXT, content BLOB NOT NULL, session_id TEXT, expires_at INTEGER, PRIMARY KEY (queue, sequence));
  CREATE TABLE IF NOT EXISTS remembered (queue TEXT NOT NULL, message_id TEXT NOT NULL, until INTEGER NOT NULL);
  CREATE TABLE IF NOT EXISTS sessions (
    queue TEXT NOT NULL, session_id TEXT NOT NULL, state BLOB NOT NULL, updated_at INTEGER NOT NULL,
    PRIMARY KEY (queue, session_id)) WITHOUT ROWID;
  CREATE TABLE IF NOT EXISTS entities (name TEXT PRIMARY KEY, kind TEXT NOT NULL, json TEXT NOT NULL) WITHOUT ROWID;
`;

/** Columns that a file of an earlier version lacks. */
const addedColumns = [
  ["session_id", "TEXT"],
  ["expires_at", "INTEGER"],
] as const;

/** After this many pages of 4 KB the write-ahead log is copied into the file. */
const checkpointPages = 1000;

/** Opens or makes the tables. Each step is one of SQLite's own transactions: a crash leaves the old file or the new one. */
export function prepareFile(database: DatabaseSync): void {
  database.exec("PRAGMA busy_timeout = 2000");
  // Pages of settled messages go back to the file system; a file of an earlier version is rewritten once.
  const { auto_vacuum: mode } = database.prepare("PRAGMA auto_vacuum").get() ?? {};
  if (mode !== 2) {
    database.exec("PRAGMA auto_vacuum = INCREMENTAL");
    database.exec("VACUUM");
  }
  database.exec("PRAGMA journal_mode = WAL");
  database.exec("PRAGMA synchronous = FULL");
  database.exec(`PRAGMA wal_autocheckpoint = ${checkpointPages}`);
  database.exec(`PRAGMA journal_size_limit = ${2 * checkpointPages * 4096}`);
  database.exec(schema);
  const known = database.prepare("PRAGMA table_info(messages)").all();
  for (const [name, type] of addedColumns) {
    if (!known.some((column) => column["name"] === name)) {
      database.exec(`ALTER TABLE messages ADD COLUMN ${name} ${type}`);
    }
  }
}

export type Statements = ReturnType<typeof prepareStatements>;

export function prepareStatements(database: DatabaseSync) {
  const prepare = (sql: string) => database.prepare(sql);
  return {
    put: prepare("INSERT INTO messages VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"),
    update: prepare("UPDATE messages SET state = ?, deliveries = ?, properties = ? WHERE queue = ? AND sequence = ?"),
    remove: prepare("DELETE FROM messages WHERE queue = ? AND sequence = ?"),
    remember: prepare("INSERT INTO remembered VALUES (?, ?, ?)"),
    forget: prepare("DELETE FROM remembered WHERE queue = ? AND until <= ?"),
    advance: prepare(
      "INSERT INTO queues VALUES (?, ?) ON CONFLICT (name) DO UPDATE SET next_sequence = max(next_sequence, excluded.next_sequence)",
    ),
    keepState: prepare("INSERT OR REPLACE INTO sessions VALUES (?, ?, ?, ?)"),
    dropState: prepare("DELETE FROM sessions WHERE queue = ? AND session_id = ?"),
    define: prepare("INSERT OR REPLACE INTO entities VALUES (?, ?, ?)"),
    undefine: prepare("DELETE FROM entities WHERE name = ?"),
    drops: ["messages", "remembered", "sessions"].map((table) => prepare(`DELETE FROM ${table} WHERE queue = ?`)),
    dropQueue: prepare("DELETE FROM queues WHERE name = ?"),
  };
}
