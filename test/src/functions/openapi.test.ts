import { API_ROUTES } from "../../../src/contract/api";
import { openApiDocument } from "../../../src/functions/openapi";

interface Document {
  readonly paths: Record<string, Record<string, { operationId: string; security: unknown[]; requestBody?: unknown }>>;
}

// The document is plain JSON of that shape.
const document = JSON.parse(JSON.stringify(openApiDocument())) as Document;
const operations = Object.values(document.paths).flatMap((methods) => Object.values(methods));

it("has every route once, and a schema of the body of each that takes one", () => {
  const expected = API_ROUTES.flatMap(({ name, isWideToo }) => (isWideToo ? [name, `${name}Wide`] : [name]));

  expect(operations.map(({ operationId }) => operationId).sort()).toEqual(expected.sort());
  expect(operations.filter(({ requestBody }) => requestBody !== undefined)).toHaveLength(
    API_ROUTES.filter(({ body }) => body !== undefined).reduce((sum, { isWideToo }) => sum + (isWideToo ? 2 : 1), 0),
  );
});

it("lets in without a token what the contract lets in, and nothing else", () => {
  expect(operations.filter(({ security }) => security.length === 0).map(({ operationId }) => operationId)).toEqual([
    "showDeployment",
    "showHealth",
    "showOpenApi",
  ]);
});
