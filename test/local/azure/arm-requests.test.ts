import { generateKeyPairSync } from "node:crypto";
import { SignJWT } from "jose";
import {
  type AzureFixture,
  createEstate,
  GROUP_ID,
  LOCATION,
  rule,
  startFixture,
  stopFixture,
  SUBSCRIPTION,
} from "./azure-fixture";
import { call, codeOf, send, TENANT, tokenFor } from "./wire";

let fixture: AzureFixture;
beforeAll(async () => {
  fixture = await startFixture({ clientTokenSeconds: 3600 });
  await createEstate(fixture);
});
afterAll(() => stopFixture(fixture));
afterEach(() => fixture.faults.disarmAll());

const GROUPS = `/subscriptions/${SUBSCRIPTION}/resourceGroups`;
const VERSION = "api-version=2024-03-01";
const authorized = async (): Promise<Record<string, string>> => ({
  Authorization: `Bearer ${await tokenFor(fixture, fixture.owner)}`,
});
const withToken = (token: string) => send(fixture, { path: `${GROUPS}?${VERSION}`, headers: { Authorization: token } });

it.each([
  { query: "", code: "MissingApiVersionParameter" },
  { query: "?api-version=latest", code: "InvalidApiVersionParameter" },
  { query: "?api-version=2999-01-01-preview", code: undefined },
  { query: "?api%2Dversion=2026-04-01", code: undefined },
])("takes any api-version that could be one: '$query'", async ({ query, code }) => {
  const reply = await send(fixture, { path: `${GROUPS}${query}`, headers: await authorized() });

  expect([reply.status, codeOf(reply)]).toEqual([code ? 400 : 200, code]);
});

