import { retryAfterMsOf } from "./backoff";

/** What came of one call of the service. `stale`: the session or lease no longer counts. `refused`: no use in asking again at once. */
export type ApiAnswer<Body> =
  | { readonly kind: "ok"; readonly body: Body }
  | { readonly kind: "stale" }
  | { readonly kind: "refused"; readonly status: number; readonly reason: string }
  | { readonly kind: "unavailable"; readonly reason: string; readonly retryAfterMs?: number | undefined };

export interface ServiceClient {
  post<Body>(operation: string, body: object): Promise<ApiAnswer<Body>>;
}

export interface ServiceClientOptions {
  readonly apiUrl: string;
  /** A token of the machine identity for the service's audience. */
  readonly token: (audience: string, fresh: boolean) => Promise<string>;
}

const LIMIT_MS = 30_000;

export function createServiceClient({ apiUrl, token }: ServiceClientOptions): ServiceClient {
  let audience: string | undefined;
  const send = async (operation: string, body: object, fresh: boolean): Promise<Response> => {
    audience ??= await readAudience(apiUrl);
    const authorization = `Bearer ${await token(audience, fresh)}`;
    return fetch(`${apiUrl}/api/agent/v1/${operation}`, {
      method: "POST",
      headers: { authorization, "content-type": "application/json" },
      body: JSON.stringify(body),
      redirect: "error",
      signal: AbortSignal.timeout(LIMIT_MS),
    });
  };
  return {
    post: async <Body>(operation: string, body: object): Promise<ApiAnswer<Body>> => {
      try {
        let response = await send(operation, body, false);
        if (response.status === 401) {
          await response.arrayBuffer();
          response = await send(operation, body, true);
        }
        return await answerOf<Body>(response);
      } catch (error) {
        return { kind: "unavailable", reason: reasonOf(error) };
      }
    },
  };
}

/** The cause tells what `fetch failed` hides: a refused connection, a name that was not found. */
export function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  return error.cause instanceof Error ? `${error.message} (${error.cause.message || error.cause.name})` : error.message;
}

async function readAudience(apiUrl: string): Promise<string> {
  const response = await fetch(`${apiUrl}/api/deployment`, { signal: AbortSignal.timeout(LIMIT_MS) });
  if (!response.ok) throw new Error(`GET /api/deployment: the service answered ${response.status}`);
  const { audience } = (await response.json()) as { readonly audience?: string };
  if (!audience) throw new Error("GET /api/deployment: no audience in the answer");
  return audience;
}

async function answerOf<Body>(response: Response): Promise<ApiAnswer<Body>> {
  const text = await response.text();
  const { status } = response;
  // The service checks its answers with the same schemas that gave us the type.
  if (response.ok) return { kind: "ok", body: (text ? JSON.parse(text) : {}) as Body };
  const code = response.headers.get("x-ms-error-code") ?? codeOf(text);
  const reason = `${status} ${code}`;
  if (status >= 500 || status === 429 || status === 408) {
    return {
      kind: "unavailable",
      reason,
      retryAfterMs: retryAfterMsOf(response.headers.get("retry-after"), Date.now()),
    };
  }
  return status === 409 && code === "StaleLease" ? { kind: "stale" } : { kind: "refused", status, reason };
}

function codeOf(text: string): string {
  return /"code"\s*:\s*"(\w+)"/.exec(text)?.[1] ?? "";
}
