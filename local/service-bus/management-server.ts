import { createServer as createHttpServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import { createServer as createHttpsServer } from "node:https";
import type { AddressInfo } from "node:net";
import type { TlsMaterial } from "./amqp-listener";
import type { EntityRegistry } from "./entity-registry";
import { rolesAllow } from "./entra-access";
import { ManagementRoutes, refusal, type ManagementReply } from "./management-routes";
import { checkToken, covers, entityPath } from "./sas-token";
import type { ServerParts } from "./server-parts";

interface ManagementOptions {
  readonly parts: ServerParts;
  readonly registry: EntityRegistry;
  readonly tls?: TlsMaterial | undefined;
  readonly port: number;
}

const longestBodyBytes = 256 * 1024;

/** The management API of the namespace, and `GET /status` for whoever only wants to know how many messages wait. */
export class ManagementServer {
  private readonly routes: ManagementRoutes;

  private constructor(
    private readonly options: ManagementOptions,
    private readonly server: Server,
  ) {
    const { parts, registry } = options;
    this.routes = new ManagementRoutes({ broker: parts.broker, registry, startedAt: parts.now() });
    server.on("request", (request, response) => void this.serve(request, response));
  }

  static async listen(options: ManagementOptions): Promise<ManagementServer> {
    const { tls, port } = options;
    const server = tls ? createHttpsServer({ key: tls.key, cert: tls.cert }) : createHttpServer();
    const management = new ManagementServer(options, server);
    const { promise, resolve, reject } = Promise.withResolvers<undefined>();
    server.once("error", (error: NodeJS.ErrnoException) =>
      reject(new Error(`The Service Bus management API cannot listen on 127.0.0.1:${port}.`, { cause: error })),
    );
    server.listen(port, "127.0.0.1", () => resolve(undefined));
    await promise;
    return management;
  }

  get port(): number {
    // A TCP server's address is never a string.
    return (this.server.address() as AddressInfo).port;
  }

  async close(): Promise<void> {
    const closed = new Promise<void>((resolve) => this.server.close(() => resolve()));
    this.server.closeAllConnections();
    await closed;
  }

  private async serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { log } = this.options.parts;
    try {
      const { status, contentType, body } = await this.answer(request);
      response.writeHead(status, { "content-type": contentType, ...(status === 413 && { connection: "close" }) });
      response.end(body);
    } catch (error) {
      log(`service bus: ${request.method ?? ""} ${request.url ?? ""} failed: ${String(error)}`);
      if (!response.headersSent) response.writeHead(500);
      response.end();
    }
  }

  private async answer(request: IncomingMessage): Promise<ManagementReply> {
    const { parts, tls } = this.options;
    const url = urlOf(request, tls ? "https" : "http");
    const body = await readBody(request);
    if (!url) return refusal(400, "The URL is malformed.");
    if (body === undefined) return refusal(413, `The request is longer than ${longestBodyBytes} bytes.`);
    if (request.method === "GET" && url.pathname === "/status") return this.status();
    if (parts.isClosed()) return refusal(503, "The namespace is being shut down.");
    if (!(await this.isManager(request.headers.authorization ?? "", url)))
      return refusal(401, "Unauthorized access. 'Manage' claim(s) are required to perform this operation.");
    const reply = this.routes.answer({
      method: request.method ?? "",
      url,
      isUpdate: request.headers["if-match"] === "*",
      body,
    });
    // An answer says that its effect is on disk.
    await new Promise<void>((resolve, reject) => parts.journal.whenCommitted(resolve, reject));
    return reply;
  }

  private status(): ManagementReply {
    const { broker } = this.options.parts;
    const entities = broker.listEntities().map((entity) => ({
      kind: entity.kind,
      name: entity.queue.name,
      ...broker.counts(entity.queue.name),
    }));
    return { status: 200, contentType: "application/json", body: JSON.stringify({ entities }) };
  }

  private async isManager(authorization: string, url: URL): Promise<boolean> {
    const { keys, entra, now } = this.options.parts;
    const path = entityPath(decodeURI(url.pathname));
    if (authorization.startsWith("Bearer ")) {
      const principalId = await entra?.identify(authorization);
      return (
        entra !== undefined && principalId !== undefined && rolesAllow(entra, principalId, { path, right: "Manage" })
      );
    }
    const checked = checkToken(authorization, keys, now());
    if (checked.outcome === "refused") return false;
    const { claim } = checked;
    // Clients sign the whole URL.
    const opened = { path: claim.path.replace(/\/?\?.*$/, "") };
    return claim.rights.includes("Manage") && covers(opened, path);
  }
}

function urlOf(request: IncomingMessage, scheme: string): URL | undefined {
  const url = `${scheme}://${request.headers.host ?? "localhost"}${request.url ?? "/"}`;
  if (!URL.canParse(url)) return undefined;
  const parsed = new URL(url);
  try {
    decodeURI(parsed.pathname);
    return parsed;
  } catch {
    return undefined;
  }
}

async function readBody(request: IncomingMessage): Promise<string | undefined> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    size += chunk.length;
    if (size > longestBodyBytes) return undefined;
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString();
}
