import { AUDIENCE, type EntraKeys, startEntraKeys, TENANT, type TokenFields } from "../../support/entra-keys";

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
  const caller = { objectId, tenantId: TENANT };

  expect(await verify()).toEqual({ outcome: "verified", caller });
  expect(await verify({ claims: { oid: objectId.toUpperCase() } })).toEqual({ outcome: "verified", caller });
  expect(await verify({ claims: { iss: `https://sts.windows.net/${TENANT}/` } })).toMatchObject({
    outcome: "verified",
  });
});

it.each<[string, TokenFields]>([
  ["another audience", { claims: { aud: "api://other" } }],
  ["no audience", { claims: { aud: undefined } }],
  ["another issuer", { claims: { iss: "https://login.microsoftonline.com/other/v2.0" } }],
  ["another tenant", { claims: { tid: TENANT.replace("7", "8") } }],
  ["no tenant", { claims: { tid: undefined } }],
  ["no object id", { claims: { oid: undefined } }],
  ["an empty object id", { claims: { oid: "" } }],
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
