import { z } from "zod";
import { type Connection, UsageError } from "./connection";

const Problem = z.object({ error: z.object({ code: z.string(), message: z.string() }) });

/** Calls Corral's API; a refusal becomes an error in the API's own words. */
export async function callApi(connection: Connection, call: ApiCall): Promise<unknown> {
  const { method, path } = call;
  const response = await send(connection, call);
  const text = await response.text();
  const json: unknown = text === "" ? undefined : JSON.parse(text);
  if (response.ok) return json;
  const problem = Problem.safeParse(json);
  const said = problem.success ? `${problem.data.error.code}: ${problem.data.error.message}` : text;
  throw new UsageError(`${method} ${path} was refused (${response.status}): ${said}`);
}

export interface ApiCall {
  readonly method: "GET" | "POST";
  readonly path: string;
  readonly body?: string;
}

async function send(connection: Connection, { method, path, body }: ApiCall): Promise<Response> {
  const authorization = `Bearer ${await connection.token()}`;
  const headers = { authorization, ...(body !== undefined && { "content-type": "application/json" }) };
  try {
    return await fetch(connection.apiUrl + path, { method, headers, ...(body !== undefined && { body }) });
  } catch (error) {
    throw new UsageError(
      `${connection.apiUrl} does not answer: ${error instanceof Error ? error.message : String(error)}`,
    );
  }
}
