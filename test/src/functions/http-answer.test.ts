import { z } from "zod";
import { answer, notFound, parseBody, problem } from "../../../src/functions/http-answer";
import { answerOf, httpRequest } from "../../support/function-calls";

const Schema = z.strictObject({ name: z.string().default("none") });

async function parsed(body: unknown) {
  const result = await parseBody(httpRequest({ body }), Schema);
  return result.ok ? result.value : answerOf(result.response);
}

it("gives Azure's error body, with its code in a header too", () => {
  expect(problem(409, "JobIdConflict", { message: "taken", target: "jobId", retryAfterSeconds: 5 })).toEqual({
    status: 409,
    jsonBody: { error: { code: "JobIdConflict", message: "taken", target: "jobId" } },
    headers: { "x-ms-error-code": "JobIdConflict", "Retry-After": "5" },
  });
  expect(notFound("job j1")).toMatchObject({
    status: 404,
    jsonBody: { error: { code: "NotFound", message: "job j1 was not found" } },
  });
  expect(answer(200, { a: 1 })).toEqual({ status: 200, jsonBody: { a: 1 }, headers: {} });
});

it("reads a body, and an empty one as an empty object", async () => {
  expect(await parsed({ name: "a" })).toEqual({ name: "a" });
  expect(await parsed("")).toEqual({ name: "none" });
});

it.each<[unknown, number, string, string | undefined]>([
  ["{", 400, "InvalidJson", undefined],
  ["[]", 400, "InvalidRequest", "(body)"],
  [{ name: 1 }, 400, "InvalidRequest", "name"],
  [{ nome: "a" }, 400, "InvalidRequest", "nome"],
  [JSON.stringify({ name: "x".repeat(131_072) }), 413, "RequestTooLarge", undefined],
])("refuses body %#", async (...[body, status, code, target]) => {
  expect(await parsed(body)).toMatchObject({ status, code, target });
});
