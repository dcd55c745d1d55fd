import fc from "fast-check";
import { decideAccess } from "../../../src/domain/access/evaluator";
import { OPERATION_NAMES } from "../../../src/domain/access/operations";
import { useAccessCalls } from "../../support/access-calls";

const instance = useAccessCalls();
type Instance = ReturnType<typeof instance>;

const PEOPLE = [1, 2, 3].map((index) => `9e000000-0000-4000-8000-00000000000${index}`);
const SCOPES = ["/orgs/demo", "/orgs/demo/volumes/data"] as const;
/** Operations that a later version may bring: whoever holds a wildcard holds them too. */
const PROBES = [...OPERATION_NAMES, "Corral/organizations/jobs/new/action", "Corral/new/read", "New/write"];

const actions = fc.subarray(
  [
    "*",
    "*/read",
    "*/write",
    "Corral/organizations/*",
    "Corral/organizations/jobs/*",
    "Corral/authorization/*",
    "Corral/authorization/roleAssignments/*",
    "Corral/authorization/roleDefinitions/write",
    "Corral/organizations/machines/delete",
  ],
  { minLength: 1, maxLength: 3 },
);
const notActions = fc.subarray(["Corral/authorization/*", "*/delete", "Corral/organizations/jobs/write"], {
  maxLength: 2,
});
const scope = fc.constantFrom(...SCOPES);
const slug = fc.constantFrom("role-a", "role-b", "role-c", "role-d");
const roleName = fc.oneof(slug, fc.constantFrom("Owner", "Contributor", "Reader", "Job Submitter"));
const id = fc.constantFrom("one", "two", "three", "given-0", "given-1");
const person = fc.constantFrom(...PEOPLE);

const step = fc.oneof(
  fc.record({ kind: fc.constant("define" as const), slug, actions, notActions, scope }),
  fc.record({ kind: fc.constant("give" as const), id, role: roleName, to: person, scope }),
  fc.record({ kind: fc.constant("take" as const), id }),
  fc.record({ kind: fc.constant("undefine" as const), slug }),
);
type Step = typeof step extends fc.Arbitrary<infer Value> ? Value : never;

/** At least one of them may give roles and define them, and holds something to give. */
const DELEGATION: readonly Step[] = [
  {
    ...{ kind: "define", slug: "role-d", scope: "/orgs/demo", notActions: [] },
    actions: ["Corral/authorization/*", "Corral/organizations/jobs/*", "*/read"],
  },
  ...PEOPLE.slice(0, 2).map((to, at): Step => ({
    kind: "give",
    id: at === 0 ? "given-0" : "given-1",
    role: "role-d",
    to,
    scope: "/orgs/demo",
  })),
];

async function carryOut({ calls, send }: Instance, taken: Step, as?: string): Promise<number | undefined> {
  const by = as === undefined ? {} : { as };
  switch (taken.kind) {
    case "define": {
      const body = {
        ...{ Name: taken.slug, Actions: taken.actions, NotActions: taken.notActions, AssignableScopes: [taken.scope] },
      };
      return (await send(calls.roles.put, { ...by, name: taken.slug, body })).status;
    }
    case "give": {
      const body = { principalId: taken.to, principalType: "User", role: taken.role, scope: taken.scope };
      return (await send(calls.assignments.put, { ...by, name: taken.id, body })).status;
    }
    case "take":
      return (await send(calls.assignments.remove, { ...by, name: taken.id })).status;
    case "undefine":
      return (await send(calls.roles.remove, { ...by, name: taken.slug })).status;
  }
}

/** Everything that the people together may do, each right with the scope at which they have it. */
async function rightsOf({ directory, guard, scopes }: Instance): Promise<Set<string>> {
  directory.forget("demo");
  const rights = new Set<string>();
  for (const text of SCOPES) {
    const resolved = await scopes.resolve(text);
    if (!resolved.ok) throw new Error(resolved.message);
    const grants = await guard.grantsAt(resolved.value);
    for (const operation of PROBES) {
      const question = { principalIds: new Set(PEOPLE), operation, scopes: resolved.value.around };
      if (decideAccess(grants, question).allowed) rights.add(`${operation} at ${text}`);
    }
  }
  return rights;
}

it("lets no sequence of allowed calls raise what people may do together beyond what an Owner gave them (I7, T9)", async () => {
  let allowedCalls = 0;
  await fc.assert(
    fc.asyncProperty(
      fc.array(step, { minLength: 3, maxLength: 8 }),
      fc.array(fc.tuple(person, step), { minLength: 5, maxLength: 14 }),
      async (byOwner, byPeople) => {
        const app = instance();
        for (const { id: known } of await app.assignments.listOf("demo")) await app.assignments.remove("demo", known);
        for (const { slug: known } of await app.definitions.listOf("demo")) await app.definitions.remove("demo", known);
        for (const taken of [...byOwner, ...DELEGATION]) await carryOut(app, taken);
        const before = await rightsOf(app);
        for (const [as, taken] of byPeople) {
          const status = await carryOut(app, taken, as);
          if (status === 200 || status === 201) allowedCalls += 1;
        }
        const gained = [...(await rightsOf(app))].filter((right) => !before.has(right));
        expect(gained).toEqual([]);
      },
    ),
    { numRuns: 40, seed: 20_261_125 },
  );

  // Otherwise nothing was put to the test.
  expect(allowedCalls).toBeGreaterThan(20);
}, 120_000);
