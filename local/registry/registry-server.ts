import { randomUUID } from "node:crypto";
import type { IncomingMessage, ServerResponse } from "node:http";
import { createServer } from "node:https";
import type { AddressInfo } from "node:net";
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import type { FaultPlan } from "../faults/fault-plan";
import type { BlobFiles } from "./blob-files";
import { answerOauth, type OauthParts } from "./oauth";
import { permits } from "./registry-access";
import { RegistryError, unauthorized } from "./registry-error";
import type { RegistryFacts, RegistryReply } from "./registry-request";
import { findRegistryRoute, type RegistryRoute } from "./registry-routes";
import type { RegistryStore } from "./registry-store";
import type { TokenAccess } from "./registry-tokens";

export interface RegistryServerOptions extends Omit<OauthParts, "registry"> {
  readonly port: number;
  readonly tls: { readonly key: string; readonly cert: string };
  readonly registry: () => RegistryFacts;
  readonly store: RegistryStore;
  readonly files: BlobFiles;
  readonly faults: FaultPlan;
  readonly log: (line: string) => void;
}

export interface RegistryServer {
  readonly port: number;
  close(): Promise<void>;
}

/** One registry over https. Layers pass through as streams: neither they nor their uploads are ever whole in memory. */
export async function startRegistryServer(options: RegistryServerOptions): Promise<RegistryServer> {
  const server = createServer({ key: options.tls.key, cert: options.tls.cert }, (request, response) => {
    serve(options, request, response).catch((error: unknown) => {
      options.log(`registry: ${request.method ?? ""} ${request.url ?? ""}: ${String(error)}`);
      response.destroy();
    });
  });
  server.keepAliveTimeout = 60_000;
  const { promise, resolve, reject } = Promise.withResolvers<undefined>();
  server.once("error", reject);
  server.listen(options.port, "127.0.0.1", () => resolve(undefined));
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

async function serve(
  options: RegistryServerOptions,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const reply = await answer(options, request).catch((error: unknown) => {
    if (error instanceof RegistryError) return { status: error.status, headers: error.headers, body: error.toBody() };
    // A client that went away in the middle of its upload; nobody is there to be told.
    if (request.destroyed) return undefined;
    throw error;
  });
  if (reply) await send(response, reply, request.method === "HEAD");
  else response.destroy();
}

/** Undefined: the connection must end without an answer. */
async function answer(options: RegistryServerOptions, request: IncomingMessage): Promise<RegistryReply | undefined> {
  const url = new URL((request.url ?? "/").replace(/^\/{2,}/, "/"), "https://registry");
  const registry = options.registry();
  if (url.pathname.startsWith("/oauth2/"))
    return underFaults(options, { operation: url.pathname.slice("/oauth2/".length), subject: registry.name }, () =>
      answerOauth({ ...options, registry }, request, url),
    );
  const route = findRegistryRoute(request.method ?? "GET", url.pathname);
  const access = await requireToken(options, { registry, route, authorization: request.headers.authorization });
  const subject = `${registry.name}/${route.repository}${route.reference === "" ? "" : `:${route.reference}`}`;
  return underFaults(options, { operation: route.operation, subject }, async () =>
    route.handle({
      registry,
      store: options.store,
      files: options.files,
      method: request.method ?? "GET",
      repository: { registry: registry.instance, name: route.repository },
      reference: route.reference,
      query: url.searchParams,
      headers: request.headers,
      content: request,
      mayPullFrom: (name) => permits(access, { type: "repository", name, actions: ["pull"] }),
    }),
  );
}

interface Knock {
  readonly registry: RegistryFacts;
  readonly route: RegistryRoute;
  readonly authorization: string | undefined;
}

/** Who has no token, or one that does not permit this, is told which one to get: https://distribution.github.io/distribution/spec/auth/token/ */
async function requireToken({ tokens }: RegistryServerOptions, knock: Knock): Promise<readonly TokenAccess[]> {
  const { registry, route, authorization } = knock;
  const [scheme = "", token = ""] = (authorization ?? "").split(" ");
  const { loginServer } = registry;
  const known =
    scheme.toLowerCase() === "bearer" ? await tokens.verify(token, { loginServer, kind: "access_token" }) : undefined;
  if (known && (!route.needed || permits(known.access, route.needed))) return known.access;
  const service = `Bearer realm="https://${loginServer}/oauth2/token",service="${loginServer}"`;
  if (!route.needed) throw unauthorized(service);
  const { type, name, actions } = route.needed;
  const scope = `,scope="${type}:${name}:${actions.join(",")}"`;
  const why = authorization === undefined ? "" : `,error="${known ? "insufficient_scope" : "invalid_token"}"`;
  throw unauthorized(
    `${service}${scope}${why}`,
    actions.map((action) => ({ Type: type, Name: name, Action: action })),
  );
}

async function underFaults(
  { faults }: RegistryServerOptions,
  call: { operation: string; subject: string },
  act: () => Promise<RegistryReply>,
): Promise<RegistryReply | undefined> {
  const seen = { service: "registry", ...call };
  const before = await faults.at("before", seen);
  if (before) return before.kind === "drop" ? undefined : refusal(before);
  const reply = await act();
  const after = await faults.at("after", seen);
  if (!after) return reply;
  if (reply.body instanceof Readable) reply.body.destroy();
  return after.kind === "drop" ? undefined : refusal(after);
}

function refusal({
  status,
  code,
  message,
  headers = {},
}: {
  status: number;
  code: string;
  message: string;
  headers?: Readonly<Record<string, string>>;
}): RegistryReply {
  return { status, headers, body: { errors: [{ code, message }] } };
}

async function send(
  response: ServerResponse,
  { status, headers = {}, body }: RegistryReply,
  isHead: boolean,
): Promise<void> {
  const common = { "X-Ms-Correlation-Request-Id": randomUUID(), "Docker-Distribution-Api-Version": "registry/2.0" };
  if (body instanceof Readable) {
    response.writeHead(status, { ...common, ...headers });
    // A client that goes away ends the stream, and nothing else.
    await pipeline(body, response).catch(() => response.destroy());
    return;
  }
  const bytes = body === undefined || Buffer.isBuffer(body) ? body : Buffer.from(JSON.stringify(body));
  const type = bytes && !Buffer.isBuffer(body) ? { "Content-Type": "application/json; charset=utf-8" } : {};
  const length = bytes ? { "Content-Length": String(bytes.length) } : {};
  const none = !bytes && status !== 204 && status !== 304 && !isHead ? { "Content-Length": "0" } : {};
  response.writeHead(status, { ...common, ...type, ...length, ...none, ...headers });
  response.end(isHead ? undefined : bytes);
}
