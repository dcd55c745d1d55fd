import type { DatabaseSync, StatementSync } from "node:sqlite";

/**
 * A table of JSON rows with all of them in memory: reads cost nothing, writes are on disk before they return.
 * A row is replaced, never changed in place, so that what is in memory is what is on disk.
 */
export class JsonTable<Row> {
  private readonly rows = new Map<string, Row>();
  private readonly upsert: StatementSync;
  private readonly remove: StatementSync;

  constructor(database: DatabaseSync, name: string) {
    database.exec(`CREATE TABLE IF NOT EXISTS "${name}" (key TEXT PRIMARY KEY, row TEXT NOT NULL) STRICT`);
    this.upsert = database.prepare(
      `INSERT INTO "${name}" (key, row) VALUES (?, ?) ON CONFLICT (key) DO UPDATE SET row = excluded.row`,
    );
    this.remove = database.prepare(`DELETE FROM "${name}" WHERE key = ?`);
    for (const stored of database.prepare(`SELECT key, row FROM "${name}" ORDER BY rowid`).all()) {
      // The rows were written by `set` below, so they have the type that this table has.
      this.rows.set(String(stored["key"]), JSON.parse(String(stored["row"])) as Row);
    }
  }

  get(key: string): Row | undefined {
    return this.rows.get(key);
  }

  set(key: string, row: Row): Row {
    this.upsert.run(key, JSON.stringify(row));
    this.rows.set(key, row);
    return row;
  }

  delete(key: string): boolean {
    if (!this.rows.delete(key)) return false;
    this.remove.run(key);
    return true;
  }

  entries(): [string, Row][] {
    return [...this.rows.entries()];
  }

  values(): Row[] {
    return [...this.rows.values()];
  }
}
