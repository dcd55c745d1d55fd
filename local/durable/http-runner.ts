import type { DurableHttpRequest } from "./actions";
import type { DurableHttpResponse } from "./http-call";

/** Where a managed identity's tokens come from, as App Service tells its apps. */
export interface IdentityEndpoint {
  readonly endpoint: string | undefined;
  readonly header: string | undefined;
}

/** As the client of the durable extension, which is .NET's own. */
const TIMEOUT_MS = 100_000;

/** Sends one request of `context.df.callHttp`; every answer is a result, only a request without an answer fails. */
export async function runHttpCall(input: string, identity: IdentityEndpoint): Promise<string> {
  // This host wrote the text from the SDK's own action.
  const { method = "GET", uri = "", headers = {}, content, tokenSource } = JSON.parse(input) as DurableHttpRequest;
  const sent = new Headers(headers);
  if (tokenSource) sent.set("authorization", `Bearer ${await tokenOf(tokenSource, identity)}`);
  const answer = await send(uri, {
    method,
    headers: sent,
    signal: AbortSignal.timeout(TIMEOUT_MS),
    ...(content !== undefined && { body: content }),
  });
  const response: DurableHttpResponse = {
    statusCode: answer.status,
    headers: Object.fromEntries([...answer.headers].map(([name, value]) => [titleOf(name), value])),
    content: await answer.text(),
  };
  return JSON.stringify(response);
}

async function send(uri: string, init: RequestInit): Promise<Response> {
  try {
    return await fetch(uri, init);
  } catch (error) {
    // fetch says only that it failed; what happened is the cause.
    const cause = error instanceof Error && error.cause instanceof Error ? `: ${error.cause.message}` : "";
    throw new Error(
      `${init.method ?? "GET"} ${uri}: ${error instanceof Error ? error.message : String(error)}${cause}`,
      {
        cause: error,
      },
    );
  }
}

async function tokenOf(
  { kind, resource = "" }: NonNullable<DurableHttpRequest["tokenSource"]>,
  { endpoint, header }: IdentityEndpoint,
): Promise<string> {
  if (kind !== "AzureManagedIdentity") throw new Error(`callHttp: a token source of kind '${kind ?? ""}' is not known`);
  if (endpoint === undefined || header === undefined)
    throw new Error(
      `callHttp: no token for ${resource}: the app has no managed identity here (IDENTITY_ENDPOINT and IDENTITY_HEADER are not set)`,
    );
  // docs: "How to use managed identities for App Service": the endpoint takes a resource, not a scope.
  const query = new URLSearchParams({ resource: resource.replace(/\/\.default$/, ""), "api-version": "2019-08-01" });
  const answer = await send(`${endpoint}?${query.toString()}`, {
    method: "GET",
    headers: { "X-IDENTITY-HEADER": header },
  });
  const text = await answer.text();
  if (!answer.ok)
    throw new Error(`callHttp: no token for ${resource}: the identity endpoint answered ${answer.status} ${text}`);
  // The endpoint's documented answer.
  return (JSON.parse(text) as { access_token: string }).access_token;
}

/** .NET gives header names in their usual spelling, fetch in lower case. */
function titleOf(name: string): string {
  return name.replace(/(^|-)[a-z]/g, (start) => start.toUpperCase());
}
