import type { Operation } from "./operations";
import { matchesOperation } from "./role";

/** A role definition as Azure's tools read and write it (`az role definition create`). */
export interface AzureRole {
  readonly Name: string;
  readonly Description?: string | undefined;
  readonly Actions: readonly string[];
  readonly NotActions?: readonly string[] | undefined;
}

export interface ImportedRole {
  readonly Name: string;
  readonly IsCustom: true;
  readonly Description: string;
  readonly Actions: readonly Operation[];
  readonly NotActions: readonly string[];
  readonly AssignableScopes: readonly string[];
}

/** What became of each line of the role, for the person who imports it. */
export interface ImportLine {
  readonly list: "Actions" | "NotActions";
  readonly pattern: string;
  /** Corral's operations that it permits, or takes away. */
  readonly operations: readonly Operation[];
}

export interface RoleImport {
  readonly role: ImportedRole;
  readonly mapping: readonly ImportLine[];
  /** Patterns that stand for nothing Corral has. */
  readonly withoutCounterpart: readonly string[];
}

const ML = "Microsoft.MachineLearningServices/workspaces";

/**
 * Azure Machine Learning's operations beside Corral's. A workspace is an organization, a compute is a machine, a run or job is a job, a
 * datastore is a volume. Corral creates machines itself when jobs need them, so that `computes/write` has no counterpart.
 */
const COUNTERPARTS: readonly (readonly [azure: string, corral: Operation])[] = [
  [`${ML}/read`, "Corral/organizations/read"],
  [`${ML}/write`, "Corral/organizations/write"],
  [`${ML}/delete`, "Corral/organizations/delete"],
  [`${ML}/jobs/read`, "Corral/organizations/jobs/read"],
  [`${ML}/jobs/write`, "Corral/organizations/jobs/write"],
  [`${ML}/jobs/cancel/action`, "Corral/organizations/jobs/cancel/action"],
  [`${ML}/experiments/runs/read`, "Corral/organizations/jobs/read"],
  [`${ML}/experiments/runs/write`, "Corral/organizations/jobs/write"],
  [`${ML}/computes/read`, "Corral/organizations/machines/read"],
  [`${ML}/computes/delete`, "Corral/organizations/machines/delete"],
  [`${ML}/datastores/read`, "Corral/organizations/volumes/read"],
  [`${ML}/datastores/write`, "Corral/organizations/volumes/write"],
  [`${ML}/datastores/delete`, "Corral/organizations/volumes/delete"],
  [`${ML}/quotas/read`, "Corral/organizations/capacity/read"],
  ["Microsoft.Authorization/roleDefinitions/read", "Corral/authorization/roleDefinitions/read"],
  ["Microsoft.Authorization/roleDefinitions/write", "Corral/authorization/roleDefinitions/write"],
  ["Microsoft.Authorization/roleDefinitions/delete", "Corral/authorization/roleDefinitions/delete"],
  ["Microsoft.Authorization/roleAssignments/read", "Corral/authorization/roleAssignments/read"],
  ["Microsoft.Authorization/roleAssignments/write", "Corral/authorization/roleAssignments/write"],
  ["Microsoft.Authorization/roleAssignments/delete", "Corral/authorization/roleAssignments/delete"],
];

/**
 * Corral's counterpart of a role for Azure Machine Learning: the operations one by one, without wildcards, so that it permits nothing
 * that a later version brings. NotActions are read widely: `computes/*` + `/delete` also takes `computes/delete` away, as its author
 * meant, though in Azure a wildcard between two slashes stands for at least an empty name.
 */
export function importRole(azure: AzureRole, scope: string): RoleImport {
  const notActions = azure.NotActions ?? [];
  const excludes = (pattern: string, name: string): boolean =>
    matchesOperation(pattern, name) || matchesOperation(pattern.replaceAll("/*/", "/"), name);
  const permitted = COUNTERPARTS.filter(
    ([name]) =>
      azure.Actions.some((pattern) => matchesOperation(pattern, name)) &&
      !notActions.some((pattern) => excludes(pattern, name)),
  );
  const mapping: ImportLine[] = [
    ...azure.Actions.map((pattern) => lineOf("Actions", pattern, matchesOperation)),
    ...notActions.map((pattern) => lineOf("NotActions", pattern, excludes)),
  ];
  return {
    role: {
      Name: azure.Name,
      IsCustom: true,
      Description: azure.Description ?? "",
      Actions: unique(permitted.map(([, operation]) => operation)),
      NotActions: [],
      AssignableScopes: [scope],
    },
    mapping,
    withoutCounterpart: mapping.filter(({ operations }) => operations.length === 0).map(({ pattern }) => pattern),
  };
}

function lineOf(
  list: ImportLine["list"],
  pattern: string,
  matches: (pattern: string, name: string) => boolean,
): ImportLine {
  const found = COUNTERPARTS.filter(([name]) => matches(pattern, name)).map(([, operation]) => operation);
  return { list, pattern, operations: unique(found) };
}

const unique = <T>(values: readonly T[]): T[] => [...new Set(values)];
