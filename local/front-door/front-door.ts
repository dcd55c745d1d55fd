import {
  Agent,
  createServer,
  request as httpRequest,
  type IncomingMessage,
  type OutgoingHttpHeaders,
  type ServerResponse,
} from "node:http";
import type { AddressInfo } from "node:net";
import type { FaultCall, FaultPlan, FaultVerdict } from "../faults/fault-plan";

export interface FrontDoorOptions {
  /** 0 takes any free port. */
  readonly port: number;
  /** Base URL of the host, undefined while there is none. */
  readonly target: () => string | undefined;
  readonly faults: FaultPlan;
  readonly log: (line: string) => void;
}

export interface FrontDoor {
  readonly url: string;
  readonly port: number;
  close(): Promise<void>;
}

interface Exchange {
  readonly incoming: IncomingMessage;
  readonly response: ServerResponse;
  readonly path: string;
}

interface Passage extends Exchange {
  readonly target: string;
  /** The whole body when a fault rule wanted to see it; otherwise it streams. */
  readonly body: Buffer | undefined;
}

/** Of one connection and not of the message, so a proxy must not hand them on: RFC 9110, section 7.6.1. */
const HOP_HEADERS = [
  "connection",
  "keep-alive",
  "proxy-authenticate",
  "proxy-authorization",
  "te",
  "trailer",
  "transfer-encoding",
  "upgrade",
];
/** Closed to the outside, as on a Function App: the host's management interface and its extensions' webhooks. */
const CLOSED = /^\/(runtime|admin)(\/|$)/i;

