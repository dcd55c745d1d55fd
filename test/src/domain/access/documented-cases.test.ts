import { DatabaseSync } from "node:sqlite";
import fc from "fast-check";
import { AccessControl } from "../../../../local/azure/arm/authorization/access-control";
import { type Assignment, decideAccess } from "../../../../src/domain/access/evaluator";
import { matchesOperation, type Role } from "../../../../src/domain/access/role";
import { type AccessCase, DOCUMENTED_CASES } from "../../../support/documented-access";

type Roles = AccessCase["roles"];

/** Corral's evaluator. */
function corralAllows(roles: Roles, operation: string, scope = "/orgs/acme"): boolean {
  const known = new Map<string, Role>(
    roles.map(({ Actions, NotActions }, index) => [
      `r${index}`,
      { key: `r${index}`, actions: Actions, notActions: NotActions },
    ]),
  );
  const assignments: Assignment[] = roles.map((_, index) => ({
    id: `a${index}`,
    principalId: "p",
    role: `r${index}`,
    scope,
  }));
  const question = { principalIds: new Set(["p"]), operation, scopes: ["/", "/orgs/acme"] };
  return decideAccess({ assignments, roles: known }, question).allowed;
}

/** The embedded ARM's evaluator, which shares no code with Corral's. */
function armAllows(roles: Roles, operation: string): boolean {
  const access = new AccessControl(new DatabaseSync(":memory:"));
  const times = { createdOn: "2030-01-01T00:00:00Z", updatedOn: "2030-01-01T00:00:00Z" };
  for (const [index, { Actions, NotActions }] of roles.entries()) {
    const guid = `0000000${index}-0000-4000-8000-000000000000`;
    const permissions = [{ actions: Actions, notActions: NotActions, dataActions: [], notDataActions: [] }];
    access.customRoles.set(guid, {
      ...{ guid, roleName: guid, description: "", roleType: "CustomRole", assignableScopes: ["/"], permissions },
      ...times,
    });
    access.assignments.set(guid, {
      ...{ id: guid, name: guid, scope: "/subscriptions/s", roleGuid: guid, roleDefinitionId: guid, principalId: "p" },
      ...{ principalType: "User", createdOn: times.createdOn, createdBy: "", effectiveAtMs: 0 },
    });
  }
  return (
    access.findGrant({ principalId: "p", action: operation, scope: "/subscriptions/s/resourceGroups/g" }) !== undefined
  );
}

it.each(DOCUMENTED_CASES)(
  "decides alike in Corral and in the embedded ARM: $operation is $allowed ($source) (T8)",
  ({ roles, operation, allowed }) => {
    expect({ corral: corralAllows(roles, operation), arm: armAllows(roles, operation) }).toEqual({
      corral: allowed,
      arm: allowed,
    });
  },
);

const segment = fc.constantFrom("a", "b", "ab", "read", "write", "A", "x-y");
const operation = fc.array(segment, { minLength: 1, maxLength: 5 }).map((parts) => parts.join("/"));
const pattern = fc
  .array(fc.oneof(segment, fc.constant("*"), fc.constant("a*"), fc.constant("*b")), { minLength: 1, maxLength: 5 })
  .map((parts) => parts.join("/"));
const role = fc.record({
  Actions: fc.array(pattern, { maxLength: 4 }),
  NotActions: fc.array(pattern, { maxLength: 3 }),
});

/** As simple as can be: a regular expression for each pattern. */
const byExpression = (text: string, name: string): boolean =>
  new RegExp(`^${text.replaceAll(/[.+?^${}()|[\]\\]/g, String.raw`\$&`).replaceAll("*", ".*")}$`, "i").test(name);
const byReference = (roles: Roles, name: string): boolean =>
  roles.some(
    ({ Actions, NotActions }) =>
      Actions.some((one) => byExpression(one, name)) && !NotActions.some((one) => byExpression(one, name)),
  );

it("matches wildcards anywhere as a regular expression would, whatever the case (T8)", () => {
  fc.assert(
    fc.property(pattern, operation, (text, name) => {
      expect(matchesOperation(text, name)).toBe(byExpression(text, name));
      expect(matchesOperation(text.toUpperCase(), name)).toBe(matchesOperation(text, name));
    }),
    { numRuns: 2_000 },
  );
});

it("is the union of its assignments, each with its own NotActions, and agrees with ARM and a naive evaluator (T8)", () => {
  fc.assert(
    fc.property(fc.array(role, { maxLength: 4 }), operation, (roles, name) => {
      const expected = byReference(roles, name);
      expect(corralAllows(roles, name)).toBe(expected);
      expect(armAllows(roles, name)).toBe(expected);
      expect(roles.some((one) => corralAllows([one], name))).toBe(expected);
    }),
    { numRuns: 300 },
  );
});

it("lets nobody lose a right by a further assignment, and counts none beside the scopes in question (T8)", () => {
  fc.assert(
    fc.property(fc.array(role, { maxLength: 3 }), role, operation, (roles, further, name) => {
      if (corralAllows(roles, name)) expect(corralAllows([...roles, further], name)).toBe(true);
      expect(corralAllows(roles, name, "/orgs/acme-lab")).toBe(false);
    }),
  );
});
