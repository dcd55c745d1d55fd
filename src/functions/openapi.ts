import type { HttpFunctionOptions } from "@azure/functions";
import { z } from "zod";
import { API_ROUTES, type ApiRoute } from "../contract/api";
import { answer } from "./http-answer";

const ErrorBody = z.strictObject({
  error: z.strictObject({ code: z.string(), message: z.string(), target: z.string().optional() }),
});

const schemaOf = (schema: z.ZodType, io: "input" | "output"): object =>
  z.toJSONSchema(schema, { io, unrepresentable: "any", target: "draft-2020-12" });

const json = (schema: object): object => ({ content: { "application/json": { schema } } });

function parametersOf({ query = [] }: ApiRoute, path: string): object[] {
  const inPath = [...path.matchAll(/\{(\w+)\}/g)].map(([, name]) => ({ name, in: "path", required: true }));
  const inQuery = query.map((name) => ({ name, in: "query", required: false }));
  return [...inPath, ...inQuery].map((parameter) => ({ ...parameter, schema: { type: "string" } }));
}

function answersOf({ answers }: ApiRoute): Record<string, object> {
  const said = Object.entries(answers).map(([status, schema]) => [
    status,
    { description: status === "204" ? "done" : "the answer", ...(schema && json(schemaOf(schema, "output"))) },
  ]);
  return {
    ...(Object.fromEntries(said) as Record<string, object>),
    default: { description: "an error", ...json({ $ref: "#/components/schemas/Error" }) },
  };
}

function operationOf(route: ApiRoute, path: string, operationId: string): object {
  const { body, summary, isAnonymous = false } = route;
  return {
    operationId,
    summary,
    parameters: parametersOf(route, path),
    ...(body && { requestBody: { required: true, ...json(schemaOf(body, "input")) } }),
    responses: answersOf(route),
    security: isAnonymous ? [] : [{ entra: [] }],
  };
}

/** The OpenAPI 3.1 document of the API, made of the very schemas that check requests. */
export function openApiDocument(): object {
  const paths: Record<string, Record<string, object>> = {};
  const add = (route: ApiRoute, path: string, operationId: string): void => {
    paths[path] = { ...paths[path], [route.method]: operationOf(route, path, operationId) };
  };
  for (const route of API_ROUTES) {
    add(route, route.path, route.name);
    if (route.isWideToo) add(route, route.path.replace("/orgs/{org}", ""), `${route.name}Wide`);
  }
  return {
    openapi: "3.1.0",
    info: { title: "Corral", version: "1" },
    paths,
    components: {
      schemas: { Error: schemaOf(ErrorBody, "output") },
      securitySchemes: { entra: { type: "http", scheme: "bearer", bearerFormat: "JWT" } },
    },
  };
}

/** HTTP GET openapi.json, for anyone. */
export function createOpenApi(): HttpFunctionOptions {
  let document: object | undefined;
  return {
    route: "api/openapi.json",
    methods: ["GET"],
    authLevel: "anonymous",
    handler: () => answer(200, (document ??= openApiDocument())),
  };
}
