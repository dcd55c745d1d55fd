import { AuditLog } from "../../../src/intake/audit-trail";
import { createRoleAssignmentCalls } from "../../../src/functions/role-assignments";
import { RoleAssignments } from "../../../src/intake/role-assignments";
import { FIRST_OWNER } from "../../support/access";
import { useAccessCalls } from "../../support/access-calls";

const instance = useAccessCalls();
const PERSON = "9e000000-0000-4000-8000-000000000001";
const reader = { principalId: PERSON, principalType: "User", role: "Reader", scope: "/orgs/demo" };

interface Line {
  readonly id: string;
  readonly phase: string;
  readonly operation: string;
  readonly outcome?: string;
  readonly actor: { readonly id: string };
}
const linesOf = (body: Record<string, unknown>): Line[] => body["value"] as Line[];

it("has a line before and a line after each act, with who did what and by which right (E14)", async () => {
  const { calls, send } = instance();
  await send(calls.assignments.put, { name: "a-reader", body: reader });
  const lines = linesOf((await send(calls.audit.list)).body);

  expect(lines).toMatchObject([
    {
      phase: "intent",
      operation: "Corral/authorization/roleAssignments/write",
      actor: { type: "app", id: FIRST_OWNER },
      target: "/orgs/demo/roleAssignments/a-reader",
      decision: "settings:first-owner",
    },
    { phase: "outcome", outcome: "succeeded" },
  ]);
  expect(new Set(lines.map(({ id }) => id)).size).toBe(1);
});

it("records refusals once a minute, and sign-ins once for a token (T27)", async () => {
  const { calls, send } = instance();
  for (let count = 0; count < 5; count += 1)
    await send(calls.assignments.list, { as: PERSON, claims: { uti: "token-1" } });
  const refusals = linesOf((await send(calls.audit.list, { query: "outcome=refused" })).body);
  const signIns = linesOf((await send(calls.audit.list, { org: "-", query: `actor=${PERSON}` })).body);

  expect(refusals.length).toBeGreaterThanOrEqual(1);
  expect(refusals.length).toBeLessThanOrEqual(2);
  expect(signIns).toMatchObject([{ operation: "Corral/signIn", outcome: "succeeded" }]);
});

it("goes through the lines by pages, and filters them", async () => {
  const { calls, send } = instance();
  for (const name of ["r-1", "r-2", "r-3"])
    await send(calls.assignments.put, { name, body: { ...reader, principalId: PERSON.replace(/.$/, name.slice(-1)) } });
  const seen: string[] = [];
  let query: string | undefined = "$top=2&operation=corral/authorization/roleassignments/write&outcome=succeeded";
  while (query !== undefined) {
    const { body } = await send(calls.audit.list, { query });
    seen.push(...linesOf(body).map(({ id }) => id));
    query = typeof body["nextLink"] === "string" ? new URL(body["nextLink"]).search.slice(1) : undefined;
  }

  expect(new Set(seen).size).toBe(3);
  expect(seen).toHaveLength(3);
});

it.each(["$top=0", "from=yesterday", "outcome=maybe", "correlationId=1", "colour=red"])(
  "refuses the filter %s with the name of the field",
  async (query) => {
    const { calls, send } = instance();

    expect(await send(calls.audit.list, { query })).toMatchObject({ status: 400, target: query.split("=")[0] });
  },
);

it("changes nothing while the audit cannot be written (T27)", async () => {
  const { calls, send, ...deps } = instance();
  const audit = new AuditLog([{ append: () => Promise.reject(new Error("the store is down")) }]);
  const assignments = createRoleAssignmentCalls({ ...deps, given: new RoleAssignments(deps.assignments), audit });
  const refused = await send(assignments.put, { name: "a-reader", body: reader });

  expect(refused).toMatchObject({ status: 503, code: "AuditUnavailable", headers: { "Retry-After": "10" } });
  expect((await send(calls.assignments.show, { name: "a-reader" })).status).toBe(404);
});

it("lets nobody change a line: the same id again leaves the first", async () => {
  const { auditRows } = instance();
  const line = {
    id: "20300101T000000000Z-1",
    phase: "intent",
    at: "2030-01-01T00:00:00.000Z",
    operation: "Corral/organizations/jobs/write",
    actor: { type: "user", id: PERSON },
    org: "demo",
    target: "/orgs/demo/jobs/1",
    correlationId: PERSON,
  } as const;
  await auditRows.append(line);
  await auditRows.append({ ...line, target: "/orgs/demo/jobs/2" });

  expect((await auditRows.list("demo", { top: 10 })).values).toEqual([line]);
});
