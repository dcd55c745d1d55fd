import { chmodSync, mkdirSync } from "node:fs";
import { join } from "node:path";
import { DatabaseSync, type SQLInputValue } from "node:sqlite";
import type { ObjectKind } from "./vault-error";

export interface Attributes {
  readonly enabled: boolean;
  /** Seconds since 1970, as all times of the data plane. */
  readonly nbf?: number | undefined;
  readonly exp?: number | undefined;
  readonly created: number;
  readonly updated: number;
}

/** One version of a secret or a key. */
export interface StoredVersion {
  readonly version: string;
  readonly attributes: Attributes;
  readonly tags?: Readonly<Record<string, string>> | undefined;
  /** A secret's value, or a key's private key as PEM. */
  readonly material: string;
  readonly contentType?: string | undefined;
  /** What a key may be used for. */
  readonly operations?: readonly string[] | undefined;
}

export interface Deletion {
  readonly deletedDate: number;
  readonly scheduledPurgeDate: number;
}

/** Names an object: the instance of its vault, what it is, and its name, which is compared without case. */
export interface ObjectKey {
  readonly vault: string;
  readonly kind: ObjectKind;
  readonly name: string;
}

const SCHEMA = `
PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL;
CREATE TABLE IF NOT EXISTS objects (vault TEXT NOT NULL, kind TEXT NOT NULL, key TEXT NOT NULL, name TEXT NOT NULL,
  deletion TEXT, PRIMARY KEY (vault, kind, key)) STRICT, WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS versions (sequence INTEGER PRIMARY KEY, vault TEXT NOT NULL, kind TEXT NOT NULL, key TEXT NOT NULL,
  version TEXT NOT NULL, row TEXT NOT NULL, UNIQUE (vault, kind, key, version)) STRICT;
CREATE TABLE IF NOT EXISTS ports (vault TEXT PRIMARY KEY, port INTEGER NOT NULL) STRICT;`;

/** What all vaults hold. Nothing of it is kept in memory, since values are large and seldom read. */
export class VaultStore {
  private readonly database: DatabaseSync;

  constructor(folder: string) {
    mkdirSync(folder, { recursive: true, mode: 0o700 });
    const file = join(folder, "vaults.sqlite");
    this.database = new DatabaseSync(file);
    // Before the first write, so that the journal beside it gets the same mode.
    chmodSync(file, 0o600);
    this.database.exec(SCHEMA);
  }

  /** The newest version, or the one that is named; undefined when there is none, or its object is deleted. */
  find(key: ObjectKey, version?: string): StoredVersion | undefined {
    return this.deletionOf(key) ? undefined : this.readVersion(key, version);
  }

  findDeleted(key: ObjectKey): { readonly newest: StoredVersion; readonly deletion: Deletion } | undefined {
    const deletion = this.deletionOf(key);
    const newest = deletion && this.readVersion(key);
    return newest && { newest, deletion };
  }

  /** The name as it was first written. */
  nameOf(key: ObjectKey): string {
    return String(this.objectRow(key)?.["name"] ?? key.name);
  }

  deletionOf(key: ObjectKey): Deletion | undefined {
    const text = this.objectRow(key)?.["deletion"];
    return typeof text === "string" ? (JSON.parse(text) as Deletion) : undefined;
  }

  /** All at once, as when a backup comes back. */
  addVersions(key: ObjectKey, versions: readonly StoredVersion[]): void {
    this.transact(() => {
      this.run("INSERT INTO objects (vault, kind, key, name) VALUES (?, ?, ?, ?) ON CONFLICT DO NOTHING", [
        ...place(key),
        key.name,
      ]);
      for (const version of versions) {
        this.run("INSERT INTO versions (vault, kind, key, version, row) VALUES (?, ?, ?, ?, ?)", [
          ...place(key),
          version.version,
          JSON.stringify(version),
        ]);
      }
    });
  }

  replaceVersion(key: ObjectKey, version: StoredVersion): void {
    this.run("UPDATE versions SET row = ? WHERE vault = ? AND kind = ? AND key = ? AND version = ?", [
      JSON.stringify(version),
      ...place(key),
      version.version,
    ]);
  }

