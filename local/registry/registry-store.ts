import { chmodSync, mkdirSync } from "node:fs";
import { join } from "node:path";
import { DatabaseSync, type SQLInputValue } from "node:sqlite";

export interface StoredManifest {
  readonly digest: string;
  readonly mediaType: string;
  readonly content: Buffer;
  readonly createdTime: string;
}

export interface ManifestRow {
  readonly digest: string;
  readonly mediaType: string;
  readonly imageSize: number;
  readonly createdTime: string;
  readonly tags: readonly string[];
}

export interface TagRow {
  readonly name: string;
  readonly digest: string;
  readonly createdTime: string;
  readonly lastUpdateTime: string;
}

/** A repository of one registry. */
export interface Repository {
  readonly registry: string;
  readonly name: string;
}

const SCHEMA = `
PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL;
CREATE TABLE IF NOT EXISTS ports (registry TEXT PRIMARY KEY, port INTEGER NOT NULL) STRICT;
CREATE TABLE IF NOT EXISTS manifests (registry TEXT, repository TEXT, digest TEXT, mediaType TEXT NOT NULL, content BLOB NOT NULL,
  imageSize INTEGER NOT NULL, createdTime TEXT NOT NULL, PRIMARY KEY (registry, repository, digest)) STRICT;
CREATE TABLE IF NOT EXISTS tags (registry TEXT, repository TEXT, name TEXT, digest TEXT NOT NULL, createdTime TEXT NOT NULL,
  lastUpdateTime TEXT NOT NULL, PRIMARY KEY (registry, repository, name)) STRICT;
CREATE TABLE IF NOT EXISTS blobs (registry TEXT, repository TEXT, digest TEXT, PRIMARY KEY (registry, repository, digest)) STRICT;
CREATE TABLE IF NOT EXISTS parts (registry TEXT, repository TEXT, manifest TEXT, digest TEXT,
  PRIMARY KEY (registry, repository, manifest, digest)) STRICT;`;

const TABLES = ["manifests", "tags", "blobs", "parts"] as const;

/** Manifests, tags, and which repository has which blobs. The bytes of blobs lie in files. */
export class RegistryStore {
  private readonly database: DatabaseSync;

  constructor(folder: string) {
    mkdirSync(folder, { recursive: true, mode: 0o700 });
    const file = join(folder, "registries.sqlite");
    this.database = new DatabaseSync(file);
    chmodSync(file, 0o600);
    this.database.exec(SCHEMA);
  }

  findManifest({ registry, name }: Repository, reference: string): StoredManifest | undefined {
    const digest = reference.includes(":") ? reference : this.digestOf({ registry, name }, reference);
    if (digest === undefined) return undefined;
    const row = this.one("SELECT * FROM manifests WHERE registry = ? AND repository = ? AND digest = ?", [
      registry,
      name,
      digest,
    ]);
    return (
      row && {
        digest,
        mediaType: String(row["mediaType"]),
        content: Buffer.from(row["content"] as Uint8Array), // the column is a BLOB
        createdTime: String(row["createdTime"]),
      }
    );
  }

  /** The manifest with what it is made of, and the tag that names it from now on, all or nothing. */
  putManifest(
    { registry, name }: Repository,
    manifest: StoredManifest,
    { parts, imageSize, tag }: { parts: readonly string[]; imageSize: number; tag: string | undefined },
  ): void {
    const { digest, mediaType, content, createdTime } = manifest;
    this.transact(() => {
      this.run("INSERT INTO manifests VALUES (?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING", [
        ...[registry, name, digest, mediaType],
        ...[content, imageSize, createdTime],
      ]);
      for (const part of parts)
        this.run("INSERT INTO parts VALUES (?, ?, ?, ?) ON CONFLICT DO NOTHING", [registry, name, digest, part]);
      if (tag === undefined) return;
      this.run(
        "INSERT INTO tags VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT DO UPDATE SET digest = excluded.digest, lastUpdateTime = excluded.lastUpdateTime",
        [registry, name, tag, digest, createdTime, createdTime],
      );
    });
  }

  /** Removes a manifest with its tags; the answer is the blobs that nothing in the registry needs any more. */
  deleteManifest({ registry, name }: Repository, digest: string): string[] {
    const parts = this.all("SELECT digest FROM parts WHERE registry = ? AND repository = ? AND manifest = ?", [
      registry,
      name,
      digest,
    ]).map((row) => String(row["digest"]));
    this.transact(() => {
      const place = [registry, name, digest];
      this.run("DELETE FROM manifests WHERE registry = ? AND repository = ? AND digest = ?", place);
      this.run("DELETE FROM tags WHERE registry = ? AND repository = ? AND digest = ?", place);
      this.run("DELETE FROM parts WHERE registry = ? AND repository = ? AND manifest = ?", place);
      this.run(
        "DELETE FROM blobs WHERE registry = ? AND repository = ? AND digest IN (SELECT value FROM json_each(?)) AND NOT EXISTS (SELECT 1 FROM parts WHERE parts.registry = blobs.registry AND parts.repository = blobs.repository AND parts.digest = blobs.digest)",
        [registry, name, JSON.stringify(parts)],
      );
    });
    return parts.filter((part) => !this.isBlobUsed(registry, part));
  }

  deleteTag({ registry, name }: Repository, tag: string): boolean {
    const { changes } = this.run("DELETE FROM tags WHERE registry = ? AND repository = ? AND name = ?", [
      registry,
      name,
      tag,
    ]);
    return Number(changes) > 0;
  }

