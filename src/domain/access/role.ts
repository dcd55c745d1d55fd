import { OPERATION_NAMES } from "./operations";

/**
 * A role as the evaluator needs it. DataActions are kept for those who read the role elsewhere, and permit nothing in Corral:
 * it has no data plane of its own.
 */
export interface Role {
  /** Name of a built-in role, or slug of a custom one: what an assignment refers to. */
  readonly key: string;
  readonly actions: readonly string[];
  readonly notActions: readonly string[];
}

/** The roles that every deployment has (contract 8). */
export const BUILT_IN_ROLES: readonly (Role & { readonly description: string })[] = [
  {
    key: "Owner",
    description: "Everything, the giving of roles included.",
    actions: ["*"],
    notActions: [],
  },
  {
    key: "Contributor",
    description:
      "Everything but giving roles, removing an organization or its estate, and overriding the clean-up's brake.",
    actions: ["*"],
    notActions: [
      "Corral/authorization/*/write",
      "Corral/authorization/*/delete",
      "Corral/organizations/delete",
      "Corral/organizations/estate/delete",
      "Corral/organizations/cleanup/override/action",
    ],
  },
  {
    key: "Reader",
    description: "Sees everything, that a credential exists included; never a credential's value.",
    actions: ["*/read"],
    notActions: [],
  },
  {
    key: "Job Submitter",
    description: "Runs jobs and sees what they cost and where they run.",
    actions: [
      "Corral/organizations/jobs/*",
      "Corral/organizations/machines/read",
      "Corral/organizations/capacity/read",
      "Corral/costs/read",
    ],
    notActions: [],
  },
  {
    key: "Fleet Operator",
    description: "Looks after machines and the clean-up, within its brake.",
    actions: ["Corral/organizations/machines/*", "Corral/organizations/cleanup/*", "*/read"],
    notActions: ["Corral/organizations/cleanup/override/action"],
  },
];

/**
 * `*` stands for any characters, slashes too, anywhere in the pattern; case does not count
 * (Azure's documents: "Understand Azure role definitions", wildcard permissions).
 */
export function matchesOperation(pattern: string, operation: string): boolean {
  const text = operation.toLowerCase();
  const [first = "", ...rest] = pattern.toLowerCase().split("*");
  if (rest.length === 0) return text === first;
  const last = rest.pop() ?? "";
  if (text.length < first.length + last.length || !text.startsWith(first) || !text.endsWith(last)) return false;
  // Each part between two wildcards is taken where it comes first: later wildcards then have the most left to match.
  let from = first.length;
  for (const part of rest) {
    const found = text.indexOf(part, from);
    if (found < 0 || found + part.length > text.length - last.length) return false;
    from = found + part.length;
  }
  return true;
}

/** The pattern by which a role permits an operation. NotActions are taken away from this role's Actions and say nothing of other roles. */
export function permittingPattern(role: Role, operation: string): string | undefined {
  const pattern = role.actions.find((action) => matchesOperation(action, operation));
  if (pattern === undefined || role.notActions.some((excluded) => matchesOperation(excluded, operation)))
    return undefined;
  return pattern;
}

export const permits = (role: Role, operation: string): boolean => permittingPattern(role, operation) !== undefined;

/** Stands where a wildcard is, for operations that Corral does not have yet. */
const NOT_YET = "zz-not-yet";

/**
 * Names that tell two roles apart: all operations of today, and one invented for each wildcard, as a role with a wildcard also
 * permits what later versions bring.
 */
export function probesOf(role: Role): readonly string[] {
  const invented = role.actions
    .filter((action) => action.includes("*"))
    .map((action) => action.replaceAll("*", NOT_YET));
  return [...OPERATION_NAMES, ...invented].filter((name) => permits(role, name));
}