  setDeletion(key: ObjectKey, deletion: Deletion | undefined): void {
    this.run("UPDATE objects SET deletion = ? WHERE vault = ? AND kind = ? AND key = ?", [
      deletion ? JSON.stringify(deletion) : null,
      ...place(key),
    ]);
  }

  purge(key: ObjectKey): void {
    this.transact(() => {
      this.run("DELETE FROM versions WHERE vault = ? AND kind = ? AND key = ?", place(key));
      this.run("DELETE FROM objects WHERE vault = ? AND kind = ? AND key = ?", place(key));
    });
  }

  /** Removes what a vault held, for good. */
  purgeVault(vault: string): void {
    this.transact(() => {
      for (const table of ["versions", "objects", "ports"]) this.run(`DELETE FROM ${table} WHERE vault = ?`, [vault]);
    });
  }

  /** Names of a vault in the order of their letters, after the one that the last page ended with. */
  names(of: Omit<ObjectKey, "name">, page: { after: string; limit: number; deleted: boolean }): string[] {
    const state = page.deleted ? "NOT NULL" : "NULL";
    return this.database
      .prepare(
        `SELECT name FROM objects WHERE vault = ? AND kind = ? AND key > ? AND deletion IS ${state} ORDER BY key LIMIT ?`,
      )
      .all(of.vault, of.kind, page.after.toLowerCase(), page.limit)
      .map((row) => String(row["name"]));
  }

  /** Versions in the order in which they were made, after a sequence number. */
  versions(
    key: ObjectKey,
    page: { after: number; limit: number },
  ): { readonly sequence: number; readonly version: StoredVersion }[] {
    return this.database
      .prepare(
        "SELECT sequence, row FROM versions WHERE vault = ? AND kind = ? AND key = ? AND sequence > ? ORDER BY sequence LIMIT ?",
      )
      .all(...place(key), page.after, page.limit)
      .map((row) => ({ sequence: Number(row["sequence"]), version: versionIn(row["row"]) }));
  }

  /** Deleted objects whose time has come. Azure purges them by itself. */
  purgeDue(vault: string, nowSeconds: number): void {
    const due = this.database
      .prepare("SELECT kind, name, deletion FROM objects WHERE vault = ? AND deletion IS NOT NULL")
      .all(vault)
      .filter((row) => (JSON.parse(String(row["deletion"])) as Deletion).scheduledPurgeDate <= nowSeconds);
    for (const { kind, name } of due) this.purge({ vault, kind: kind as ObjectKind, name: String(name) });
  }

  portOf(vault: string): number | undefined {
    const port = this.database.prepare("SELECT port FROM ports WHERE vault = ?").get(vault)?.["port"];
    return port === undefined ? undefined : Number(port);
  }

  keepPort(vault: string, port: number): void {
    this.run("INSERT INTO ports (vault, port) VALUES (?, ?) ON CONFLICT (vault) DO UPDATE SET port = excluded.port", [
      vault,
      port,
    ]);
  }

  close(): void {
    this.database.close();
  }

  private readVersion(key: ObjectKey, version?: string): StoredVersion | undefined {
    const [condition, values] = version === undefined ? ["", []] : [" AND version = ?", [version.toLowerCase()]];
    const row = this.database
      .prepare(
        `SELECT row FROM versions WHERE vault = ? AND kind = ? AND key = ?${condition} ORDER BY sequence DESC LIMIT 1`,
      )
      .get(...place(key), ...values);
    return row && versionIn(row["row"]);
  }

  private objectRow(key: ObjectKey) {
    return this.database
      .prepare("SELECT name, deletion FROM objects WHERE vault = ? AND kind = ? AND key = ?")
      .get(...place(key));
  }

  private run(sql: string, values: SQLInputValue[]): void {
    this.database.prepare(sql).run(...values);
  }

  private transact(change: () => void): void {
    this.database.exec("BEGIN IMMEDIATE");
    try {
      change();
      this.database.exec("COMMIT");
    } catch (error) {
      this.database.exec("ROLLBACK");
      throw error;
    }
  }
}

const place = ({ vault, kind, name }: ObjectKey): [string, string, string] => [vault, kind, name.toLowerCase()];

const versionIn = (text: unknown): StoredVersion => JSON.parse(String(text)) as StoredVersion; // written by this class
