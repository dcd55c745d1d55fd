import { FIRST_OWNER } from "../../support/access";
import { useAccessCalls } from "../../support/access-calls";
import { ADMINISTRATOR } from "../../support/sample-rows";

const instance = useAccessCalls();
const PERSON = "9e000000-0000-4000-8000-000000000001";
const OTHER = "9e000000-0000-4000-8000-000000000002";

const runner = {
  Name: "Runner",
  IsCustom: true,
  Description: "runs jobs",
  Actions: ["Corral/organizations/jobs/*"],
  NotActions: ["Corral/organizations/jobs/cancel/action"],
  AssignableScopes: ["/orgs/demo"],
};
const toPerson = { principalId: PERSON, principalType: "User", role: "runner", scope: "/orgs/demo" };
const question = (operation: string) => ({ principalId: PERSON, operation });

it("makes a role, by which somebody may do what it permits and nothing else (A2)", async () => {
  const { calls, send } = instance();
  const made = await send(calls.roles.put, { name: "runner", body: runner });
  await send(calls.assignments.put, { name: "p-runs", body: toPerson });
  const write = await send(calls.check, { body: question("Corral/organizations/jobs/write") });
  const cancel = await send(calls.check, { body: question("Corral/organizations/jobs/cancel/action") });

  expect(made).toMatchObject({ status: 201, body: { id: "runner", ...runner, changedBy: FIRST_OWNER } });
  expect(write.body["because"]).toMatchObject({ role: "runner", pattern: "Corral/organizations/jobs/*" });
  expect(cancel.body["allowed"]).toBe(false);
});

it("changes a role for all who hold it, at once", async () => {
  const { calls, send } = instance();
  await send(calls.roles.put, { name: "runner", body: runner });
  await send(calls.assignments.put, { name: "p-runs", body: toPerson });
  const changed = await send(calls.roles.put, { name: "runner", body: { ...runner, Actions: ["*/read"] } });

  expect(changed.status).toBe(200);
  expect((await send(calls.check, { body: question("Corral/organizations/jobs/write") })).body["allowed"]).toBe(false);
});

it.each<[string, object, number, string, string | undefined]>([
  ["no scope", { ...runner, AssignableScopes: [] }, 400, "InvalidRequest", "AssignableScopes"],
  [
    "another organization's scope",
    { ...runner, AssignableScopes: ["/orgs/demo", "/orgs/other"] },
    400,
    "InvalidRequest",
    "AssignableScopes.1",
  ],
  [
    "a scope that only begins alike",
    { ...runner, AssignableScopes: ["/orgs/demo2"] },
    400,
    "InvalidRequest",
    "AssignableScopes.0",
  ],
  ["the deployment's scope", { ...runner, AssignableScopes: ["/"] }, 400, "InvalidRequest", "AssignableScopes.0"],
  ["an action that is none", { ...runner, Actions: ["do it"] }, 400, "InvalidRequest", "Actions.0"],
  ["a pattern of many wildcards", { ...runner, Actions: ["a*b*c*d*e*f*g"] }, 400, "InvalidRequest", "Actions.0"],
  ["IsCustom false", { ...runner, IsCustom: false }, 400, "InvalidRequest", "IsCustom"],
  ["a field that roles do not have", { ...runner, Permissions: [] }, 400, "InvalidRequest", "Permissions"],
])("refuses a role with %s (T9)", async (...[, body, status, code, target]) => {
  const { calls, send } = instance();

  expect(await send(calls.roles.put, { name: "runner", body })).toMatchObject({ status, code, target });
});

it("leaves built-in roles as they are", async () => {
  const { calls, send } = instance();

  expect((await send(calls.roles.put, { name: "job-submitter", body: runner })).code).toBe("RoleNameTaken");
  expect((await send(calls.roles.remove, { name: "reader" })).code).toBe("RoleNameTaken");
  expect((await send(calls.roles.show, { name: "job-submitter" })).body).toMatchObject({
    Name: "Job Submitter",
    IsCustom: false,
  });
});

it("lets an editor put in nothing that he may not do himself (I7, T9)", async () => {
  const { calls, send } = instance();
  const editor = { ...runner, Actions: ["Corral/authorization/*", "Corral/organizations/jobs/*"], NotActions: [] };
  await send(calls.roles.put, { name: "editor", body: editor });
  await send(calls.assignments.put, { name: "p-edits", body: { ...toPerson, role: "editor" } });
  const within = await send(calls.roles.put, { as: PERSON, name: "runner", body: runner });
  const beyond = await send(calls.roles.put, { as: PERSON, name: "keeper", body: { ...runner, Actions: ["*"] } });
  const raised = await send(calls.roles.put, { as: PERSON, name: "editor", body: { ...editor, Actions: ["*"] } });
  const owner = { ...toPerson, principalId: OTHER, role: "Owner" };
  const given = await send(calls.assignments.put, { as: PERSON, name: "o-owner", body: owner });

  expect([within.status, beyond.code, raised.code, given.code]).toEqual([201, "NotHeld", "NotHeld", "NotHeld"]);
});

it("keeps a role that is assigned, and its scopes as far as assignments reach (T9)", async () => {
  const { calls, send } = instance();
  await send(calls.roles.put, { name: "runner", body: runner });
  await send(calls.assignments.put, { name: "p-runs", body: toPerson });
  const narrower = { ...runner, AssignableScopes: ["/orgs/demo/volumes/data"] };

  expect(await send(calls.roles.remove, { name: "runner" })).toMatchObject({ status: 409, code: "RoleInUse" });
  expect(await send(calls.roles.put, { name: "runner", body: narrower })).toMatchObject({
    status: 409,
    code: "RoleInUse",
  });
  await send(calls.assignments.remove, { name: "p-runs" });
  expect((await send(calls.roles.remove, { name: "runner" })).status).toBe(204);
});

it("gives nobody the rights of a role that was made anew under an old name", async () => {
  const { calls, send, assignments } = instance();
  await send(calls.roles.put, { name: "runner", body: runner });
  await send(calls.assignments.put, { name: "p-runs", body: toPerson });
  const row = (await assignments.find("demo", "p-runs"))?.value;
  await send(calls.assignments.remove, { name: "p-runs" });
  await send(calls.roles.remove, { name: "runner" });
  // As if the assignment had been written while its role was deleted.
  if (row) await assignments.insert(row);
  await send(calls.roles.put, { name: "runner", body: runner });

  expect((await send(calls.check, { body: question("Corral/organizations/jobs/write") })).body["allowed"]).toBe(false);
});

it("uses a role of the deployment in every organization that its scopes hold, and an organization's own in no other", async () => {
  const { calls, send } = instance();
  const wide = { ...runner, AssignableScopes: ["/"] };
  await send(calls.roles.put, { org: "-", name: "everywhere", body: wide });
  await send(calls.roles.put, { name: "runner", body: runner });
  const inOther = { ...toPerson, scope: "/orgs/other" };
  const used = await send(calls.assignments.put, {
    org: "other",
    name: "p-1",
    body: { ...inOther, role: "everywhere" },
  });
  const foreign = await send(calls.assignments.put, { org: "other", name: "p-2", body: inOther });

  expect(used.status).toBe(201);
  expect(foreign).toMatchObject({ status: 400, target: "role" });
  expect((await send(calls.roles.put, { as: ADMINISTRATOR, org: "-", name: "mine", body: wide })).status).toBe(403);
});
