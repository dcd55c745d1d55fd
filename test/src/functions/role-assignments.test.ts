import { FIRST_OWNER } from "../../support/access";
import { useAccessCalls } from "../../support/access-calls";
import { ADMINISTRATOR } from "../../support/sample-rows";

const instance = useAccessCalls();
const PERSON = "9e000000-0000-4000-8000-000000000001";
const OTHER = "9e000000-0000-4000-8000-000000000002";
const SUBSCRIPTION = "/subscriptions/5b000000-0000-4000-8000-000000000001";

const reader = { principalId: PERSON, principalType: "User", role: "Reader", scope: "/orgs/demo" };

it("gives a role, says so twice alike, and takes it again", async () => {
  const { calls, send } = instance();
  const first = await send(calls.assignments.put, { name: "a-reader", body: reader });
  const second = await send(calls.assignments.put, { name: "a-reader", body: reader });
  const listed = await send(calls.assignments.list, { as: PERSON });
  const removed = await send(calls.assignments.remove, { name: "a-reader" });
  const after = await send(calls.assignments.list, { as: PERSON });

  expect([first.status, second.status, listed.status, removed.status]).toEqual([201, 200, 200, 204]);
  expect(first.body).toMatchObject({ id: "a-reader", ...reader, createdBy: FIRST_OWNER });
  expect(listed.body["value"]).toEqual(expect.arrayContaining([expect.objectContaining({ id: "a-reader" })]));
  expect(after).toMatchObject({ status: 403, code: "Forbidden" });
});

it("takes a right away from other instances too, once what they remember is old (T29)", async () => {
  const [here, there] = [instance(), instance()];
  await here.send(here.calls.assignments.put, { name: "a-reader", body: reader });
  await there.send(there.calls.assignments.list, { as: PERSON });
  await here.send(here.calls.assignments.remove, { name: "a-reader" });
  const now = Date.now();
  const clock = jest.spyOn(Date, "now").mockImplementation(() => now + 30_000);
  try {
    expect(await there.send(there.calls.assignments.list, { as: PERSON })).toMatchObject({ status: 403 });
  } finally {
    clock.mockRestore();
  }
});

it.each<[string, object, number, string, string | undefined]>([
  ["to himself", { ...reader, principalId: FIRST_OWNER }, 403, "SelfAssignment", undefined],
  ["at another organization", { ...reader, scope: "/orgs/other" }, 400, "InvalidRequest", "scope"],
  ["at a scope with dots", { ...reader, scope: "/orgs/demo/../other" }, 400, "InvalidRequest", "scope"],
  ["wider than the organization of the path", { ...reader, scope: "/" }, 400, "InvalidRequest", "scope"],
  ["that does not exist", { ...reader, role: "Emperor" }, 400, "InvalidRequest", "role"],
  ["to what is no object id", { ...reader, principalId: "bob" }, 400, "InvalidRequest", "principalId"],
  ["to a list", { ...reader, principalId: [PERSON] }, 400, "InvalidRequest", "principalId"],
])("refuses to give a role %s (T9)", async (...[, body, status, code, target]) => {
  const { calls, send } = instance();

  expect(await send(calls.assignments.put, { name: "a-reader", body })).toMatchObject({ status, code, target });
  expect((await send(calls.assignments.show, { name: "a-reader" })).status).toBe(404);
});

it("refuses the same grant under another id, and another grant under a known id", async () => {
  const { calls, send } = instance();
  await send(calls.assignments.put, { name: "first", body: reader });

  expect(await send(calls.assignments.put, { name: "second", body: reader })).toMatchObject({
    status: 409,
    code: "RoleAssignmentExists",
  });
  expect(await send(calls.assignments.put, { name: "first", body: { ...reader, role: "Contributor" } })).toMatchObject({
    status: 409,
    code: "RoleAssignmentUpdateNotPermitted",
  });
});

it("lets a Contributor give nothing, and an administrator nothing beyond his organization (T9)", async () => {
  const { calls, send } = instance();
  await send(calls.assignments.put, { name: "helper", body: { ...reader, role: "Contributor" } });
  const body = { ...reader, principalId: OTHER };

  expect((await send(calls.assignments.put, { as: PERSON, name: "x-1", body })).status).toBe(403);
  expect((await send(calls.assignments.put, { as: ADMINISTRATOR, name: "x-2", body })).status).toBe(201);
  const elsewhere = { ...body, scope: "/orgs/other" };
  expect((await send(calls.assignments.put, { as: PERSON, org: "other", name: "x-3", body: elsewhere })).status).toBe(
    403,
  );
  const wide = { ...body, scope: "/" };
  expect((await send(calls.assignments.put, { as: ADMINISTRATOR, org: "-", name: "x-4", body: wide })).status).toBe(
    403,
  );
});

it("lets an Owner of a subscription give roles in it and in its organizations, and not in the deployment", async () => {
  const { calls, send } = instance();
  const owner = { principalId: PERSON, principalType: "User", role: "Owner", scope: SUBSCRIPTION };
  const given = await send(calls.assignments.put, { org: "-", name: "sub-owner", body: owner });
  const inSubscription = { ...owner, principalId: OTHER, role: "Reader" };
  const narrower = await send(calls.assignments.put, {
    as: PERSON,
    org: "-",
    name: "sub-reader",
    body: inSubscription,
  });
  const wider = { ...inSubscription, scope: "/" };

  expect([given.status, narrower.status]).toEqual([201, 201]);
  expect((await send(calls.assignments.put, { as: PERSON, org: "-", name: "all", body: wider })).status).toBe(403);
});

it("keeps what follows from settings (T9)", async () => {
  const { calls, send } = instance();

  expect(await send(calls.assignments.remove, { name: `settings:administrator:${ADMINISTRATOR}` })).toMatchObject({
    status: 409,
    code: "AssignmentFromSettings",
  });
});

it.each(["demo", "missing", "demo' or 'a' eq 'a", "..%2Fother"])(
  "answers a stranger the same for %s, whatever he sends (T10)",
  async (org) => {
    const { calls, send } = instance();
    const answers = await Promise.all([
      send(calls.assignments.put, { as: PERSON, org, name: "x-1", body: { ...reader, scope: `/orgs/${org}` } }),
      send(calls.assignments.list, { as: PERSON, org }),
      send(calls.assignments.remove, { as: PERSON, org, name: "x-1" }),
      send(calls.audit.list, { as: PERSON, org }),
    ]);

    expect(answers.map(({ status }) => status)).toEqual([403, 403, 403, 403]);
  },
);

it("tells by access:check which assignment and which pattern decided", async () => {
  const { calls, send } = instance();
  await send(calls.assignments.put, { name: "a-reader", body: reader });
  const question = { principalId: PERSON, operation: "Corral/organizations/jobs/read" };
  const own = await send(calls.check, { as: PERSON, body: question });
  const foreign = await send(calls.check, { as: OTHER, body: question });
  const denied = await send(calls.check, { body: { ...question, operation: "Corral/organizations/jobs/write" } });

  expect(own.body).toEqual({
    allowed: true,
    because: { assignmentId: "a-reader", role: "Reader", pattern: "*/read", scope: "/orgs/demo" },
  });
  expect(foreign.status).toBe(403);
  expect(denied.body).toEqual({ allowed: false, because: null });
});
