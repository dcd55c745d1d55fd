import { BodyTooLarge } from "./http-request";
import type { HttpRequest } from "./http-request";
import type { HttpReply } from "./http-server";
import { serveStreamed } from "./http-stream";
import type { Invoker } from "./invoker";
import type { HostKeys } from "./keys";
import type { HttpCookie, HttpData, TypedData } from "./rpc";
import type { RouteMatch, Router } from "./router";

export interface HttpTriggerParts {
  readonly router: Router;
  readonly invoker: Invoker;
  readonly keys: HostKeys;
  /** Where the app's library takes bodies as streams; undefined without `enableHttpStream`. */
  readonly streamPort: number | undefined;
  readonly load: RequestLoad;
  readonly customHeaders: Readonly<Record<string, string>>;
}

/** `maxOutstandingRequests` of host.json: how many requests may be under way. */
export class RequestLoad {
  private underWay = 0;

  constructor(private readonly limit: number | undefined) {}

  enter(): boolean {
    if (this.limit !== undefined && this.underWay >= this.limit) return false;
    this.underWay += 1;
    return true;
  }

  leave(): void {
    this.underWay -= 1;
  }
}

export const PROGRAMMATIC_REASON = "This function was programmatically called via the host APIs.";

/** Finds the function for a request, runs it and turns what it gave into the reply. */
export async function serveFunction(parts: HttpTriggerParts, request: HttpRequest): Promise<HttpReply | undefined> {
  const { router, keys, load } = parts;
  const match = router.find(request.method, request.path);
  if (!match) return { status: 404 };
  const { fn, level, disabled } = match.route;
  if (disabled && !keys.isMaster(request)) return { status: 404 };
  if (!keys.allows(request, level, fn.metadata.name)) return { status: 401 };
  if (!load.enter()) return { status: 429, headers: { "retry-after": "1" } };
  try {
    return await serveMatch(parts, request, match);
  } finally {
    load.leave();
  }
}

async function serveMatch(
  { invoker, streamPort, customHeaders }: HttpTriggerParts,
  request: HttpRequest,
  match: RouteMatch,
): Promise<HttpReply | undefined> {
  const { fn } = match.route;
  const headers = trustedHeaders(request);
  if (streamPort !== undefined)
    return serveStreamed({ invoker, port: streamPort, request, match, headers, customHeaders });
  const data = await requestData(request, { ...match, headers });
  try {
    const response = await invoker.invoke(fn, { data: { http: data }, reason: PROGRAMMATIC_REASON });
    const reply = replyOf(response.returnValue);
    return { ...reply, headers: { ...customHeaders, ...reply.headers } };
  } catch (error) {
    // The invoker has logged it; a caller hears no details. A body that is too large has an answer of its own.
    if (error instanceof BodyTooLarge) throw error;
    return { status: 500 };
  }
}

/** Azure's front end sets these headers itself, and takes away what a caller claims in them. */
const PRINCIPAL = "x-ms-client-principal";

function trustedHeaders({ headers }: HttpRequest): Record<string, string> {
  const trusted: Record<string, string> = {};
  for (const [name, value] of Object.entries(headers)) {
    if (value !== undefined && !name.startsWith(PRINCIPAL))
      trusted[name] = Array.isArray(value) ? value.join(", ") : value;
  }
  return trusted;
}

async function requestData(
  request: HttpRequest,
  { params, headers }: Pick<RouteMatch, "params"> & { headers: Record<string, string> },
): Promise<HttpData> {
  const body = await request.readBody();
  const data: HttpData = {
    ...{ method: request.method, url: request.url, headers },
    query: joinedQuery(request.query),
    params: { ...params },
  };
  return body.length > 0 ? { ...data, body: { bytes: body } } : data;
}

/** A key that comes twice has its values joined by commas (Azure/azure-functions-nodejs-library issue 168); keys ignore case. */
function joinedQuery(query: URLSearchParams): Record<string, string> {
  const values = new Map<string, { readonly name: string; readonly values: string[] }>();
  for (const [name, value] of query) {
    const known = values.get(name.toLowerCase());
    if (known) known.values.push(value);
    else values.set(name.toLowerCase(), { name, values: [value] });
  }
  return Object.fromEntries([...values.values()].map((each) => [each.name, each.values.join(",")]));
}

/** A function that returns nothing answers 204 with no body, as the real host does. */
function replyOf(value: TypedData | null | undefined): HttpReply {
  const http = value?.http;
  if (!http) return { status: 204 };
  const headers: Record<string, string | string[]> = { ...http.headers };
  const cookies = (http.cookies ?? []).map(cookieText);
  if (cookies.length > 0) headers["set-cookie"] = cookies;
  const body = bodyOf(http.body);
  return { status: Number(http.statusCode ?? 200), headers, ...(body === undefined ? {} : { body }) };
}

function bodyOf(body: TypedData | null | undefined): string | Uint8Array | undefined {
  return body?.bytes ?? body?.string ?? body?.json;
}

const SAME_SITE = { none: undefined, lax: "lax", strict: "strict", explicitNone: "none" } as const;

function cookieText({ name, value, domain, path, expires, secure, httpOnly, sameSite, maxAge }: HttpCookie): string {
  const attributes: (string | undefined)[] = [
    `${encodeURIComponent(name)}=${encodeURIComponent(value)}`,
    expires && `expires=${new Date(expires.value.seconds * 1000).toUTCString()}`,
    maxAge && `max-age=${maxAge.value}`,
    domain && `domain=${domain.value}`,
    `path=${path?.value ?? "/"}`,
    secure?.value === true ? "secure" : undefined,
    sameSite && SAME_SITE[sameSite] && `samesite=${SAME_SITE[sameSite]}`,
    httpOnly?.value === true ? "httponly" : undefined,
  ];
  return attributes.filter((attribute) => attribute !== undefined).join("; ");
}
