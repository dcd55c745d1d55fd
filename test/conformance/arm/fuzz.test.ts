import fc from "fast-check";
import {
  type AzureFixture,
  createEstate,
  GROUP_ID,
  LOCATION,
  startFixture,
  stopFixture,
  SUBNET_ID,
  SUBSCRIPTION,
  vmSpec,
} from "../../local/azure/azure-fixture";
import { send, tokenFor } from "../../local/azure/wire";
import { templateOf } from "./deploy";
import { pathTo, type RouteRow, routesOf, wireVm } from "./route-paths";

let fixture: AzureFixture;
let token: string;
let routes: readonly RouteRow[];
beforeAll(async () => {
  fixture = await startFixture();
  await createEstate(fixture);
  token = await tokenFor(fixture, fixture.owner);
  routes = await routesOf(fixture);
});
afterAll(() => stopFixture(fixture));

const OWNER = "the owner's id";

interface Case {
  readonly method: string;
  readonly path: string;
  readonly query: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string | undefined;
}

const word = fc.oneof(
  fc.constantFrom(
    "vm-a",
    "vnet",
    "machines",
    "x",
    "default",
    "current",
    "%2e%2e",
    "%",
    "%zz",
    "%00",
    "%C3%BC",
    "a'b",
    "__proto__",
    "constructor",
    "%20",
  ),
  fc.string({ maxLength: 12 }).map((text) => encodeURIComponent(text.toWellFormed())),
);
const scope = fc.constantFrom(
  "",
  "/",
  `/subscriptions/${SUBSCRIPTION}`,
  "/subscriptions/none",
  "/subscriptions",
  GROUP_ID,
  `${GROUP_ID}x`,
  SUBNET_ID,
);

/** The method and the path of a route that exists; one time in five at another scope. */
const typedTarget = fc
  .tuple(fc.nat(), fc.array(word, { minLength: 4, maxLength: 4 }), fc.nat(4), scope)
  .map(([index, names, chance, other]) => {
    const route = routes[index % routes.length];
    if (!route) throw new Error("There are no routes.");
    const path = pathTo(route, (at) => names[at] ?? "n");
    const at = path.lastIndexOf("/providers/");
    return {
      method: route.method,
      type: route.type,
      path: chance === 0 && at >= 0 ? `${other}${path.slice(at)}` : path,
    };
  });
const anyTarget = fc.record({
  type: fc.constant(""),
  method: fc.constantFrom("GET", "PUT", "PATCH", "POST", "DELETE", "HEAD", "OPTIONS"),
  path: fc.tuple(scope, fc.array(word, { maxLength: 6 })).map(([at, words]) => `${at}/${words.join("/")}`),
});

const READER = "acdd72a7-3385-48ef-bd42-f606fba81ae7";
/** What a handler would take; the ids of people are filled in when there are some. */
const sound: Readonly<Record<string, unknown>> = {
  "Microsoft.Compute/virtualMachines": wireVm(vmSpec("vm-a")),
  "Microsoft.Compute/disks": { location: LOCATION, properties: { creationData: { createOption: "Empty" } } },
  "Microsoft.Network/virtualNetworks": {
    location: LOCATION,
    properties: { addressSpace: { addressPrefixes: ["10.0.0.0/16"] }, subnets: [{ name: "s" }] },
  },
  "Microsoft.Network/virtualNetworks/subnets": { properties: { addressPrefix: "10.0.0.0/24" } },
  "Microsoft.Network/networkInterfaces": { location: LOCATION, properties: { ipConfigurations: [{ name: "a" }] } },
  "Microsoft.Authorization/roleAssignments": {
    properties: { roleDefinitionId: READER, principalId: OWNER, condition: "ActionMatches{'a'}" },
  },
  "Microsoft.Authorization/roleDefinitions": {
    properties: { roleName: "r", assignableScopes: [GROUP_ID], permissions: [{ actions: ["*"] }] },
  },
  "Microsoft.Authorization/locks": { properties: { level: "NotSpecified", notes: "n" } },
  "Microsoft.Resources/deployments": { properties: { mode: "Incremental", template: templateOf({}) } },
  "Microsoft.Resources/subscriptions/resourceGroups": { location: LOCATION, tags: { a: "b" } },
  "Microsoft.Storage/storageAccounts": { location: LOCATION, sku: { name: "Standard_LRS" }, kind: "StorageV2" },
};

interface Bend {
  readonly at: number;
  readonly value: unknown;
}

