import { createServer } from "node:http";
import type { IncomingMessage, Server, ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { describeError } from "./log";
import type { Log } from "./log";

export interface HttpRequest {
  readonly method: string;
  /** As sent, not decoded, without the query. */
  readonly path: string;
  readonly query: URLSearchParams;
  readonly headers: IncomingMessage["headers"];
  readonly url: string;
  readonly body: Buffer;
}

export interface HttpReply {
  readonly status: number;
  readonly headers?: Readonly<Record<string, string | string[]>>;
  readonly body?: string | Uint8Array;
}

export type HttpHandler = (request: HttpRequest) => Promise<HttpReply>;

/** As the real host: requests over 100 MB are refused. */
const MAX_BODY_BYTES = 104_857_600;

/** A listening server on the loopback interface that answers with whole bodies. */
export class HttpServer {
  private underWay = 0;
  private idle: (() => void) | undefined;

  private constructor(
    private readonly server: Server,
    readonly port: number,
  ) {}

  static async listen(port: number, handler: HttpHandler, log: Log): Promise<HttpServer> {
    const server = createServer();
    // A front door keeps its connections open between requests for longer than Node's five seconds.
    server.keepAliveTimeout = 65_000;
    const { promise, resolve, reject } = Promise.withResolvers<undefined>();
    server.once("error", (error) => reject(portError(error, port)));
    server.listen(port, "127.0.0.1", () => resolve(undefined));
    await promise;
    // A TCP server's address is never a string.
    const listening = new HttpServer(server, (server.address() as AddressInfo).port);
    server.on("request", (incoming, outgoing) => {
      listening.track(outgoing);
      void answer(handler, { incoming, outgoing, log });
    });
    return listening;
  }

  /** Takes no new connections; requests under way may end. */
  stopListening(): void {
    this.server.close();
    this.server.closeIdleConnections();
  }

  /** Waits for the answers under way, at most that long, and ends all connections. */
  async close(timeoutMs: number): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<undefined>();
    const handle = setTimeout(() => resolve(undefined), timeoutMs);
    this.idle = () => resolve(undefined);
    if (this.underWay > 0) await promise;
    clearTimeout(handle);
    this.server.close();
    this.server.closeAllConnections();
  }

  private track(outgoing: ServerResponse): void {
    this.underWay += 1;
    outgoing.once("close", () => {
      this.underWay -= 1;
      if (this.underWay === 0) this.idle?.();
    });
  }
}

function portError(error: NodeJS.ErrnoException, port: number): Error {
  if (error.code !== "EADDRINUSE") return error;
  return new Error(
    `Port ${port} is already in use. End the process that listens there, or choose another port with --port (0 takes any free one).`,
  );
}

async function answer(
  handler: HttpHandler,
  exchange: { incoming: IncomingMessage; outgoing: ServerResponse; log: Log },
): Promise<void> {
  const { incoming, outgoing, log } = exchange;
  try {
    const reply = await handler(await readRequest(incoming));
    send(outgoing, reply, incoming.method === "HEAD");
  } catch (error) {
    if (error instanceof BodyTooLarge) {
      send(outgoing, { status: 413, headers: { connection: "close" } }, false);
      return;
    }
    // The client that went away gets no answer; anything else is a fault of this host.
    if (!incoming.destroyed || incoming.complete)
      log(`HTTP ${incoming.method ?? ""} ${incoming.url ?? ""}: ${describeError(error)}`);
    if (!outgoing.headersSent) send(outgoing, { status: 500 }, false);
  }
}

function send(outgoing: ServerResponse, { status, headers = {}, body = "" }: HttpReply, isHead: boolean): void {
  const length = typeof body === "string" ? Buffer.byteLength(body) : body.byteLength;
  const hasBody = status !== 204 && status !== 304 && status >= 200;
  outgoing.writeHead(status, hasBody && !isHead ? { ...headers, "content-length": length } : headers);
  if (hasBody && !isHead && length > 0) outgoing.end(body);
  else outgoing.end();
}

class BodyTooLarge extends Error {
  override name = "BodyTooLarge";
}

async function readRequest(incoming: IncomingMessage): Promise<HttpRequest> {
  const target = incoming.url ?? "/";
  const mark = target.indexOf("?");
  const path = mark < 0 ? target : target.slice(0, mark);
  const host = incoming.headers["x-forwarded-host"] ?? incoming.headers.host ?? "localhost";
  const protocol = incoming.headers["x-forwarded-proto"] === "https" ? "https" : "http";
  return {
    method: incoming.method ?? "GET",
    path,
    query: new URLSearchParams(mark < 0 ? "" : target.slice(mark + 1)),
    headers: incoming.headers,
    url: `${protocol}://${String(host)}${target}`,
    body: await readBody(incoming),
  };
}

async function readBody(incoming: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let size = 0;
  // Without an encoding set, the stream gives buffers.
  for await (const chunk of incoming as AsyncIterable<Buffer>) {
    size += chunk.length;
    if (size > MAX_BODY_BYTES) throw new BodyTooLarge();
    chunks.push(chunk);
  }
  return chunks.length === 1 && chunks[0] ? chunks[0] : Buffer.concat(chunks);
}

export function jsonReply(status: number, value: unknown, headers: Readonly<Record<string, string>> = {}): HttpReply {
  return {
    status,
    headers: { "content-type": "application/json; charset=utf-8", ...headers },
    body: JSON.stringify(value),
  };
}
