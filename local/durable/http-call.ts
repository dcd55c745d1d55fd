import type { DurableHttpRequest } from "./actions";
import { EventType } from "./history";
import type { HistoryEvent } from "./history";

/** The activity that the durable extension registers for `context.df.callHttp`. */
export const HTTP_ACTIVITY = "BuiltIn::HttpActivity";

/** What an HTTP call gives to its orchestration. */
export interface DurableHttpResponse {
  readonly statusCode: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly content: string;
}

export interface Poll {
  /** The next request, as an activity's input in the history. */
  readonly input: string;
  /** Undefined when the answer does not say: then the host's own setting counts. */
  readonly afterMs: number | undefined;
}

/** The asynchronous pattern is on unless the call switches it off: `enablePolling: false`. */
export function isPolled({ Input }: HistoryEvent): boolean {
  return requestOf(Input)?.asynchronousPatternEnabled !== false;
}

/**
 * The poll that an answer asks for: 202 with a Location. It is a GET with the first request's headers, but for the
 * functions key: a status endpoint wants a key of another kind (docs: HTTP features of Durable Functions).
 */
export function pollOf(event: HistoryEvent, first: HistoryEvent | undefined): Poll | undefined {
  if (!first || event.EventType !== EventType.TaskCompleted) return undefined;
  // The text is what `runHttpCall` gave.
  const { statusCode, headers } = JSON.parse(event.Result ?? "null") as DurableHttpResponse;
  const location = headerOf(headers, "location");
  const request = requestOf(first.Input);
  if (statusCode !== 202 || location === undefined || location === "" || !request) return undefined;
  const { headers: sent = {}, tokenSource } = request;
  const next: DurableHttpRequest = {
    method: "GET",
    uri: absolute(location, request.uri),
    headers: Object.fromEntries(Object.entries(sent).filter(([name]) => name.toLowerCase() !== "x-functions-key")),
    ...(tokenSource && { tokenSource }),
    asynchronousPatternEnabled: true,
  };
  return {
    input: `[${JSON.stringify(next)}]`,
    afterMs: retryAfterMs(headerOf(headers, "retry-after"), event.Timestamp),
  };
}

function headerOf(headers: Readonly<Record<string, string>>, name: string): string | undefined {
  return Object.entries(headers).find(([key]) => key.toLowerCase() === name)?.[1];
}

function absolute(location: string, base: string | undefined): string {
  return URL.canParse(location, base) ? new URL(location, base).href : location;
}

/** Seconds, or a date. */
function retryAfterMs(value: string | undefined, now: string): number | undefined {
  if (value === undefined || value === "") return undefined;
  const seconds = Number(value);
  if (!Number.isNaN(seconds)) return Math.max(seconds * 1000, 0);
  const date = Date.parse(value);
  return Number.isNaN(date) ? undefined : Math.max(date - Date.parse(now), 0);
}

function requestOf(input: string | undefined): DurableHttpRequest | undefined {
  // This host wrote the text: a list of one request.
  return (JSON.parse(input ?? "[]") as DurableHttpRequest[])[0];
}