/** A body that a handler expects, with at most one of its members replaced by anything. */
function bent(type: string, { at, value }: Bend): string {
  let index = 0;
  const whole = sound[type] ?? { location: LOCATION, properties: {} };
  const members = JSON.stringify(whole).match(/"[^"]*":/g)?.length ?? 0;
  // Beyond the last member nothing is replaced.
  const wanted = at % (members + 2);
  const text = JSON.stringify(whole, (key, known: unknown) => (key !== "" && index++ === wanted ? value : known));
  return text.replaceAll(OWNER, fixture.owner.objectId);
}
const bend = fc.record({ at: fc.nat(), value: fc.jsonValue() });
const body = fc.oneof(
  fc.constant(undefined),
  fc.json(),
  fc.string(),
  fc.constantFrom(
    "{",
    "[]",
    "null",
    '"x"',
    "0",
    '{"properties":null}',
    '{"location":{}}',
    '{"tags":[]}',
    '{"properties":{"__proto__":1}}',
    "[".repeat(2000),
  ),
);
const query = fc.oneof(
  { weight: 8, arbitrary: fc.constant("api-version=2024-03-01") },
  { weight: 1, arbitrary: fc.constantFrom("", "api-version=latest", "api-version=") },
  fc
    .tuple(fc.constantFrom("$filter", "$expand", "$skiptoken", "$top", "statusOnly"), fc.string({ maxLength: 20 }))
    .map(([name, value]) => `api-version=2024-03-01&${name}=${encodeURIComponent(value.toWellFormed())}`),
);
const headers = fc.dictionary(
  fc.constantFrom(
    "If-Match",
    "If-None-Match",
    "x-ms-client-request-id",
    "x-ms-correlation-request-id",
    "Accept",
    "Content-Type",
  ),
  fc.constantFrom("*", "", "x", "application/xml", "00000000-0000-0000-0000-000000000000"),
);
const anyCase: fc.Arbitrary<Case> = fc
  .record({
    target: fc.oneof({ weight: 6, arbitrary: typedTarget }, { weight: 1, arbitrary: anyTarget }),
    query,
    headers,
    body,
    bend,
    isBent: fc.boolean(),
  })
  .map(({ target: { type, method, path }, isBent, bend: how, body: other, ...rest }) => ({
    ...rest,
    method,
    path,
    body: isBent ? bent(type, how) : other,
  }));

/** What is wrong with an answer, if anything is. */
async function faultIn({ method, path, query: given, headers: more, body: text }: Case): Promise<string | undefined> {
  const all = { Authorization: `Bearer ${token}`, ...more };
  const target = `${path.startsWith("/") ? path : `/${path}`}?${given}`;
  const sent: { text?: string } = text === undefined || method === "GET" || method === "HEAD" ? {} : { text };
  // Without its length the body of a DELETE would be taken for the next request.
  const length = sent.text === undefined ? {} : { "Content-Length": String(Buffer.byteLength(sent.text)) };
  const { status, body: answer } = await send(fixture, {
    method,
    path: target,
    headers: { ...all, ...length },
    ...sent,
  });
  if (status >= 500) return `${status} ${JSON.stringify(answer)}`;
  // A tenant answers the paths that are not ARM's, in Entra's shape.
  if (
    status < 400 ||
    method === "HEAD" ||
    !/^\/(subscriptions|providers|tenants)(\/|$)/i.test(path.replace(/\/{2,}/g, "/"))
  )
    return undefined;
  const error = (answer as { error?: { code?: unknown; message?: unknown } } | undefined)?.error;
  const isShaped =
    typeof error?.code === "string" && /^[A-Za-z]+$/.test(error.code) && typeof error.message === "string";
  return isShaped ? undefined : `${status} without Azure's error: ${JSON.stringify(answer)}`;
}

it("answers whatever it is asked in Azure's shape, and never with a fault of its own (property; ARM RPC, error response format)", async () => {
  await fc.assert(
    fc.asyncProperty(anyCase, async (one) => {
      expect(await faultIn(one)).toBeUndefined();
    }),
    { numRuns: 800 },
  );
  expect(fixture.events.filter(({ eventType }) => eventType.startsWith("log "))).toEqual([]);
}, 120_000);

it("answers many at once, and goes on (property; faults-and-invariants F26)", async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(anyCase, { minLength: 20, maxLength: 40 }), async (cases) => {
      const faults = await Promise.all(cases.map(faultIn));

      expect(faults.filter((fault) => fault !== undefined)).toEqual([]);
    }),
    { numRuns: 20 },
  );
  const { status } = await send(fixture, {
    path: `/subscriptions/${SUBSCRIPTION}?api-version=2024-03-01`,
    headers: { Authorization: `Bearer ${token}` },
  });
  expect(status).toBe(200);
}, 120_000);

it("refuses tokens that are none with 401 and a challenge, whatever they look like (property; RFC 6750)", async () => {
  const junk = fc.oneof(
    fc.string({ unit: "grapheme-ascii", maxLength: 60 }).map((text) => text.replaceAll(/[^\x20-\x7e]/g, "")),
    fc.base64String({ maxLength: 60 }).map((text) => `Bearer ${text}.${text}.${text}`),
    fc.constantFrom("Bearer eyJhbGciOiJub25lIn0.e30.", `Bearer ${"a".repeat(8000)}`, "bearer", ""),
  );
  await fc.assert(
    fc.asyncProperty(junk, async (authorization) => {
      const reply = await send(fixture, {
        path: `${GROUP_ID}?api-version=2024-03-01`,
        headers: { Authorization: authorization },
      });

      expect(reply.status).toBe(401);
      expect(reply.headers["www-authenticate"]).toContain("Bearer authorization_uri=");
    }),
    { numRuns: 100 },
  );
});
