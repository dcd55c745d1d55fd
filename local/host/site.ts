import type { ManagementApi, ManagementReply } from "../durable/management-api";
import { serveEventGrid } from "./event-grid-trigger";
import { jsonReply } from "./http-server";
import type { HttpHandler, HttpReply, HttpRequest } from "./http-server";
import { serveFunction } from "./http-trigger";
import type { Invoker } from "./invoker";
import type { HostKey } from "./keys";
import type { Log } from "./log";
import { decodePath } from "./router";
import type { Triggers } from "./triggers";

interface SiteParts {
  readonly triggers: Triggers;
  readonly invoker: Invoker;
  readonly key: HostKey;
  readonly log: Log;
  readonly management: ManagementApi;
}

const WEBHOOKS = "/runtime/webhooks/";

/** Everything behind the host's public port: the extensions' webhooks, then the app's own functions. */
export function createSiteHandler(parts: SiteParts): HttpHandler {
  return async (request) => {
    if (!request.path.startsWith(WEBHOOKS)) return serveFunction({ ...parts, router: parts.triggers.router }, request);
    if (!parts.key.allows(request)) return { status: 401 };
    const [extension = "", ...rest] = decodePath(request.path)?.slice(2) ?? [];
    switch (extension.toLowerCase()) {
      case "durabletask":
        return serveManagement(parts.management, request, rest);
      case "eventgrid":
        return serveEventGrid({ functions: parts.triggers.eventGrid, invoker: parts.invoker, log: parts.log }, request);
      default:
        return { status: 404 };
    }
  };
}

/** The port for the durable client's own calls. The real host has one as well, and takes no keys there. */
export function createRpcHandler(management: ManagementApi): HttpHandler {
  return async (request) => {
    const [root, ...rest] = decodePath(request.path) ?? [];
    return root === "durabletask" ? serveManagement(management, request, rest) : { status: 404 };
  };
}

async function serveManagement(
  management: ManagementApi,
  request: HttpRequest,
  path: readonly string[],
): Promise<HttpReply> {
  const token = request.headers["x-ms-continuation-token"];
  const reply = await management.serve({
    method: request.method,
    path,
    query: request.query,
    body: request.body.toString("utf8"),
    contentType: request.headers["content-type"] ?? "",
    continuationToken: typeof token === "string" ? token : undefined,
  });
  return httpReplyOf(reply);
}

function httpReplyOf({ status, body, headers }: ManagementReply): HttpReply {
  return body === undefined ? { status, ...(headers && { headers }) } : jsonReply(status, body, headers);
}
