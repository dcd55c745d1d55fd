import { CallerGuard } from "../../../src/functions/caller-guard";
import { OrganizationTable } from "../../../src/state/organization-table";
import { useTable } from "../../support/azurite";
import { type EntraKeys, startEntraKeys } from "../../support/entra-keys";
import { answerOf, httpRequest } from "../../support/function-calls";
import { ADMINISTRATOR, organizationRow, sampleOrganization } from "../../support/sample-rows";

const OWNER = "0e000000-0000-4000-8000-00000000000A";
const STRANGER = "57000000-0000-4000-8000-000000000001";
const table = useTable("Organizations");
let entra: EntraKeys;
beforeAll(async () => {
  entra = await startEntraKeys();
});
afterAll(() => entra.close());
beforeEach(async () => {
  const settings = sampleOrganization({ administrators: [ADMINISTRATOR.toUpperCase()] });
  await new OrganizationTable(table()).insert(organizationRow({ settings }));
});

const guard = (verifier = entra.verifier) => new CallerGuard(verifier, new OrganizationTable(table()), OWNER);

async function requestOf(objectId: string, org = "demo") {
  return httpRequest({ method: "GET", authorization: await entra.bearerOf(objectId), params: { org } });
}

const statusOf = (guarded: Awaited<ReturnType<CallerGuard["member"]>>) =>
  guarded.ok ? guarded.value.organization.org : answerOf(guarded.response);

it("lets administrators into their organization and the owner into all, however their ids are spelled (I7)", async () => {
  expect(statusOf(await guard().member(await requestOf(ADMINISTRATOR)))).toBe("demo");
  expect(statusOf(await guard().member(await requestOf(OWNER)))).toBe("demo");
});

it.each(["demo", "missing", "a'b", "../demo"])(
  "tells a stranger the same of %s whether it is there or not (I7)",
  async (org) => {
    expect(statusOf(await guard().member(await requestOf(STRANGER, org)))).toMatchObject({
      status: 403,
      code: "Forbidden",
    });
  },
);

it("lets no administrator into another organization (I7)", async () => {
  const settings = sampleOrganization({ org: "demo2", administrators: [STRANGER] });
  await new OrganizationTable(table()).insert(organizationRow({ settings }));

  expect(statusOf(await guard().member(await requestOf(ADMINISTRATOR, "demo2")))).toMatchObject({ status: 403 });
});

it("tells the owner that an organization is not there", async () => {
  expect(statusOf(await guard().member(await requestOf(OWNER, "missing")))).toMatchObject({
    status: 404,
    code: "NotFound",
  });
});

it("lets only the owner do what is the owner's", async () => {
  const owner = await guard().owner(await requestOf(OWNER));
  const administrator = await guard().owner(await requestOf(ADMINISTRATOR));

  expect(owner.ok).toBe(true);
  expect(administrator.ok ? "passed" : answerOf(administrator.response)).toMatchObject({
    status: 403,
    code: "Forbidden",
  });
});

it("answers 401 without a good token, and says how to do better", async () => {
  const guarded = await guard().member(httpRequest({ method: "GET", params: { org: "demo" } }));

  expect(guarded.ok ? "passed" : answerOf(guarded.response)).toMatchObject({
    status: 401,
    code: "Unauthenticated",
    headers: { "WWW-Authenticate": 'Bearer error="invalid_token"', "x-ms-error-code": "Unauthenticated" },
  });
});

it("answers 503 with a time to come again when the keys cannot be had (F52)", async () => {
  entra.failure = { status: 500, body: "{}" };
  const guarded = await guard(entra.newVerifier()).member(await requestOf(ADMINISTRATOR));
  entra.failure = undefined;

  expect(guarded.ok ? "passed" : answerOf(guarded.response)).toMatchObject({
    status: 503,
    code: "KeysUnavailable",
    headers: { "Retry-After": "5" },
  });
});
