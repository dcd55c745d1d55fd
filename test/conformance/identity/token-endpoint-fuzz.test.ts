import { constantFrom, array, asyncProperty, assert as check, oneof, record, string, tuple } from "fast-check";
import { type AzureFixture, startFixture, stopFixture } from "../../local/azure/azure-fixture";
import { type RawReply, send, TENANT } from "../../local/azure/wire";
import { API, ARM_SCOPE, askToken, AZURE_CLI } from "./sign-in";

let fixture: AzureFixture;
beforeAll(async () => {
  fixture = await startFixture();
  fixture.azure.addPerson({ displayName: "Ada", type: "User" });
});
afterAll(() => stopFixture(fixture));

const NAMES = [
  "grant_type",
  "client_id",
  "client_secret",
  "client_assertion",
  "client_assertion_type",
  "scope",
  "resource",
  "code",
  "code_verifier",
  "redirect_uri",
  "refresh_token",
  "device_code",
  "claims",
  "client_info",
  "__proto__",
];
const VALUES = [
  "client_credentials",
  "authorization_code",
  "refresh_token",
  "urn:ietf:params:oauth:grant-type:device_code",
  "urn:ietf:params:oauth:client-assertion-type:jwt-bearer",
  "constructor",
  AZURE_CLI,
  API,
  ARM_SCOPE,
  "openid",
  "//",
  "/.default",
  "eyJhbGciOiJub25lIn0.e30.",
  "eyJhbGciOiJSUzI1NiIsIng1dCI6NX0.eyJleHAiOiJ4In0.AAAA",
  "eyJhbGciOiJSUzI1NiIsIng1dCI6ImFiIn0.eyJhdWQiOlsxXX0.AAAA",
  '{"access_token":[1]}',
  "{",
  "null",
];
const field = tuple(constantFrom(...NAMES), oneof(constantFrom(...VALUES), string()));
const paths = constantFrom(
  `/${TENANT}/oauth2/v2.0/token`,
  `/${TENANT}/oauth2/token`,
  "/adfs/oauth2/token",
  "/common/oauth2/v2.0/token",
  `/${TENANT}/oauth2/v2.0/devicecode`,
);

const isEntraError = ({ body }: RawReply): boolean => {
  const { error, error_description: text, error_codes: codes, ...more } = body as Record<string, unknown>;
  return (
    typeof error === "string" &&
    /^[a-z_]+$/.test(error) &&
    typeof text === "string" &&
    /^AADSTS\d+: /.test(text) &&
    Array.isArray(codes) &&
    ["timestamp", "trace_id", "correlation_id"].every((name) => typeof more[name] === "string")
  );
};

it("answers whatever a client sends with tokens or with Entra's error (docs: error responses, fuzzed)", async () => {
  const property = asyncProperty(
    record({ path: paths, fields: array(field, { maxLength: 8 }), knowsSecret: constantFrom(true, false) }),
    async ({ path, fields, knowsSecret }) => {
      const form = new URLSearchParams(fields);
      if (knowsSecret) form.set("client_id", fixture.owner.clientId);
      if (knowsSecret) form.set("client_secret", fixture.owner.clientSecret);
      const headers = { "Content-Type": "application/x-www-form-urlencoded" };
      const reply = await send(fixture, { method: "POST", path, headers, text: form.toString() });
      return reply.status === 200 || (reply.status >= 400 && reply.status < 500 && isEntraError(reply));
    },
  );

  await check(property, { numRuns: 250 });
});

it("answers bodies that are no form (docs: error responses, fuzzed)", async () => {
  const property = asyncProperty(paths, string({ maxLength: 500 }), async (path, text) => {
    const reply = await send(fixture, { method: "POST", path, headers: { "Content-Type": "text/plain" }, text });
    return reply.status === 400 && isEntraError(reply);
  });

  await check(property, { numRuns: 100 });
});

it("answers whatever a browser sends to the sign-in page (docs: authorization code flow, fuzzed)", async () => {
  const names = ["client_id", "response_type", "redirect_uri", "scope", "user", "state", "response_mode", "claims"];
  const values = [
    AZURE_CLI,
    "code",
    "http://localhost",
    "http://localhost:x",
    "ada@local.onmicrosoft.com",
    "form_post",
  ];
  const asked = array(tuple(constantFrom(...names), oneof(constantFrom(...values), string())), { maxLength: 9 });
  const property = asyncProperty(asked, constantFrom("GET", "POST"), async (fields, method) => {
    const form = new URLSearchParams(fields).toString();
    const path = `/${TENANT}/oauth2/v2.0/authorize`;
    const whole = method === "GET" ? { path: `${path}?${form}` } : { path, text: form };
    const headers = { "Content-Type": "application/x-www-form-urlencoded" };
    const { status } = await send(fixture, { method, headers, ...whole });
    return status === 200 || status === 302 || status === 400;
  });

  await check(property, { numRuns: 200 });
});

it("says that tokens are asked for by POST (docs: AADSTS900561)", async () => {
  const { status, body } = await send(fixture, { path: `/${TENANT}/oauth2/v2.0/token` });

  expect([status, body]).toEqual([400, expect.objectContaining({ error_codes: [900561] })]);
});

it("goes on to issue tokens after all that (bounded memory of codes and tokens)", async () => {
  const { clientId, clientSecret } = fixture.owner;
  const credentials = { client_id: clientId, client_secret: clientSecret, scope: ARM_SCOPE };

  const { status } = await askToken(fixture, { grant_type: "client_credentials", ...credentials });

  expect(status).toBe(200);
});
