import { AUDIENCE, CLIENT, type EntraKeys, startEntraKeys, TENANT, type TokenFields } from "../../support/entra-keys";

const objectId = "0b1ec700-0000-4000-8000-000000000001";
let entra: EntraKeys;
beforeAll(async () => {
  entra = await startEntraKeys();
});
afterEach(() => {
  entra.failure = undefined;
});
afterAll(() => entra.close());

const verify = async (fields?: TokenFields, verifier = entra.verifier) =>
  verifier.verify(await entra.bearerOf(objectId, fields));

it("knows a caller by tenant and object id, in lower case", async () => {
  const caller = { objectId, tenantId: TENANT, kind: "app", appId: CLIENT, groupIds: [], hasMoreGroups: false };

  expect(await verify()).toMatchObject({ outcome: "verified", caller });
  expect(await verify({ claims: { oid: objectId.toUpperCase() } })).toMatchObject({ outcome: "verified", caller });
  const first = { iss: `https://sts.windows.net/${TENANT}/`, ver: "1.0", appid: CLIENT, azp: undefined };
  expect(await verify({ claims: first })).toMatchObject({ outcome: "verified" });
});

it.each<[string, TokenFields]>([
  ["another audience", { claims: { aud: "api://other" } }],
  ["no audience", { claims: { aud: undefined } }],
  ["another issuer", { claims: { iss: "https://login.microsoftonline.com/other/v2.0" } }],
  ["another tenant", { claims: { tid: TENANT.replace("7", "8") } }],
  ["no tenant", { claims: { tid: undefined } }],
  ["no object id", { claims: { oid: undefined } }],
  ["an empty object id", { claims: { oid: "" } }],
  ["an object id that is none", { claims: { oid: "settings:first-owner" } }],
  ["no subject", { claims: { sub: undefined } }],
  ["no version", { claims: { ver: undefined } }],
  ["the version of the other issuer (T4)", { claims: { ver: "1.0", appid: CLIENT } }],
  ["no client (T6)", { claims: { azp: undefined } }],
  ["a user's kind and no delegated permission (T6)", { claims: { idtyp: "user" } }],
  ["no beginning", { claims: { nbf: undefined } }],
  ["no time of issue", { claims: { iat: undefined } }],
  ["no expiry", { claims: { exp: undefined } }],
  ["an expiry long ago", { issuedSecondsAgo: 1000, lifetimeSeconds: 900 }],
  ["a beginning in the future", { issuedSecondsAgo: -120 }],
  ["another key under the same name", { key: "stranger" }],
  ["a key that is not published", { key: "unknown" }],
])("refuses a token with %s", async (_what, fields) => {
  expect(await verify(fields)).toMatchObject({ outcome: "refused" });
});

it("forgives clocks a minute (F47)", async () => {
  expect(await verify({ issuedSecondsAgo: 650, lifetimeSeconds: 600 })).toMatchObject({ outcome: "verified" });
  expect(await verify({ issuedSecondsAgo: 670, lifetimeSeconds: 600 })).toMatchObject({ outcome: "refused" });
});

it("refuses other algorithms, and a token without a signature", async () => {
  const none = [{ alg: "none" }, { aud: AUDIENCE, oid: objectId, tid: TENANT }].map((part) =>
    Buffer.from(JSON.stringify(part)).toString("base64url"),
  );

  expect(await entra.verifier.verify(`Bearer ${none.join(".")}.`)).toMatchObject({ outcome: "refused" });
});

it.each([null, "", "Bearer", "Bearer a b", "Basic dXNlcg==", "Bearer not-a-token"])(
  "refuses the header %j",
  async (header) => {
    expect(await entra.verifier.verify(header)).toMatchObject({ outcome: "refused" });
  },
);

it.each([
  { status: 500, body: "{}" },
  { status: 404, body: "{}" },
  { status: 200, body: "not json" },
  { status: 200, body: "{}" },
])("says nothing about a token when the keys cannot be had: %j (F52)", async (failure) => {
  entra.failure = failure;

  expect(await verify({}, entra.newVerifier())).toEqual({ outcome: "unavailable" });
});

it("says nothing about a token when nobody answers for the keys", async () => {
  const gone = await startEntraKeys();
  const bearer = await gone.bearerOf(objectId);
  await gone.close();

  expect(await gone.verifier.verify(bearer)).toEqual({ outcome: "unavailable" });
});

it("goes on with the keys it had while none can be fetched, and refuses none for a key it does not know (T5)", async () => {
  const verifier = entra.newVerifier();
  await verify({}, verifier);
  entra.failure = { status: 500, body: "{}" };

  expect(await verify({}, verifier)).toMatchObject({ outcome: "verified" });
  expect(await verify({ key: "stranger" }, verifier)).toMatchObject({ outcome: "refused" });
});

it("fetches keys at most twice for a thousand unknown ones (T5)", async () => {
  const verifier = entra.newVerifier();
  const before = entra.fetches;
  const unknown = await entra.bearerOf(objectId, { key: "unknown" });
  for (let count = 0; count < 1000; count += 1) await verifier.verify(unknown);

  expect(entra.fetches - before).toBeLessThanOrEqual(2);
});

it("lists the groups of a token, and tells when there are more than it can list", async () => {
  const group = "67000000-0000-4000-8000-00000000000A";
  const source = { _claim_names: { groups: "src1" }, _claim_sources: { src1: { endpoint: "https://graph" } } };

  expect(await verify({ claims: { groups: [group, 7, "x"] } })).toMatchObject({
    caller: { groupIds: [group.toLowerCase()], hasMoreGroups: false },
  });
  expect(await verify({ claims: source })).toMatchObject({ caller: { groupIds: [], hasMoreGroups: true } });
});
