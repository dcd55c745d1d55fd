import { HttpRequest, HttpResponse, type HttpResponseInit, InvocationContext } from "@azure/functions";
import type { DurableClient } from "durable-functions";

interface RequestFields {
  readonly method?: string;
  readonly authorization?: string;
  readonly params?: Record<string, string>;
  /** Without the question mark. */
  readonly query?: string;
  /** Text as it is, anything else as JSON. */
  readonly body?: unknown;
}

export function httpRequest({
  method = "POST",
  authorization,
  params = {},
  query = "",
  body,
}: RequestFields): HttpRequest {
  const text = typeof body === "string" ? body : JSON.stringify(body);
  return new HttpRequest({
    method,
    url: `http://localhost/api?${query}`,
    params,
    headers: authorization === undefined ? {} : { authorization },
    ...(body !== undefined && { body: { string: text } }),
  });
}

export const invocation = (triggerMetadata: Record<string, unknown> = {}): InvocationContext =>
  new InvocationContext({ functionName: "test", invocationId: "i1", logHandler: () => undefined, triggerMetadata });

/** The app's functions only hand it on to what the test has put in its place. */
export const noClient = {} as unknown as DurableClient;

export interface Answer {
  readonly status: number | undefined;
  readonly code: string | undefined;
  readonly target: string | undefined;
  readonly body: Record<string, unknown>;
  readonly headers: Readonly<Record<string, string>>;
}

/** A response with its error code, as a client would look at it. */
export function answerOf(response: HttpResponseInit | HttpResponse): Answer {
  if (response instanceof HttpResponse) throw new Error("the app answers with plain objects");
  // Every answer of the app is an object of JSON with plain headers.
  const body = (response.jsonBody ?? {}) as { error?: { code?: string; target?: string } } & Record<string, unknown>;
  const headers = (response.headers ?? {}) as Record<string, string>;
  return { status: response.status, code: body.error?.code, target: body.error?.target, body, headers };
}