it.each([
  { header: undefined, code: "AuthenticationFailed" },
  { header: "Basic abc", code: "AuthenticationFailedInvalidHeader" },
  { header: "Bearer abc", code: "InvalidAuthenticationToken" },
])("asks for a token: $header", async ({ header, code }) => {
  const reply = await send(fixture, {
    path: `${GROUPS}?${VERSION}`,
    headers: header === undefined ? {} : { Authorization: header },
  });

  expect([reply.status, codeOf(reply)]).toEqual([401, code]);
  expect(reply.headers["www-authenticate"]).toMatch(/^Bearer authorization_uri="https:\/\/localhost:\d+\//);
});

it("refuses a token that another key has signed", async () => {
  const { privateKey } = generateKeyPairSync("rsa", { modulusLength: 2048 });
  const claims = {
    oid: fixture.owner.objectId,
    tid: TENANT,
    iss: `https://sts.windows.net/${TENANT}/`,
    aud: "https://management.azure.com",
  };
  const forged = await new SignJWT(claims)
    .setProtectedHeader({ alg: "RS256" })
    .setExpirationTime("1h")
    .sign(privateKey);

  expect(codeOf(await withToken(`Bearer ${forged}`))).toBe("InvalidAuthenticationToken");
});

it.each(["none", "HS256"])("refuses a token whose algorithm is %s", async (alg) => {
  const part = (value: object): string => Buffer.from(JSON.stringify(value)).toString("base64url");
  const claims = {
    oid: fixture.owner.objectId,
    tid: TENANT,
    iss: `https://sts.windows.net/${TENANT}/`,
    aud: "https://management.azure.com",
    exp: 4e9,
  };

  expect(codeOf(await withToken(`Bearer ${part({ alg })}.${part(claims)}.${alg === "none" ? "" : "abcd"}`))).toBe(
    "InvalidAuthenticationToken",
  );
});

it("refuses a token for another audience, and one of a custom API", async () => {
  const storage = await tokenFor(fixture, fixture.owner, "https://storage.azure.com/.default");
  const api = await tokenFor(fixture, fixture.owner, "api://corral/.default");

  expect(codeOf(await withToken(`Bearer ${storage}`))).toBe("InvalidAuthenticationTokenAudience");
  expect(codeOf(await withToken(`Bearer ${api}`))).toBe("InvalidAuthenticationTokenTenant");
});

it("refuses a token that has expired", async () => {
  const late = await startFixture({ clientTokenSeconds: -1 });
  const token = await tokenFor(late, late.owner);
  const reply = await send(late, { path: `${GROUPS}?${VERSION}`, headers: { Authorization: `Bearer ${token}` } });
  await stopFixture(late);

  expect([reply.status, codeOf(reply)]).toEqual([401, "ExpiredAuthenticationToken"]);
});

it.each([
  { what: "malformed JSON", request: { method: "PUT", path: `${GROUPS}/x`, text: "{" }, code: "InvalidRequestContent" },
  {
    what: "an array for an object",
    request: { method: "PUT", path: `${GROUPS}/x`, text: "[]" },
    code: "InvalidRequestContent",
  },
  { what: "no body", request: { method: "PUT", path: `${GROUPS}/x` }, code: "InvalidRequestContent" },
  { what: "a broken percent sequence", request: { path: `${GROUPS}/%zz` }, code: "InvalidRequestUri" },
  {
    what: "a type that is not there",
    request: { path: `${GROUP_ID}/providers/Microsoft.Web/sites/x` },
    code: "InvalidResourceType",
  },
  {
    what: "a provider without type",
    request: { path: `${GROUP_ID}/providers/Microsoft.Web` },
    code: "InvalidRequestUri",
  },
  { what: "a method that is not there", request: { method: "POST", path: `${GROUPS}/x` }, code: "MethodNotAllowed" },
  {
    what: "another subscription",
    request: { path: "/subscriptions/55555555-5555-4555-8555-555555555555/resourceGroups" },
    code: "SubscriptionNotFound",
  },
  {
    what: "a body that is too large",
    request: { method: "PUT", path: `${GROUPS}/x`, text: " ".repeat(5 * 1024 * 1024) },
    code: "RequestContentTooLarge",
  },
])("refuses $what, and goes on", async ({ request, code }) => {
  const refused = await call(fixture, request);
  const next = await call(fixture, { path: GROUPS });

  expect([codeOf(refused), next.status]).toEqual([code, 200]);
});

it("takes doubled slashes and any case of a path", async () => {
  const doubled = await call(fixture, { path: `/${GROUP_ID}` });
  const cased = await call(fixture, {
    path: `${GROUP_ID.toUpperCase()}/PROVIDERS/microsoft.network/VIRTUALNETWORKS/VNET`,
  });

  expect([doubled.status, cased.status]).toEqual([200, 200]);
  expect(cased.body).toMatchObject({ name: "vnet" });
});

it("names each request, and keeps the correlation that the caller gave", async () => {
  const correlation = "66666666-6666-4666-8666-666666666666";
  const reply = await call(fixture, { path: GROUPS, headers: { "x-ms-correlation-request-id": correlation } });

  expect(reply.headers).toMatchObject({
    "x-ms-request-id": expect.stringMatching(/^[0-9a-f-]{36}$/) as string,
    "x-ms-correlation-request-id": correlation,
  });
  expect(reply.headers["x-ms-error-code"]).toBeUndefined();
});

const PUT_GROUP = { operation: "^PUT Microsoft.Resources/subscriptions/resourceGroups$" };
const putGroup = (name: string) =>
  call(fixture, { method: "PUT", path: `${GROUPS}/${name}`, body: { location: LOCATION } });
const isThere = async (name: string): Promise<boolean> =>
  (await call(fixture, { path: `${GROUPS}/${name}` })).status === 200;

it("fails a call of the fault plan with its status, code and headers, before anything was done", async () => {
  fixture.faults.arm(
    rule({
      ...PUT_GROUP,
      stage: "before",
      action: { kind: "fail", status: 429, code: "TooManyRequests", message: "later", headers: { "Retry-After": "7" } },
    }),
  );
  const failed = await putGroup("g-fail");

  expect([failed.status, codeOf(failed), failed.headers["retry-after"]]).toEqual([429, "TooManyRequests", "7"]);
  expect(await isThere("g-fail")).toBe(false);
});

it("drops the connection after the work was done", async () => {
  fixture.faults.arm(rule({ ...PUT_GROUP, stage: "after", action: { kind: "drop" } }));

  await expect(putGroup("g-drop")).rejects.toThrow(/socket hang up|ECONNRESET/);

  expect(await isThere("g-drop")).toBe(true);
  expect((await putGroup("g-drop")).status).toBe(200);
});

it("holds an answer until its rule goes", async () => {
  const id = fixture.faults.arm(rule({ ...PUT_GROUP, subject: "g-hold", stage: "after", action: { kind: "hold" } }));
  const held = putGroup("g-hold");
  await fixture.faults.waitForHits(id, 1);
  const during = await isThere("g-hold");
  fixture.faults.disarm(id);

  expect([during, (await held).status]).toEqual([true, 201]);
});

it("counts calls by method and type", async () => {
  const before = fixture.azure.calls()["GET Microsoft.Network/virtualNetworks"] ?? 0;
  await call(fixture, { path: `${GROUP_ID}/providers/microsoft.network/virtualnetworks/vnet` });

  expect(fixture.azure.calls()["GET Microsoft.Network/virtualNetworks"]).toBe(before + 1);
});

it("says what is left of the budgets, and throttles who has used them up", async () => {
  const strict = await startFixture({ throttling: true, speed: 1 });
  await createEstate(strict);
  const path = `${GROUP_ID}/providers/Microsoft.Compute/virtualMachines/vm-a`;
  const replies = [];
  for (let i = 0; i < 13; i += 1) replies.push(await call(strict, { method: "POST", path: `${path}/start` }));
  await stopFixture(strict);

  expect(replies[0]?.status).toBe(404);
  expect(replies[12]).toMatchObject({
    status: 429,
    body: { error: { code: "OperationNotAllowed", details: [{ code: "TooManyRequests", target: "UpdateVM" }] } },
    headers: { "retry-after": expect.stringMatching(/^1\d$/) as string },
  });
});
