import type { IncomingMessage, ServerResponse } from "node:http";

export interface HttpRequest {
  readonly method: string;
  /** As sent, not decoded, without the query. */
  readonly path: string;
  readonly query: URLSearchParams;
  readonly headers: IncomingMessage["headers"];
  readonly host: string;
  readonly protocol: "http" | "https";
  /** Path and query, as sent. */
  readonly target: string;
  readonly url: string;
  /** The request's own streams, for answers that are not held in memory. */
  readonly exchange: HttpExchange;
  /** The whole body; throws `BodyTooLarge` beyond the server's limit. */
  readBody(): Promise<Buffer>;
}

export interface HttpExchange {
  readonly incoming: IncomingMessage;
  readonly outgoing: ServerResponse;
  readonly maxBodyBytes: number;
}

export class BodyTooLarge extends Error {
  override name = "BodyTooLarge";
}

const DEFAULT_MAX_BODY_BYTES = 104_857_600;

/** The real host's limit on request bodies, and the setting that changes it (docs: App settings reference). */
export function maxBodyBytesOf(settings: Readonly<Record<string, string | undefined>>): number {
  const limit = Number(settings["FUNCTIONS_REQUEST_BODY_SIZE_LIMIT"] ?? Number.NaN);
  return Number.isSafeInteger(limit) && limit >= 0 ? limit : DEFAULT_MAX_BODY_BYTES;
}

export function requestOf(incoming: IncomingMessage): Omit<HttpRequest, "exchange" | "readBody"> {
  const target = originFormOf(incoming.url ?? "/");
  const mark = target.indexOf("?");
  const host = String(incoming.headers["x-forwarded-host"] ?? incoming.headers.host ?? "localhost");
  const protocol = incoming.headers["x-forwarded-proto"] === "https" ? "https" : "http";
  return {
    method: incoming.method ?? "GET",
    path: mark < 0 ? target : target.slice(0, mark),
    query: new URLSearchParams(mark < 0 ? "" : target.slice(mark + 1)),
    headers: incoming.headers,
    ...{ host, protocol, target, url: `${protocol}://${host}${target}` },
  };
}

/** A client that takes the host for a proxy sends the whole URL (RFC 9112, absolute-form). */
function originFormOf(target: string): string {
  return /^https?:\/\//i.test(target) && URL.canParse(target)
    ? new URL(target).pathname + new URL(target).search
    : target;
}

export async function readBody(incoming: IncomingMessage, maxBytes: number): Promise<Buffer> {
  if (Number(incoming.headers["content-length"] ?? 0) > maxBytes) throw new BodyTooLarge();
  const chunks: Buffer[] = [];
  let size = 0;
  // Without an encoding set, the stream gives buffers.
  for await (const chunk of incoming as AsyncIterable<Buffer>) {
    size += chunk.length;
    if (size > maxBytes) throw new BodyTooLarge();
    chunks.push(chunk);
  }
  return chunks.length === 1 && chunks[0] ? chunks[0] : Buffer.concat(chunks);
}