  /** Removes all of a repository; the answer is the blobs that nothing needs any more. */
  deleteRepository({ registry, name }: Repository): string[] {
    const blobs = this.all("SELECT digest FROM blobs WHERE registry = ? AND repository = ?", [registry, name]);
    this.transact(() => {
      for (const table of TABLES)
        this.run(`DELETE FROM ${table} WHERE registry = ? AND repository = ?`, [registry, name]);
    });
    return blobs.map((row) => String(row["digest"])).filter((digest) => !this.isBlobUsed(registry, digest));
  }

  purgeRegistry(registry: string): void {
    this.transact(() => {
      for (const table of [...TABLES, "ports"]) this.run(`DELETE FROM ${table} WHERE registry = ?`, [registry]);
    });
  }

  hasBlob({ registry, name }: Repository, digest: string): boolean {
    return this.isThere("blobs", [registry, name, digest]);
  }

  linkBlob({ registry, name }: Repository, digest: string): void {
    this.run("INSERT INTO blobs VALUES (?, ?, ?) ON CONFLICT DO NOTHING", [registry, name, digest]);
  }

  /** Answers whether the file is of no more use. */
  unlinkBlob({ registry, name }: Repository, digest: string): boolean {
    this.run("DELETE FROM blobs WHERE registry = ? AND repository = ? AND digest = ?", [registry, name, digest]);
    return !this.isBlobUsed(registry, digest);
  }

  isRepository({ registry, name }: Repository): boolean {
    return (
      this.one("SELECT 1 FROM manifests WHERE registry = ? AND repository = ? LIMIT 1", [registry, name]) !== undefined
    );
  }

  repositories(registry: string, { after, limit }: { after: string; limit: number }): string[] {
    return this.all(
      "SELECT DISTINCT repository FROM manifests WHERE registry = ? AND repository > ? ORDER BY repository LIMIT ?",
      [registry, after, limit],
    ).map((row) => String(row["repository"]));
  }

  tags(
    { registry, name }: Repository,
    { after, limit, digest }: { after: string; limit: number; digest?: string | undefined },
  ): TagRow[] {
    const [condition, values] = digest === undefined ? ["", []] : [" AND digest = ?", [digest]];
    return this.all(
      `SELECT * FROM tags WHERE registry = ? AND repository = ? AND name > ?${condition} ORDER BY name LIMIT ?`,
      [registry, name, after, ...values, limit],
    ).map((row) => ({
      name: String(row["name"]),
      digest: String(row["digest"]),
      createdTime: String(row["createdTime"]),
      lastUpdateTime: String(row["lastUpdateTime"]),
    }));
  }

  manifests({ registry, name }: Repository, { after, limit }: { after: string; limit: number }): ManifestRow[] {
    return this.all(
      "SELECT digest, mediaType, imageSize, createdTime FROM manifests WHERE registry = ? AND repository = ? AND digest > ? ORDER BY digest LIMIT ?",
      [registry, name, after, limit],
    ).map((row) => this.manifestRow({ registry, name }, row));
  }

  describeManifest({ registry, name }: Repository, digest: string): ManifestRow | undefined {
    const row = this.one(
      "SELECT digest, mediaType, imageSize, createdTime FROM manifests WHERE registry = ? AND repository = ? AND digest = ?",
      [registry, name, digest],
    );
    return row && this.manifestRow({ registry, name }, row);
  }

  counts({ registry, name }: Repository): { readonly manifests: number; readonly tags: number } {
    const count = (table: string): number =>
      Number(
        this.one(`SELECT COUNT(*) AS n FROM ${table} WHERE registry = ? AND repository = ?`, [registry, name])?.["n"],
      );
    return { manifests: count("manifests"), tags: count("tags") };
  }

  portOf(registry: string): number | undefined {
    const port = this.one("SELECT port FROM ports WHERE registry = ?", [registry])?.["port"];
    return port === undefined ? undefined : Number(port);
  }

  keepPort(registry: string, port: number): void {
    this.run("INSERT INTO ports VALUES (?, ?) ON CONFLICT DO UPDATE SET port = excluded.port", [registry, port]);
  }

  close(): void {
    this.database.close();
  }

  private digestOf({ registry, name }: Repository, tag: string): string | undefined {
    const row = this.one("SELECT digest FROM tags WHERE registry = ? AND repository = ? AND name = ?", [
      registry,
      name,
      tag,
    ]);
    return row && String(row["digest"]);
  }

  private isBlobUsed(registry: string, digest: string): boolean {
    return this.one("SELECT 1 FROM blobs WHERE registry = ? AND digest = ? LIMIT 1", [registry, digest]) !== undefined;
  }

  private isThere(table: string, place: readonly string[]): boolean {
    return (
      this.one(`SELECT 1 FROM ${table} WHERE registry = ? AND repository = ? AND digest = ?`, [...place]) !== undefined
    );
  }

  private manifestRow(repository: Repository, row: Record<string, unknown>): ManifestRow {
    const digest = String(row["digest"]);
    const tags = this.tags(repository, { after: "", limit: MAX_SHOWN_TAGS, digest }).map(({ name }) => name);
    return {
      digest,
      mediaType: String(row["mediaType"]),
      imageSize: Number(row["imageSize"]),
      createdTime: String(row["createdTime"]),
      tags,
    };
  }

  private one(sql: string, values: SQLInputValue[]) {
    return this.database.prepare(sql).get(...values);
  }

  private all(sql: string, values: SQLInputValue[]) {
    return this.database.prepare(sql).all(...values);
  }

  private run(sql: string, values: SQLInputValue[]) {
    return this.database.prepare(sql).run(...values);
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

const MAX_SHOWN_TAGS = 100;
