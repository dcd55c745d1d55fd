import type { IncomingHttpHeaders } from "node:http";

/** A request as a simulator sees it: read whole, its path without doubled slashes. */
export interface WireRequest {
  readonly method: string;
  readonly path: string;
  readonly query: URLSearchParams;
  readonly headers: IncomingHttpHeaders;
  readonly body: Buffer;
}

/** `body` is sent as JSON; without it the answer is empty. */
export interface WireReply {
  readonly status: number;
  readonly headers?: Readonly<Record<string, string>> | undefined;
  readonly body?: unknown;
  /** Sent as it is, instead of `body`; its type stands in the headers. */
  readonly text?: string | undefined;
}

/** What a handler says when the connection must end without an answer. */
export const DROPPED = "dropped";

export type WireHandler = (request: WireRequest) => Promise<WireReply | typeof DROPPED>;

/** JSON of a body that a stranger sent: `undefined` for an empty one, an outcome for one that is none. */
export function parseJsonBody(
  body: Buffer,
): { readonly ok: true; readonly value: unknown } | { readonly ok: false; readonly reason: string } {
  if (body.length === 0) return { ok: true, value: undefined };
  try {
    return { ok: true, value: JSON.parse(body.toString("utf8")) as unknown };
  } catch (error) {
    return { ok: false, reason: error instanceof Error ? error.message : String(error) };
  }
}
