import type { IncomingHttpHeaders } from "node:http";
import { accountSas } from "./account-keys";
import { COPY_SOURCE_DENIED, NO_COPY_SOURCE, type Refusal } from "./storage-refusal";
import { type StorageTarget, targetOf } from "./storage-target";

export interface CopyParts {
  /** Where this front is served: copies are from accounts of the embedded Azure only. */
  readonly port: number;
  readonly azuritePort: number;
  readonly keyOf: (account: string) => string;
  /** May the source be read by what the address or the headers say? */
  readonly mayRead: (source: StorageTarget, authorization: string | undefined) => Promise<boolean>;
}

/** Headers by which Azurite copies what the caller may read; `undefined` where nothing is copied. */
export async function copyHeaders(
  parts: CopyParts,
  headers: IncomingHttpHeaders,
): Promise<{ readonly headers: IncomingHttpHeaders } | Refusal | undefined> {
  const given = headers["x-ms-copy-source"];
  if (typeof given !== "string") return undefined;
  const source = sourceOf(given, parts.port);
  if (!source || source.item === "") return NO_COPY_SOURCE;
  const { "x-ms-copy-source-authorization": bearer, ...rest } = headers;
  // An address that is signed stands for itself; else the caller's own token counts for the source too.
  const token = typeof bearer === "string" ? bearer : headers.authorization;
  if (!(await parts.mayRead(source, source.query.has("sig") ? undefined : token))) return COPY_SOURCE_DENIED;
  const query = new URLSearchParams(accountSas(source.account, parts.keyOf(source.account), "b"));
  const snapshot = source.query.get("snapshot");
  if (snapshot !== null) query.set("snapshot", snapshot);
  const url = `http://127.0.0.1:${parts.azuritePort}${source.path}?${query.toString()}`;
  return { headers: { ...rest, "x-ms-copy-source": url } };
}

function sourceOf(given: string, port: number): StorageTarget | undefined {
  if (!URL.canParse(given)) return undefined;
  const url = new URL(given);
  const isHere =
    url.protocol === "https:" && ["localhost", "127.0.0.1"].includes(url.hostname) && url.port === String(port);
  return isHere ? targetOf("blob", `${url.pathname}${url.search}`) : undefined;
}

/** Azurite has no Put Blob From URL; its synchronous Copy Blob From URL does the same, and is answered with another status. */
export function asSynchronousCopy(headers: IncomingHttpHeaders): IncomingHttpHeaders {
  const { "x-ms-blob-type": _type, ...rest } = headers;
  return { ...rest, "x-ms-requires-sync": "true" };
}
