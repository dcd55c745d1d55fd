import { request } from "node:http";
import fc from "fast-check";
import { API_APP_ID, SUBSCRIPTION_ID } from "../../local/stack/constants";
import { StackSession } from "../../local/stack/session";
import { API_ROUTES, type ApiRoute } from "../../src/contract/api";
import { TestStack } from "../e2e/test-stack";

const REQUESTS = 5_000;
const AT_ONCE = 20;
/** In the settings of an organization that the caller has no right in. */
const MARKER = "marker-of-another-organization.azurecr.io";

let stack: TestStack;
let bearer: string;

beforeAll(async () => {
  stack = await TestStack.start();
  const { facts } = stack.stack;
  const stranger = facts.users.find(({ role }) => role === "Stranger");
  if (!stranger) throw new Error("the stack has no Stranger");
  await stack.session.api("PUT", "/api/orgs/secret", {
    ...{ org: "secret", subscriptionId: SUBSCRIPTION_ID, locations: ["westeurope"] },
    ...{ administrators: [stack.session.objectId], registries: [MARKER] },
  });
  await stack.session.api("PUT", "/api/orgs/demo/roleAssignments/stranger", {
    ...{ principalId: stranger.objectId, principalType: "ServicePrincipal", role: "Contributor", scope: "/orgs/demo" },
  });
  const session = new StackSession(facts, "Stranger");
  bearer = `Bearer ${await session.token(API_APP_ID)}`;
  session.close();
}, 120_000);

afterAll(() => stack.close(), 60_000);

const NASTY = [
  "demo",
  "secret",
  "Secret",
  "SECRET",
  "-",
  "..",
  "../secret",
  "%2e%2e%2fsecret",
  "demo/../secret",
  "secret%00",
  "demo%0d%0aX: y",
  "live:",
  "live:x",
  "ended:x",
  "%27%20or%20%27a%27%20eq%20%27a",
  "secret' or PartitionKey ne '",
  "$filter",
  "%c0%af",
  "%ff%fe",
  "%F0%9F%92%A9",
  "ﬀ",
  "ſecret",
  "K",
  "a".repeat(2000),
  "{org}",
  "*",
  "?",
  "#",
  "%25",
  "settings:first-owner",
  "__proto__",
  "constructor",
  "null",
  "undefined",
  "0",
  "j1",
] as const;

const name = fc.oneof(
  { weight: 4, arbitrary: fc.constantFrom(...NASTY) },
  { weight: 1, arbitrary: fc.string({ maxLength: 40 }).map(encode) },
);

function encode(text: string): string {
  return [...Buffer.from(text)].map((byte) => `%${byte.toString(16).padStart(2, "0")}`).join("");
}

const value: fc.Arbitrary<unknown> = fc.oneof(
  fc.constantFrom<unknown>(
    ...NASTY,
    "/orgs/secret",
    "/",
    "/orgs/demo",
    ["secret"],
    { eq: "secret" },
    null,
    true,
    -1,
    1e308,
    "Owner",
    [],
  ),
  fc.jsonValue({ maxDepth: 3 }),
);

/** Bodies with the right names and wrong contents get further than noise does. */
function bodyFor({ body }: ApiRoute): fc.Arbitrary<string> {
  const shape = body && "shape" in body ? Object.keys(body.shape as object) : ["org", "jobId"];
  const near = fc.record(Object.fromEntries(shape.map((key) => [key, value])), { requiredKeys: [] });
  return fc.oneof(
    { weight: 5, arbitrary: near.map((json) => JSON.stringify(json)) },
    {
      weight: 1,
      arbitrary: fc.constantFrom(
        "",
        "{",
        "[]",
        "null",
        '{"__proto__":{"org":"secret"}}',
        "[".repeat(5_000),
        "\u0000",
        '"secret"',
      ),
    },
  );
}

const callOf = (route: ApiRoute) =>
  fc.record({
    route: fc.constant(route),
    names: fc.array(name, { minLength: 4, maxLength: 4 }),
    isWide: fc.boolean(),
    query: fc.array(
      fc.tuple(
        fc.constantFrom("$top", "$skiptoken", "$filter", "from", "to", "actor", "operation", "outcome", "x"),
        name,
      ),
      { maxLength: 3 },
    ),
    body: route.method === "get" ? fc.constant("") : bodyFor(route),
  });

type Call = ReturnType<typeof callOf> extends fc.Arbitrary<infer Value> ? Value : never;

function pathOf({ route, names, isWide, query }: Call): string {
  const plain = isWide && route.isWideToo ? route.path.replace("/orgs/{org}", "") : route.path;
  const unused = [...names];
  // Half of the calls stay in the caller's own organization, so that the rest of the path is reached.
  const path = plain.replaceAll(/\{(\w+)\}/g, (_all, parameter: string) =>
    parameter === "org" && (names[3] ?? "").length % 2 === 0 ? "demo" : (unused.pop() ?? ""),
  );
  const search = query.map(([key, text]) => `${key}=${text}`).join("&");
  return search === "" ? path : `${path}?${search}`;
}

/** By the bare HTTP client: `fetch` would tidy paths up. */
function send(call: Call): Promise<{ status: number; text: string; path: string }> {
  const path = Buffer.from(pathOf(call), "utf8")
    .toString("latin1")
    .replaceAll(/[\s\u0000-\u001f]/g, "%20");
  const { hostname, port } = new URL(stack.stack.facts.apiUrl);
  const { promise, resolve, reject } = Promise.withResolvers<{ status: number; text: string; path: string }>();
  const { method } = call.route;
  // Node's client does not delimit the body of a DELETE by itself.
  const framing = method === "get" ? {} : { "content-length": String(Buffer.byteLength(call.body)) };
  const headers = { authorization: bearer, "content-type": "application/json", ...framing };
  const outgoing = request({ hostname, port, path, method: method.toUpperCase(), headers }, (response) => {
    const chunks: Buffer[] = [];
    response.on("data", (chunk: Buffer) => chunks.push(chunk));
    response.on("end", () =>
      resolve({ status: response.statusCode ?? 0, text: Buffer.concat(chunks).toString(), path }),
    );
    response.on("error", reject);
  });
  outgoing.on("error", (error) => resolve({ status: 599, text: error.message, path }));
  outgoing.end(method === "get" ? undefined : call.body);
  return promise;
}

it(`answers ${REQUESTS} hostile requests over every route with neither a 500 nor anything of another organization (T7, T10, I7)`, async () => {
  const perRoute = Math.ceil(REQUESTS / API_ROUTES.length);
  const calls = API_ROUTES.flatMap((route, index) =>
    fc.sample(callOf(route), { numRuns: perRoute, seed: 20_261_125 + index }),
  );
  const statuses = new Map<number, number>();
  const findings: string[] = [];
  for (let from = 0; from < calls.length; from += AT_ONCE) {
    for (const { status, text, path } of await Promise.all(calls.slice(from, from + AT_ONCE).map(send))) {
      statuses.set(status, (statuses.get(status) ?? 0) + 1);
      if (status >= 500 || text.includes(MARKER) || text.includes("code="))
        findings.push(`${status} ${path}: ${text.slice(0, 200)}`);
    }
  }

  expect(findings).toEqual([]);
  expect(calls.length).toBeGreaterThanOrEqual(REQUESTS);
  // The calls have to get as far as success now and then, or they tested the gate only.
  expect([...statuses.keys()].sort()).toEqual(expect.arrayContaining([200, 400, 403, 404]));
}, 300_000);
