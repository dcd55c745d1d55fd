import type { ManagementApi, ManagementReply } from "../durable/management-api";
import { serveAdmin } from "./admin-api";
import type { AdminParts } from "./admin-api";
import { serveEventGrid } from "./event-grid-trigger";
import type { HttpRequest } from "./http-request";
import { jsonReply } from "./http-server";
import type { HttpHandler, HttpReply } from "./http-server";
import { serveFunction } from "./http-trigger";
import type { HttpTriggerParts } from "./http-trigger";
import { decodePath } from "./router";
import type { Triggers } from "./triggers";

type SiteParts = Omit<HttpTriggerParts, "router"> &
  AdminParts & { readonly triggers: Triggers; readonly management: ManagementApi };

const WEBHOOKS = "/runtime/webhooks/";
const ADMIN = "/admin/";

/** Everything behind the host's public port: the host's own interface, the extensions' webhooks, then the app's functions. */
export function createSiteHandler(parts: SiteParts): HttpHandler {
  const functions = { ...parts, router: parts.triggers.router };
  return async (request) => {
    if (!isWellFormed(request)) return { status: 400 };
    if (request.path.startsWith(ADMIN)) return serveAdmin(parts, request);
    if (!request.path.startsWith(WEBHOOKS)) return serveFunction(functions, request);
    if (!parts.keys.allows(request, "system")) return { status: 401 };
    const [extension = "", ...rest] = decodePath(request.path)?.slice(2) ?? [];
    switch (extension.toLowerCase()) {
      case "durabletask":
        return serveManagement(parts.management, request, rest);
      case "eventgrid":
        return serveEventGrid({ functions: parts.triggers.eventGrid, invoker: parts.invoker }, request);
      default:
        return { status: 404 };
    }
  };
}

/** Node lets targets and hosts pass that no URL can be made of; Kestrel refuses them, and so do Node's own clients' libraries. */
function isWellFormed({ target, url }: HttpRequest): boolean {
  return target.startsWith("/") && URL.canParse(url);
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
  const body = await request.readBody();
  const reply = await management.serve({
    method: request.method,
    path,
    query: request.query,
    body: body.toString("utf8"),
    contentType: request.headers["content-type"] ?? "",
    continuationToken: typeof token === "string" ? token : undefined,
  });
  return httpReplyOf(reply);
}

function httpReplyOf({ status, body, headers }: ManagementReply): HttpReply {
  return body === undefined ? { status, ...(headers && { headers }) } : jsonReply(status, body, headers);
}
