import type { IncomingHttpHeaders } from "node:http";
import type { Readable } from "node:stream";
import type { BlobFiles } from "./blob-files";
import { nameInvalid, paginationInvalid } from "./registry-error";
import type { Repository, RegistryStore } from "./registry-store";

/** A registry as its data plane needs to know it; ARM tells. */
export interface RegistryFacts {
  /** Tells two registries apart that had the same name one after the other. */
  readonly instance: string;
  readonly resourceId: string;
  readonly name: string;
  readonly loginServer: string;
}

/** A request whose caller was let in. */
export interface RegistryRequest {
  readonly registry: RegistryFacts;
  readonly store: RegistryStore;
  readonly files: BlobFiles;
  readonly method: string;
  readonly repository: Repository;
  /** A tag, a digest or the id of an upload; empty where there is none. */
  readonly reference: string;
  readonly query: URLSearchParams;
  readonly headers: IncomingHttpHeaders;
  readonly content: Readable;
  /** May the token also do that with another repository? */
  readonly mayPullFrom: (repository: string) => boolean;
}

export interface RegistryReply {
  readonly status: number;
  readonly headers?: Readonly<Record<string, string>>;
  /** Bytes as they are, an object as JSON, or a stream. */
  readonly body?: Buffer | Readable | object;
}

/** https://github.com/opencontainers/distribution-spec/blob/main/spec.md#pulling-manifests */
const NAME = /^[a-z0-9]+(?:(?:[._]|__|-+)[a-z0-9]+)*(?:\/[a-z0-9]+(?:(?:[._]|__|-+)[a-z0-9]+)*)*$/;
const DIGEST = /^sha256:[0-9a-f]{64}$/;
export const TAG = /^\w[\w.-]{0,127}$/;

export const isDigest = (text: string): boolean => DIGEST.test(text);

export function requireRepositoryName(name: string): string {
  if (name.length <= 255 && NAME.test(name)) return name;
  throw nameInvalid();
}

/** Reads a body that must be small, whole; undefined when it is not. */
export async function readSmall(content: Readable, limitBytes: number): Promise<Buffer | undefined> {
  const chunks: Buffer[] = [];
  let length = 0;
  for await (const chunk of content as AsyncIterable<Buffer>) {
    length += chunk.length;
    // Read to its end all the same: who stops in the middle cannot answer any more.
    if (length <= limitBytes) chunks.push(chunk);
  }
  return length <= limitBytes ? Buffer.concat(chunks) : undefined;
}

const PAGE_SIZE = 100;
const MAX_PAGE_SIZE = 1000;

/** `n` and `last`, one more than asked for, so that one knows whether there is a next page. */
export function pageOf({ query }: RegistryRequest): {
  readonly after: string;
  readonly n: number;
  readonly limit: number;
} {
  const given = query.get("n");
  const n = given === null ? PAGE_SIZE : Number(given);
  if (!Number.isInteger(n) || n < 1) throw paginationInvalid();
  const size = Math.min(n, MAX_PAGE_SIZE);
  return { after: query.get("last") ?? "", n: size, limit: size + 1 };
}

/** The header by which a client finds the next page. */
export function linkHeader(
  path: string,
  { n, last, query }: { n: number; last: string; query: URLSearchParams },
): Record<string, string> {
  const next = new URLSearchParams({ last, n: String(n) });
  const digest = query.get("digest");
  if (digest !== null) next.set("digest", digest);
  return { Link: `<${path}?${next.toString()}>; rel="next"` };
}
