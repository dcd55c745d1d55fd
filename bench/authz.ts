import { type Assignment, decideAccess } from "../src/domain/access/evaluator";
import { OPERATION_NAMES } from "../src/domain/access/operations";
import { BUILT_IN_ROLES, type Role } from "../src/domain/access/role";
import { scopesAround } from "../src/domain/access/scope";
import type { BenchReport } from "./report";

const ASSIGNMENTS = 1_000;
const CUSTOM_ROLES = 50;
const DECISIONS = 20_000;
const SUBSCRIPTION = "00000000-0000-4000-8000-000000000000";

/** Roles of many patterns, so that the one that decides is found late. */
function customRole(index: number): Role {
  const actions = Array.from({ length: 20 }, (_, at) => `Corral/nothing${index}/*/part${at}/*`);
  return { key: `custom-${index}`, actions, notActions: ["Corral/*/delete"] };
}

/** One decision among many assignments, half of them to the caller: what each call of the API takes once the rows are in memory. */
export function benchAuthz(log: (line: string) => void): Promise<BenchReport> {
  const scopes = scopesAround({ prefix: "corral", org: "acme", subscriptionId: SUBSCRIPTION });
  const custom = Array.from({ length: CUSTOM_ROLES }, (_, index) => customRole(index));
  const roles = new Map([...BUILT_IN_ROLES, ...custom].map((role) => [role.key, role]));
  const assignments: Assignment[] = Array.from({ length: ASSIGNMENTS - 1 }, (_, index) => ({
    id: `a${index}`,
    principalId: index % 2 === 0 ? "caller" : `other-${index}`,
    role: `custom-${index % CUSTOM_ROLES}`,
    scope: scopes[index % scopes.length] ?? "/",
  }));
  // The last one decides: the worst case of a right that is there. A refusal looks at all as well.
  assignments.push({ id: "last", principalId: "caller", role: "Reader", scope: "/" });
  const principalIds = new Set(["caller"]);
  const decide = (count: number): number => {
    let allowed = 0;
    for (let index = 0; index < count; index += 1) {
      const operation = OPERATION_NAMES[index % OPERATION_NAMES.length] ?? "";
      if (decideAccess({ assignments, roles }, { principalIds, operation, scopes }).allowed) allowed += 1;
    }
    return allowed;
  };
  log("warming up");
  decide(500);
  log(`${DECISIONS} decisions at ${ASSIGNMENTS} assignments and ${roles.size} roles`);
  const startedAt = performance.now();
  const allowed = decide(DECISIONS);
  const decisionMs = (performance.now() - startedAt) / DECISIONS;
  const notes = [`${allowed} of ${DECISIONS} were allowed; the assignment that allows is the last of ${ASSIGNMENTS}`];
  return Promise.resolve({ result: { decisionMs: Number(decisionMs.toFixed(4)) }, notes });
}
