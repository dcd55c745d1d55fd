import type { CallerGuard } from "../../../src/functions/caller-guard";
import { OrganizationTable } from "../../../src/state/organization-table";
import { useTable } from "../../support/azurite";
import { FIRST_OWNER as OWNER, useAccess } from "../../support/access";
import { type EntraKeys, startEntraKeys } from "../../support/entra-keys";
import { answerOf, httpRequest } from "../../support/function-calls";
import { ADMINISTRATOR, organizationRow, sampleOrganization } from "../../support/sample-rows";

const STRANGER = "57000000-0000-4000-8000-000000000001";
const GROUP = "67000000-0000-4000-8000-00000000000a";
const READ = "Corral/organizations/jobs/read";
const table = useTable("Organizations");
const access = useAccess();
let entra: EntraKeys;
beforeAll(async () => {
  entra = await startEntraKeys();
});
afterAll(() => entra.close());
beforeEach(async () => {
  const settings = sampleOrganization({ administrators: [ADMINISTRATOR.toUpperCase()] });
  await new OrganizationTable(table()).insert(organizationRow({ settings }));
});

const guard = (verifier = entra.verifier) => access({ verifier, organizations: new OrganizationTable(table()) }).guard;

async function requestOf(objectId: string, org = "demo", claims: Record<string, unknown> = {}) {
  return httpRequest({ method: "GET", authorization: await entra.bearerOf(objectId, { claims }), params: { org } });
}

const statusOf = (guarded: Awaited<ReturnType<CallerGuard["inOrganization"]>>) =>
  guarded.ok ? guarded.value.organization.org : answerOf(guarded.response);

it("lets administrators into their organization and the owner into all, however their ids are spelled (I7)", async () => {
  expect(statusOf(await guard().inOrganization(await requestOf(ADMINISTRATOR), READ))).toBe("demo");
  expect(statusOf(await guard().inOrganization(await requestOf(OWNER), READ))).toBe("demo");
});

it.each(["demo", "missing", "a'b", "../demo"])(
  "tells a stranger the same of %s whether it is there or not (I7)",
  async (org) => {
    expect(statusOf(await guard().inOrganization(await requestOf(STRANGER, org), READ))).toMatchObject({
      status: 403,
      code: "Forbidden",
    });
  },
);

it("lets no administrator into another organization (I7)", async () => {
  const settings = sampleOrganization({ org: "demo2", administrators: [STRANGER] });
  await new OrganizationTable(table()).insert(organizationRow({ settings }));

  expect(statusOf(await guard().inOrganization(await requestOf(ADMINISTRATOR, "demo2"), READ))).toMatchObject({
    status: 403,
  });
});

it("tells the owner that an organization is not there", async () => {
  expect(statusOf(await guard().inOrganization(await requestOf(OWNER, "missing"), READ))).toMatchObject({
    status: 404,
    code: "NotFound",
  });
});

it("lets only an Owner of the deployment do what is of the deployment", async () => {
  const owner = await guard().inDeployment(await requestOf(OWNER), "Corral/organizations/write");
  const administrator = await guard().inDeployment(await requestOf(ADMINISTRATOR), "Corral/organizations/write");

  expect(owner.ok && owner.value.because.assignmentId).toBe("settings:first-owner");
  expect(administrator.ok ? "passed" : answerOf(administrator.response)).toMatchObject({
    status: 403,
    code: "Forbidden",
  });
});

it.each([
  ["an application without the application role", { roles: undefined }],
  ["an application with another role", { roles: ["Other.Role"] }],
  ["a user without the delegated permission", { roles: undefined, scp: "openid profile" }],
])("refuses a valid token of %s (T6)", async (_what, claims) => {
  expect(statusOf(await guard().inOrganization(await requestOf(ADMINISTRATOR, "demo", claims), READ))).toMatchObject({
    status: 403,
    code: "MissingPermission",
  });
});

it("counts the roles of the groups that a token lists, and says so when it could list none", async () => {
  const { assignments, guard: own } = access({
    verifier: entra.verifier,
    organizations: new OrganizationTable(table()),
  });
  const role = {
    role: "Reader",
    roleName: "Reader",
    principalType: "Group",
    scope: "/orgs/demo",
    home: "demo",
  } as const;
  const given = { createdAt: "2030-01-01T00:00:00Z", createdBy: OWNER };
  await assignments.insert({ ...role, ...given, id: "readers", principalId: GROUP });
  const listed = await own.inOrganization(await requestOf(STRANGER, "demo", { groups: [GROUP] }), READ);
  const overage = await own.inOrganization(await requestOf(STRANGER, "demo", { hasgroups: true }), READ);

  expect(listed.ok && listed.value.because.assignmentId).toBe("readers");
  expect(statusOf(overage)).toMatchObject({ status: 403, code: "GroupsNotListed" });
});

it("asks users for the authentication context that is required, for writes only (A7)", async () => {
  const { guard: own } = access({
    verifier: entra.verifier,
    organizations: new OrganizationTable(table()),
    requiredContext: "c1",
  });
  const user = { roles: undefined, scp: "user_impersonation" };
  const write = "Corral/organizations/jobs/write";
  const challenged = await own.inOrganization(await requestOf(ADMINISTRATOR, "demo", user), write);
  const met = await own.inOrganization(await requestOf(ADMINISTRATOR, "demo", { ...user, acrs: ["c1"] }), write);
  const read = await own.inOrganization(await requestOf(ADMINISTRATOR, "demo", user), READ);

  expect([met.ok, read.ok]).toEqual([true, true]);
  const refusal = challenged.ok ? undefined : answerOf(challenged.response);
  const claims = /claims="([^"]+)"/.exec(refusal?.headers["WWW-Authenticate"] ?? "")?.[1] ?? "";
  expect(refusal?.status).toBe(401);
  expect(JSON.parse(Buffer.from(claims, "base64").toString())).toEqual({
    access_token: { acrs: { essential: true, value: "c1" } },
  });
});

it("ignores the headers of App Service (T1)", async () => {
  const request = httpRequest({ method: "GET", params: { org: "demo" } });
  request.headers.set("x-ms-client-principal-id", OWNER);
  request.headers.set("x-ms-client-principal", Buffer.from(JSON.stringify({ userId: OWNER })).toString("base64"));

  expect(statusOf(await guard().inOrganization(request, READ))).toMatchObject({ status: 401 });
});

it("answers 401 without a good token, and says how to do better", async () => {
  const guarded = await guard().inOrganization(httpRequest({ method: "GET", params: { org: "demo" } }), READ);

  expect(guarded.ok ? "passed" : answerOf(guarded.response)).toMatchObject({
    status: 401,
    code: "Unauthenticated",
    headers: { "WWW-Authenticate": 'Bearer error="invalid_token"', "x-ms-error-code": "Unauthenticated" },
  });
});

it("answers 503 with a time to come again when the keys cannot be had (F52)", async () => {
  entra.failure = { status: 500, body: "{}" };
  const guarded = await guard(entra.newVerifier()).inOrganization(await requestOf(ADMINISTRATOR), READ);
  entra.failure = undefined;

  expect(guarded.ok ? "passed" : answerOf(guarded.response)).toMatchObject({
    status: 503,
    code: "KeysUnavailable",
    headers: { "Retry-After": "5" },
  });
});
