import { createServer as createHttpServer, type IncomingMessage, type ServerResponse } from "node:http";
import { createServer as createHttpsServer } from "node:https";
import type { AddressInfo } from "node:net";
import { DROPPED, type WireHandler, type WireReply } from "./wire";

export interface Listener {
  readonly port: number;
  close(): Promise<void>;
}

export interface ListenerOptions {
  /** 0: any free port. */
  readonly port: number;
  readonly tls?: { readonly key: string; readonly cert: string };
  readonly handle: WireHandler;
  readonly log: (line: string) => void;
}

// ARM's own limit for a request.
const MAX_BODY_BYTES = 4 * 1024 * 1024;

/** Serves a handler on 127.0.0.1. Whatever a client sends, and whatever a handler throws, the process goes on. */
export async function startListener({ port, tls, handle, log }: ListenerOptions): Promise<Listener> {
  const listen = (request: IncomingMessage, response: ServerResponse): void => {
    serve(request, response, handle).catch((error: unknown) => {
      log(
        `${request.method ?? "?"} ${request.url ?? "?"} failed: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}`,
      );
      if (!response.headersSent) send(response, { status: 500, body: internalError });
    });
  };
  const server = tls ? createHttpsServer(tls, listen) : createHttpServer(listen);
  server.keepAliveTimeout = 60_000;
  const { promise, resolve, reject } = Promise.withResolvers<undefined>();
  server.once("error", reject);
  server.listen(port, "127.0.0.1", () => resolve(undefined));
  await promise;
  return {
    port: (server.address() as AddressInfo).port,
    close: async () => {
      const closed = new Promise<void>((done) => server.close(() => done()));
      server.closeAllConnections();
      await closed;
    },
  };
}

const internalError = {
  error: {
    code: "InternalServerError",
    message: "The server encountered an internal error. Please retry the request.",
  },
};

async function serve(request: IncomingMessage, response: ServerResponse, handle: WireHandler): Promise<void> {
  const body = await readBody(request);
  if (!body) {
    send(response, {
      status: 413,
      headers: { Connection: "close" },
      body: {
        error: {
          code: "RequestContentTooLarge",
          message: "The request content size exceeds the maximum size of 4 MB.",
        },
      },
    });
    return;
  }
  const { path, query } = splitUrl(request.url ?? "/");
  const reply = await handle({ method: request.method ?? "GET", path, query, headers: request.headers, body });
  if (reply === DROPPED) response.destroy();
  else send(response, reply);
}

async function readBody(request: IncomingMessage): Promise<Buffer | undefined> {
  const chunks: Buffer[] = [];
  let length = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    length += chunk.length;
    // Read to its end all the same: who stops in the middle cannot answer any more.
    if (length <= MAX_BODY_BYTES) chunks.push(chunk);
  }
  return length <= MAX_BODY_BYTES ? Buffer.concat(chunks) : undefined;
}

/** SDKs send `PUT //subscriptions/…`: a URL parser would take `subscriptions` for the host, so slashes are collapsed first. */
function splitUrl(url: string): { path: string; query: URLSearchParams } {
  const at = url.indexOf("?");
  const path = (at < 0 ? url : url.slice(0, at)).replace(/\/{2,}/g, "/");
  return { path, query: new URLSearchParams(at < 0 ? "" : url.slice(at + 1)) };
}

function send(response: ServerResponse, reply: WireReply): void {
  if (response.destroyed || response.writableEnded) return;
  const text = reply.text ?? (reply.body === undefined ? "" : JSON.stringify(reply.body));
  const type = text ? { "Content-Type": "application/json; charset=utf-8" } : {};
  const length = reply.status === 204 ? {} : { "Content-Length": String(Buffer.byteLength(text)) };
  response.writeHead(reply.status, { "Cache-Control": "no-cache", ...type, ...length, ...reply.headers });
  response.end(text);
}
