import { randomUUID } from "node:crypto";
import { once } from "node:events";
import { Agent, request as openRequest } from "node:http";
import type { ClientRequest, IncomingMessage, OutgoingHttpHeaders } from "node:http";
import { pipeline } from "node:stream/promises";
import type { HttpExchange, HttpRequest } from "./http-request";
import type { HttpReply } from "./http-server";
import type { Invoker } from "./invoker";
import type { RouteMatch } from "./router";
import { StreamPace } from "./stream-pace";
import type { TypedData } from "./rpc";

interface StreamedCall {
  readonly invoker: Invoker;
  readonly port: number;
  readonly request: HttpRequest;
  readonly match: RouteMatch;
  readonly headers: Readonly<Record<string, string>>;
  readonly customHeaders: Readonly<Record<string, string>>;
}

const INVOCATION_ID = "x-ms-invocation-id";
/** Headers that belong to one connection and are not passed on (RFC 9110, section 7.6.1), and the one that ties request and invocation. */
const HOP_BY_HOP = [
  "connection",
  "keep-alive",
  "proxy-connection",
  "te",
  "trailer",
  "transfer-encoding",
  "upgrade",
  "expect",
  INVOCATION_ID,
];
/**
 * A connection for each request, since one that is kept could be closed by the library at the moment it is used again; but not of the kind
 * that is closed with the answer: what the function left unread would then take the answer's end with it.
 */
const connections = new Agent({ keepAlive: true, maxFreeSockets: 0, maxSockets: Number.POSITIVE_INFINITY });
/** How long a caller may go on sending a body that the function did not read. */
const DRAIN_MS = 5_000;

/**
 * `app.setup({ enableHttpStream: true })`: the request goes as it is to a server of the app's library, beside an invocation
 * of the same id, and the answer comes back that way. Nothing of either body is held.
 */
export async function serveStreamed(call: StreamedCall): Promise<HttpReply | undefined> {
  const { exchange } = call.request;
  if (Number(exchange.incoming.headers["content-length"] ?? 0) > exchange.maxBodyBytes)
    return { status: 413, headers: { connection: "close" } };
  const invocationId = randomUUID();
  const proxied = openProxied(call, invocationId);
  const pace = new StreamPace();
  const answer = relay(proxied, call, pace);
  // Whoever awaits the answer hears of its failure; while nobody does, it is no unhandled one.
  answer.catch(() => undefined);
  const upload = new Upload(proxied, exchange);
  exchange.outgoing.once("close", () => {
    pace.end();
    proxied.destroy();
  });
  const outcome = { silent: false };
  const shapeResult = (result: unknown): unknown => {
    outcome.silent = result === undefined || result === null;
    return pace.slowed(result);
  };
  try {
    // The library waits for ever for a request that never came, so the invocation begins when the request is on its way.
    await connected(proxied);
    await call.invoker.invoke(call.match.route.fn, { ...triggerOf(call), invocationId, shapeResult });
    if (outcome.silent) return { status: 204 };
    await answer;
    return undefined;
  } catch {
    return afterFailure(exchange, upload);
  } finally {
    pace.end();
    proxied.destroy();
    drain(exchange.incoming);
  }
}

/** The invoker has logged why. When a part of the answer has gone out, only the end of the connection can say that it failed. */
function afterFailure({ outgoing }: HttpExchange, upload: Upload): HttpReply | undefined {
  if (outgoing.headersSent) {
    outgoing.destroy();
    return undefined;
  }
  return upload.isTooLarge ? { status: 413, headers: { connection: "close" } } : { status: 500 };
}

function triggerOf({ request, match, headers }: StreamedCall) {
  const metadata: Record<string, TypedData> = {
    Headers: { json: JSON.stringify(headers) },
    Query: { json: JSON.stringify(Object.fromEntries(request.query)) },
  };
  for (const [name, value] of Object.entries(match.params)) metadata[name] = { string: value };
  return { data: { http: {} }, metadata, reason: "This function was programmatically called via the host APIs." };
}

function openProxied({ port, request, headers }: StreamedCall, invocationId: string): ClientRequest {
  const forwarded: OutgoingHttpHeaders = {
    ...withoutHopByHop(headers),
    [INVOCATION_ID]: invocationId,
    "x-forwarded-host": request.host,
    "x-forwarded-proto": request.protocol,
  };
  if (request.headers["transfer-encoding"] !== undefined) forwarded["transfer-encoding"] = "chunked";
  const proxied = openRequest({
    ...{ host: "127.0.0.1", port, method: request.method, path: request.target, agent: connections },
    headers: forwarded,
  });
  // Whoever waits for it hears of its failure by its end; a request that is given up fails when nobody waits any more.
  proxied.on("error", () => undefined);
  return proxied;
}

async function connected(proxied: ClientRequest): Promise<void> {
  proxied.flushHeaders();
  const socket = proxied.socket ?? ((await once(proxied, "socket")) as [NonNullable<ClientRequest["socket"]>])[0];
  if (socket.connecting) await once(socket, "connect");
}

/** Sends the caller's body on, as fast as the function reads it. */
class Upload {
  isTooLarge = false;
  private bytes = 0;

  constructor(
    private readonly proxied: ClientRequest,
    private readonly exchange: HttpExchange,
  ) {
    const { incoming } = exchange;
    // Not a pipeline: its failure would end the caller's connection, on which an answer may be on its way.
    incoming.on("data", (chunk: Buffer) => this.pass(chunk));
    incoming.once("end", () => proxied.end());
    proxied.on("drain", () => incoming.resume());
    proxied.once("close", () => incoming.resume());
  }

  private pass(chunk: Buffer): void {
    const { incoming, maxBodyBytes } = this.exchange;
    this.bytes += chunk.length;
    if (this.bytes > maxBodyBytes && !this.isTooLarge) {
      this.isTooLarge = true;
      this.proxied.destroy();
    }
    // What nobody takes any more is read away, so that the caller comes to read the answer.
    if (!this.proxied.destroyed && !this.proxied.write(chunk)) incoming.pause();
  }
}

async function relay(proxied: ClientRequest, call: StreamedCall, pace: StreamPace): Promise<void> {
  const { outgoing } = call.request.exchange;
  const { promise, resolve, reject } = Promise.withResolvers<IncomingMessage>();
  proxied.once("response", resolve);
  proxied.once("error", reject);
  proxied.once("close", () => reject(new Error("The function's answer was cut off")));
  const answer = await promise;
  const headers = { ...call.customHeaders, ...withoutHopByHop(answer.headers) };
  outgoing.writeHead(answer.statusCode ?? 200, headers);
  answer.on("data", (chunk: Buffer) => pace.arrived(chunk.length));
  await pipeline(answer, outgoing);
}

function withoutHopByHop<T>(headers: Readonly<Record<string, T>>): Record<string, T> {
  return Object.fromEntries(Object.entries(headers).filter(([name]) => !HOP_BY_HOP.includes(name.toLowerCase())));
}

/** Reads away what the function left unread, so that the connection can be used again, but not for ever. */
function drain(incoming: IncomingMessage): void {
  if (incoming.complete || incoming.destroyed) return;
  const handle = setTimeout(() => incoming.destroy(), DRAIN_MS).unref();
  incoming.once("close", () => clearTimeout(handle));
  incoming.resume();
}
