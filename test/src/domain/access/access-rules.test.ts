import {
  assignmentsOfSettings,
  refusalOfPlace,
  refusalToDelete,
  refusalToGive,
  refusalToNarrow,
  refusalToTake,
  scopesOutside,
} from "../../../../src/domain/access/delegation";
import { type Assignment, decideAccess, rolesHeld } from "../../../../src/domain/access/evaluator";
import { BUILT_IN_ROLES, matchesOperation, type Role } from "../../../../src/domain/access/role";
import { importRole } from "../../../../src/domain/access/role-import";
import { canonicalScope, isWithin, scopesAround, volumeScope } from "../../../../src/domain/access/scope";

const SUBSCRIPTION = "22222222-2222-4222-8222-222222222222";
const around = scopesAround({ prefix: "corral", org: "acme", subscriptionId: SUBSCRIPTION });
const roles = new Map<string, Role>(BUILT_IN_ROLES.map((role) => [role.key, role]));
const roleOf = (key: string): Role => roles.get(key) ?? { key, actions: [], notActions: [] };
const assign = (role: string, scope = "/orgs/acme", id = "a1"): Assignment => ({ id, principalId: "p", role, scope });
const asks = (operation: string, assignments: readonly Assignment[]) =>
  decideAccess({ assignments, roles }, { principalIds: new Set(["p"]), operation, scopes: around });

it.each([
  [
    "Microsoft.MachineLearningServices/workspaces/*/delete",
    "Microsoft.MachineLearningServices/workspaces/delete",
    false,
  ],
  [
    "Microsoft.MachineLearningServices/workspaces/*/delete",
    "microsoft.machinelearningservices/workspaces/a/b/delete",
    true,
  ],
  ["*/read", "Corral/costs/read", true],
  ["Corral/organizations/jobs/*", "Corral/organizations/jobs/cancel/action", true],
  ["Corral/*/*/read", "Corral/costs/read", false],
  ["a*b*b", "ab", false],
])("matches %s against %s: %s (T8)", (pattern, operation, matches) => {
  expect(matchesOperation(pattern, operation)).toBe(matches);
});

it("takes NotActions from their own role only: another role may permit the same (T8)", () => {
  const operation = "Corral/authorization/roleAssignments/write";

  expect(asks(operation, [assign("Contributor")]).allowed).toBe(false);
  expect(asks(operation, [assign("Contributor"), assign("Owner", "/", "a2")]).because).toEqual({
    assignmentId: "a2",
    role: "Owner",
    pattern: "*",
    scope: "/",
  });
});

it.each(around)("lets a role at %s count in the organization", (scope) => {
  expect(asks("Corral/organizations/jobs/read", [assign("Reader", scope)]).allowed).toBe(true);
});

it("keeps organizations apart whose names begin alike (T9)", () => {
  expect(asks("Corral/organizations/jobs/read", [assign("Owner", "/orgs/acme-lab")]).allowed).toBe(false);
  expect(isWithin("/orgs/acme-lab", "/orgs/acme")).toBe(false);
  expect(isWithin(volumeScope("acme", "data"), "/orgs/acme")).toBe(true);
});

it.each([
  ["/ORGS/Acme/", "/orgs/acme"],
  ["/orgs/acme/../beta", undefined],
  ["//orgs/acme", undefined],
  ["/orgs/acme%2f", undefined],
  [
    `/subscriptions/${SUBSCRIPTION}/resourceGroups/Corral-Acme`,
    `/subscriptions/${SUBSCRIPTION}/resourcegroups/corral-acme`,
  ],
])("knows one spelling of the scope %s (T9)", (text, scope) => {
  expect(canonicalScope(text)).toBe(scope);
});

it("lets nobody give what he does not hold, a wildcard included (I7, T9)", () => {
  const everyOperationOfToday: Role = { key: "all", actions: ["Corral/*"], notActions: [] };
  const held = rolesHeld({ assignments: [assign("Contributor")], roles }, new Set(["p"]), around);

  expect(refusalToGive(held, roleOf("Owner"), "/orgs/acme")?.code).toBe("NotHeld");
  expect(refusalToGive([everyOperationOfToday], roleOf("Owner"), "/orgs/acme")?.code).toBe("NotHeld");
  expect(refusalToGive([roleOf("Owner")], roleOf("Contributor"), "/orgs/acme")).toBeUndefined();
});

it("keeps the last Owner, what settings say, and roles that are in use (T9)", () => {
  const organization = { scope: "/orgs/acme", administrators: ["ADMIN", "second"] };
  const fromSettings = assignmentsOfSettings({ firstOwnerId: "FIRST", organization });
  const [first, administrator] = fromSettings;

  expect(first && refusalToTake([first], first)?.code).toBe("LastOwner");
  expect(administrator && refusalToTake(fromSettings, administrator)?.code).toBe("AssignmentFromSettings");
  expect(refusalToDelete("Reader", [assign("Reader")])?.code).toBe("RoleInUse");
  expect(refusalToNarrow(["/orgs/beta"], [{ id: "a1", around }])?.code).toBe("RoleInUse");
  expect(refusalOfPlace(["/orgs/beta"], around)?.code).toBe("RoleNotAssignableHere");
  expect(scopesOutside(["/orgs/beta", "/orgs/acme"], ["/orgs/acme"])).toEqual(["/orgs/beta"]);
});

it("makes of Azure's data scientist role one that runs jobs and neither creates nor deletes machines (A3)", () => {
  const workspaces = "Microsoft.MachineLearningServices/workspaces";
  const { role, withoutCounterpart } = importRole(
    {
      Name: "Data Scientist Custom",
      Actions: ["read", "action", "delete", "write"].map((verb) => `${workspaces}/*/${verb}`),
      NotActions: [
        `${workspaces}/delete`,
        `${workspaces}/write`,
        `${workspaces}/computes/*/write`,
        `${workspaces}/computes/*/delete`,
        "Microsoft.Authorization/*",
        `${workspaces}/listKeys/action`,
      ],
    },
    "/orgs/acme",
  );

  expect(role.Actions).toContain("Corral/organizations/jobs/write");
  expect(role.Actions).not.toContain("Corral/organizations/machines/delete");
  expect(role.AssignableScopes).toEqual(["/orgs/acme"]);
  expect(withoutCounterpart).toContain(`${workspaces}/listKeys/action`);
});
