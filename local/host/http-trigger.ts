import type { HttpReply, HttpRequest } from "./http-server";
import type { Invoker } from "./invoker";
import { describeError } from "./log";
import type { Log } from "./log";
import type { HostKey } from "./keys";
import type { HttpCookie, HttpData, TypedData } from "./rpc";
import type { Router } from "./router";

interface HttpTriggerParts {
  readonly router: Router;
  readonly invoker: Invoker;
  readonly key: HostKey;
  readonly log: Log;
}

/** Finds the function for a request, runs it and turns what it gave into the reply. */
export async function serveFunction(
  { router, invoker, key, log }: HttpTriggerParts,
  request: HttpRequest,
): Promise<HttpReply> {
  const match = router.find(request.method, request.path);
  if (!match) return { status: 404 };
  const { fn, needsKey } = match.route;
  if (needsKey && !key.allows(request)) return { status: 401 };
  try {
    const response = await invoker.invoke(fn, { data: { http: requestData(request, match.params) } });
    return replyOf(response.returnValue);
  } catch (error) {
    log(`[${fn.metadata.name}] Executed with failure: ${describeError(error)}`);
    return { status: 500 };
  }
}

/** Azure's front end sets these headers itself, and takes away what a caller claims in them. */
const PRINCIPAL = "x-ms-client-principal";

function requestData(request: HttpRequest, params: Readonly<Record<string, string>>): HttpData {
  const headers: Record<string, string> = {};
  for (const [name, value] of Object.entries(request.headers)) {
    if (value !== undefined && !name.startsWith(PRINCIPAL))
      headers[name] = Array.isArray(value) ? value.join(", ") : value;
  }
  const data: HttpData = {
    method: request.method,
    url: request.url,
    headers,
    query: Object.fromEntries(request.query),
    params: { ...params },
  };
  return request.body.length > 0 ? { ...data, body: { bytes: request.body } } : data;
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
