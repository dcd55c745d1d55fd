import { createServer } from "node:http";
import type { IncomingMessage, Server, ServerResponse } from "node:http";
import type { AddressInfo, Socket } from "node:net";
import { describeError } from "./log";
import type { Log } from "./log";
import { BodyTooLarge, readBody, requestOf } from "./http-request";
import type { HttpRequest } from "./http-request";

export interface HttpReply {
  readonly status: number;
  readonly headers?: Readonly<Record<string, string | string[]>>;
  readonly body?: string | Uint8Array;
}

/** Answers a request; undefined says that the answer has gone out already, by the request's own streams. */
export type HttpHandler = (request: HttpRequest) => Promise<HttpReply | undefined>;

interface HttpServerOptions {
  readonly log: Log;
  readonly maxBodyBytes: number;
}

/** A listening server on the loopback interface. */
export class HttpServer {
  private underWay = 0;
  private idle: (() => void) | undefined;

  private constructor(
    private readonly server: Server,
    readonly port: number,
  ) {}

  static async listen(port: number, handler: HttpHandler, options: HttpServerOptions): Promise<HttpServer> {
    const server = createServer();
    // A front door keeps its connections open between requests for longer than Node's five seconds.
    server.keepAliveTimeout = 65_000;
    const { promise, resolve, reject } = Promise.withResolvers<undefined>();
    server.once("error", (error) => reject(portError(error, port)));
    // A burst of connections waits in the system's queue, as it does before Kestrel.
    server.listen({ port, host: "127.0.0.1", backlog: 2048 }, () => resolve(undefined));
    await promise;
    // A TCP server's address is never a string.
    const listening = new HttpServer(server, (server.address() as AddressInfo).port);
    server.on("request", (incoming, outgoing) => {
      listening.track(outgoing);
      void answer(handler, { incoming, outgoing, ...options });
    });
    server.on("clientError", refuse);
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

/** What is no HTTP at all is answered by its status line, as Kestrel does, and the connection ends. */
function refuse(error: NodeJS.ErrnoException, socket: Socket): void {
  if (error.code === "ECONNRESET" || !socket.writable) {
    socket.destroy();
    return;
  }
  const status = error.code === "HPE_HEADER_OVERFLOW" ? "431 Request Header Fields Too Large" : "400 Bad Request";
  socket.end(`HTTP/1.1 ${status}\r\ncontent-length: 0\r\nconnection: close\r\n\r\n`);
}

interface Exchange extends HttpServerOptions {
  readonly incoming: IncomingMessage;
  readonly outgoing: ServerResponse;
}

async function answer(handler: HttpHandler, exchange: Exchange): Promise<void> {
  const { incoming, outgoing, maxBodyBytes } = exchange;
  let body: Promise<Buffer> | undefined;
  const request: HttpRequest = {
    ...requestOf(incoming),
    exchange: { incoming, outgoing, maxBodyBytes },
    readBody: () => (body ??= readBody(incoming, maxBodyBytes)),
  };
  try {
    const reply = await handler(request);
    if (reply) send(outgoing, reply, incoming.method === "HEAD");
  } catch (error) {
    fail(exchange, error);
  }
}

function fail({ incoming, outgoing, log }: Exchange, error: unknown): void {
  const tooLarge = error instanceof BodyTooLarge;
  // The client that went away gets no answer; anything else is a fault of this host.
  if (!tooLarge && (!incoming.destroyed || incoming.complete))
    log(`HTTP ${incoming.method ?? ""} ${incoming.url ?? ""}: ${describeError(error)}`);
  if (outgoing.headersSent) outgoing.destroy();
  else send(outgoing, { status: tooLarge ? 413 : 500, headers: tooLarge ? { connection: "close" } : {} }, false);
}

function send(outgoing: ServerResponse, { status, headers = {}, body = "" }: HttpReply, isHead: boolean): void {
  const length = typeof body === "string" ? Buffer.byteLength(body) : body.byteLength;
  const hasBody = status !== 204 && status !== 304 && status >= 200;
  outgoing.writeHead(status, hasBody && !isHead ? { ...headers, "content-length": length } : headers);
  if (hasBody && !isHead && length > 0) outgoing.end(body);
  else outgoing.end();
}

export function jsonReply(status: number, value: unknown, headers: Readonly<Record<string, string>> = {}): HttpReply {
  return {
    status,
    headers: { "content-type": "application/json; charset=utf-8", ...headers },
    body: JSON.stringify(value),
  };
}
