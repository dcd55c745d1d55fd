export interface ManagementRequest {
  readonly method: string;
  /** Decoded path segments after the API's root. */
  readonly path: readonly string[];
  readonly query: URLSearchParams;
  readonly body: string;
  readonly contentType: string;
  readonly continuationToken: string | undefined;
}

export interface ManagementReply {
  readonly status: number;
  readonly body?: unknown;
  readonly headers?: Readonly<Record<string, string>>;
}

export const NOT_FOUND: ManagementReply = { status: 404 };

/** How ASP.NET writes an error with a text. */
export function refused(status: number, message: string): ManagementReply {
  return { status, body: { Message: message } };
}

/** Names of parameters ignore case, as in ASP.NET. */
export function parameter(query: URLSearchParams, name: string): string | undefined {
  const plain = query.get(name);
  if (plain !== null) return plain;
  const wanted = name.toLowerCase();
  for (const [key, value] of query) if (key.toLowerCase() === wanted) return value;
  return undefined;
}

export function booleanOf(query: URLSearchParams, name: string): boolean | undefined {
  const text = parameter(query, name)?.trim().toLowerCase();
  if (text === "true") return true;
  return text === "false" ? false : undefined;
}

export function timeOf(query: URLSearchParams, name: string): number | undefined {
  const time = Date.parse(parameter(query, name) ?? "");
  return Number.isNaN(time) ? undefined : time;
}

export function secondsOf(query: URLSearchParams, name: string): number | undefined {
  const text = parameter(query, name);
  const seconds = Number(text);
  return text === undefined || text.trim() === "" || Number.isNaN(seconds) ? undefined : seconds;
}

const DEFAULT_PAGE = 1_000;

export function pageSizeOf(query: URLSearchParams): number {
  const top = Number(parameter(query, "top"));
  return Number.isSafeInteger(top) && top > 0 ? top : DEFAULT_PAGE;
}

export function isJson(contentType: string): boolean {
  return contentType.split(";", 1)[0]?.trim().toLowerCase() === "application/json";
}

/** The body as JSON text, `null` for an empty one, undefined when it is no JSON. */
export function jsonTextOf(body: string): string | undefined {
  if (body === "") return "null";
  try {
    JSON.parse(body);
    return body;
  } catch {
    return undefined;
  }
}
