import type { HttpRequest, HttpResponseInit } from "@azure/functions";
import { z } from "zod";
import { describeFieldErrors, fieldErrorsOf } from "../contract/field-errors";
import { answer, problem } from "./http-answer";

export const MAX_PAGE = 1000;

/** The query of a list that is read by pages. */
export const PageQuery = z.strictObject({
  $top: z.coerce.number().int().min(1).max(MAX_PAGE).default(MAX_PAGE),
  $skiptoken: z.string().max(1024).optional(),
});

/** Reads and checks a query; what is wrong with it is told by field. */
export function parseQuery<Schema extends z.ZodType>(
  request: HttpRequest,
  schema: Schema,
): { ok: true; value: z.infer<Schema> } | { ok: false; response: HttpResponseInit } {
  const parsed = schema.safeParse(Object.fromEntries(request.query));
  if (parsed.success) return { ok: true, value: parsed.data };
  const complaints = fieldErrorsOf(parsed.error);
  const target = complaints[0]?.field;
  const detail = { message: describeFieldErrors(complaints), ...(target !== undefined && { target }) };
  return { ok: false, response: problem(400, "InvalidRequest", detail) };
}

/** Key of the last row of the page before. */
export const afterOf = (token: string | undefined): string | undefined =>
  token === undefined ? undefined : Buffer.from(token, "base64url").toString("utf8");

export function answerPage(
  request: HttpRequest,
  value: readonly unknown[],
  next: string | undefined,
): HttpResponseInit {
  if (next === undefined) return answer(200, { value });
  const url = new URL(request.url);
  url.searchParams.set("$skiptoken", Buffer.from(next, "utf8").toString("base64url"));
  return answer(200, { value, nextLink: url.toString() });
}
