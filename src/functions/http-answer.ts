import type { HttpRequest, HttpResponseInit } from "@azure/functions";
import type { z } from "zod";
import { describeFieldErrors, fieldErrorsOf } from "../contract/field-errors";
import { MAX_JOB_BYTES } from "../contract/names";

export function answer(
  status: number,
  body: unknown,
  headers: Readonly<Record<string, string>> = {},
): HttpResponseInit {
  return { status, jsonBody: body, headers: { ...headers } };
}

/** Azure's error body (contract 5), with its code in a header too. */
export function problem(status: number, code: string, detail: string | ProblemDetail): HttpResponseInit {
  const { message, target, retryAfterSeconds } = typeof detail === "string" ? { message: detail } : detail;
  return answer(
    status,
    { error: { code, message, ...(target !== undefined && { target }) } },
    {
      "x-ms-error-code": code,
      ...(retryAfterSeconds !== undefined && { "Retry-After": String(retryAfterSeconds) }),
    },
  );
}

interface ProblemDetail {
  readonly message: string;
  readonly target?: string;
  readonly retryAfterSeconds?: number;
}

export const notFound = (what: string): HttpResponseInit => problem(404, "NotFound", `${what} was not found`);

/** Reads and checks a JSON body; what is wrong with it is told by field. */
export async function parseBody<Schema extends z.ZodType>(
  request: HttpRequest,
  schema: Schema,
): Promise<{ ok: true; value: z.infer<Schema> } | { ok: false; response: HttpResponseInit }> {
  // Said before it is read, where the caller says it.
  const saidBytes = Number(request.headers.get("content-length") ?? 0);
  const text = saidBytes > 2 * MAX_JOB_BYTES ? undefined : await request.text();
  if (text === undefined || Buffer.byteLength(text) > 2 * MAX_JOB_BYTES) {
    return {
      ok: false,
      response: problem(413, "RequestTooLarge", `the body has more than ${2 * MAX_JOB_BYTES} bytes`),
    };
  }
  let json: unknown;
  try {
    json = text === "" ? {} : JSON.parse(text);
  } catch {
    return { ok: false, response: problem(400, "InvalidJson", "the body is not JSON") };
  }
  const parsed = schema.safeParse(json);
  if (parsed.success) return { ok: true, value: parsed.data };
  const complaints = fieldErrorsOf(parsed.error);
  const [first] = complaints;
  return {
    ok: false,
    response: problem(400, "InvalidRequest", {
      message: describeFieldErrors(complaints),
      ...(first && { target: first.field }),
    }),
  };
}