/** The one address of the app for agents, command line and browser. It stays while the host behind it comes and goes. */
export async function startFrontDoor(options: FrontDoorOptions): Promise<FrontDoor> {
  const { port, log } = options;
  const upstream = new Agent({ keepAlive: true });
  const server = createServer((incoming, response) => {
    handle({ incoming, response, path: pathOf(incoming) }, { ...options, upstream }).catch((error: unknown) => {
      log(`front door: ${incoming.method ?? ""} ${pathOf(incoming)}: ${String(error)}`);
      response.destroy();
    });
  });
  // Longer than any client's own limit, so that the client and not the proxy ends an idle connection.
  server.keepAliveTimeout = 65_000;
  const { promise, resolve, reject } = Promise.withResolvers<undefined>();
  server.once("error", (error: NodeJS.ErrnoException) =>
    reject(
      error.code === "EADDRINUSE" ? new Error(`the front door's port ${port} is in use`, { cause: error }) : error,
    ),
  );
  server.listen(port, "127.0.0.1", () => resolve(undefined));
  await promise;
  const { port: taken } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${taken}`,
    port: taken,
    close: () => {
      const closed = Promise.withResolvers<undefined>();
      server.close(() => closed.resolve(undefined));
      server.closeAllConnections();
      upstream.destroy();
      return closed.promise;
    },
  };
}

async function handle(exchange: Exchange, options: FrontDoorOptions & { readonly upstream: Agent }): Promise<void> {
  const { incoming, response, path } = exchange;
  if (CLOSED.test(normalized(path))) {
    sendError(response, 404, { code: "NotFound", message: `${path} is not open to the outside.` });
    return;
  }
  const armed = options.faults.list().some(({ rule }) => rule.service === "front-door");
  const body = armed ? await bodyOf(incoming) : undefined;
  const call: FaultCall = {
    service: "front-door",
    operation: `${incoming.method ?? "GET"} ${path}`,
    subject: [path, ...idsOf(body)].join(" "),
  };
  const verdict = await options.faults.at("before", call);
  if (verdict) {
    obey(verdict, response);
    return;
  }
  const target = options.target();
  if (target === undefined) {
    sendUnavailable(response);
    return;
  }
  await pass({ ...exchange, target, body }, call, options);
}

async function pass(
  passage: Passage,
  call: FaultCall,
  { faults, upstream }: FrontDoorOptions & { readonly upstream: Agent },
): Promise<void> {
  const { incoming, response, target, body } = passage;
  const outgoing = httpRequest(new URL(incoming.url ?? "/", target), {
    agent: upstream,
    method: incoming.method,
    headers: {
      ...endToEnd(incoming.headers),
      ...framingOf(incoming.headers, body),
      "x-forwarded-for": incoming.socket.remoteAddress ?? "",
      "x-forwarded-proto": "http",
    },
  });
  const { promise, resolve, reject } = Promise.withResolvers<IncomingMessage>();
  outgoing.once("response", resolve);
  outgoing.once("error", reject);
  // A client that gives up must not keep the host's answer waiting for ever.
  response.once("close", () => {
    if (!response.writableFinished) outgoing.destroy();
  });
  if (body) outgoing.end(body);
  else incoming.pipe(outgoing);
  let answer: IncomingMessage;
  try {
    answer = await promise;
  } catch (error) {
    incoming.unpipe(outgoing);
    if (isRefusal(error)) sendUnavailable(response);
    else sendError(response, 502, { code: "BadGateway", message: "The host broke the connection before it answered." });
    return;
  }
  const verdict = await faults.at("after", call);
  if (verdict) {
    answer.resume();
    obey(verdict, response);
    return;
  }
  response.writeHead(answer.statusCode ?? 502, endToEnd(answer.headers));
  answer.once("error", () => response.destroy());
  answer.once("aborted", () => response.destroy());
  answer.pipe(response);
}

/**
 * How the body is delimited towards the host. Node's client adds nothing by itself for methods that seldom have a body, such as DELETE:
 * the host would then take the body for the next request.
 */
function framingOf(headers: IncomingMessage["headers"], body: Buffer | undefined): OutgoingHttpHeaders {
  if (body) return { "content-length": String(body.length) };
  return headers["transfer-encoding"] === undefined ? {} : { "transfer-encoding": "chunked" };
}

/** The host has not seen the request: the connection was never made. */
function isRefusal(error: unknown): boolean {
  const { code, syscall } = error as NodeJS.ErrnoException;
  return syscall === "connect" || code === "ECONNREFUSED";
}

function sendUnavailable(response: ServerResponse): void {
  response.setHeader("retry-after", "1");
  sendError(response, 503, { code: "ServiceUnavailable", message: "The service is starting or restarting." });
}

function sendError(
  response: ServerResponse,
  status: number,
  error: { readonly code: string; readonly message: string },
): void {
  if (response.destroyed || response.headersSent) return;
  response
    .writeHead(status, { "content-type": "application/json", "x-ms-error-code": error.code })
    .end(JSON.stringify({ error }));
}

function obey(verdict: FaultVerdict, response: ServerResponse): void {
  if (verdict.kind === "drop") {
    response.destroy();
    return;
  }
  for (const [name, value] of Object.entries(verdict.headers ?? {})) response.setHeader(name, value);
  sendError(response, verdict.status, { code: verdict.code, message: verdict.message });
}

function endToEnd(headers: IncomingMessage["headers"]): OutgoingHttpHeaders {
  const named = (headers.connection ?? "").split(",").map((name) => name.trim().toLowerCase());
  return Object.fromEntries(
    Object.entries(headers).filter(([name]) => !HOP_HEADERS.includes(name) && !named.includes(name)),
  );
}

function pathOf({ url = "/" }: IncomingMessage): string {
  return url.split("?")[0] ?? "/";
}

/** As the host will read it, so that no spelling of a closed path slips through. */
function normalized(path: string): string {
  try {
    return new URL(decodeURIComponent(path).replace(/[\\/]+/g, "/"), "http://front-door").pathname;
  } catch {
    return "/admin/";
  }
}

/** What the agent's calls name, so that a rule can be meant for one machine or job. */
function idsOf(body: Buffer | undefined): string[] {
  if (!body || body.length === 0) return [];
  try {
    const value = JSON.parse(body.toString("utf8")) as unknown;
    if (typeof value !== "object" || value === null) return [];
    const fields = value as Readonly<Record<string, unknown>>;
    return ["org", "machineId", "jobId"].map((name) => fields[name]).filter((id) => typeof id === "string");
  } catch {
    return [];
  }
}

async function bodyOf(incoming: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of incoming) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks);
}
