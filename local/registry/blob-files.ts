import { createHash, randomUUID } from "node:crypto";
import {
  createReadStream,
  createWriteStream,
  existsSync,
  mkdirSync,
  readdirSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
  type ReadStream,
} from "node:fs";
import { join } from "node:path";
import type { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";

const STALE_MS = 24 * 60 * 60 * 1000;
const MODE = { mode: 0o600 } as const;

/** Blobs and open uploads of one registry, each a file: layers are too large for memory. */
export class BlobFiles {
  private readonly blobs: string;
  private readonly uploads: string;

  constructor(folder: string) {
    this.blobs = join(folder, "blobs");
    this.uploads = join(folder, "uploads");
    for (const one of [this.blobs, this.uploads]) mkdirSync(one, { recursive: true, mode: 0o700 });
    // What a client began and never ended.
    for (const name of readdirSync(this.uploads))
      if (Date.now() - statSync(join(this.uploads, name)).mtimeMs > STALE_MS) rmSync(join(this.uploads, name));
  }

  sizeOf(digest: string): number | undefined {
    const path = this.pathOf(digest);
    return existsSync(path) ? statSync(path).size : undefined;
  }

  read(digest: string, range?: { readonly start: number; readonly end: number }): ReadStream {
    return createReadStream(this.pathOf(digest), range);
  }

  remove(digest: string): void {
    rmSync(this.pathOf(digest), { force: true });
  }

  openUploads(): number {
    return readdirSync(this.uploads).length;
  }

  startUpload(): string {
    const id = randomUUID();
    writeFileSync(this.uploadPath(id), "", MODE);
    return id;
  }

  /** How many bytes an upload has; undefined when there is none. */
  uploaded(id: string): number | undefined {
    const path = this.uploadPath(id);
    return /^[0-9a-f-]{36}$/.test(id) && existsSync(path) ? statSync(path).size : undefined;
  }

  async append(id: string, content: Readable): Promise<number> {
    await pipeline(content, createWriteStream(this.uploadPath(id), { flags: "a", ...MODE }));
    return statSync(this.uploadPath(id)).size;
  }

  cancelUpload(id: string): void {
    rmSync(this.uploadPath(id), { force: true });
  }

  /** Makes a blob of what was uploaded; false when it is not what the digest says. */
  async completeUpload(id: string, digest: string): Promise<boolean> {
    const hash = createHash("sha256");
    await pipeline(createReadStream(this.uploadPath(id)), hash);
    if (`sha256:${hash.digest("hex")}` !== digest) return false;
    renameSync(this.uploadPath(id), this.pathOf(digest));
    return true;
  }

  private pathOf(digest: string): string {
    return join(this.blobs, digest.replace(/^sha256:/, ""));
  }

  private uploadPath(id: string): string {
    return join(this.uploads, id);
  }
}
