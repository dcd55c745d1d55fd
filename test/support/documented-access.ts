import { readFileSync } from "node:fs";
import { join } from "node:path";

/** A role of a document, and whether a principal that holds these roles may do something. */
export interface AccessCase {
  readonly roles: readonly { readonly Actions: readonly string[]; readonly NotActions: readonly string[] }[];
  readonly operation: string;
  readonly allowed: boolean;
  readonly source: string;
}

const role = (Actions: readonly string[], NotActions: readonly string[] = []) => ({ Actions, NotActions });

const UNDERSTAND = "docs: Understand Azure role definitions";
const owner = role(["*"]);
const contributor = role(
  ["*"],
  [
    "Microsoft.Authorization/*/Delete",
    "Microsoft.Authorization/*/Write",
    "Microsoft.Authorization/elevateAccess/Action",
    "Microsoft.Blueprint/blueprintAssignments/write",
    "Microsoft.Blueprint/blueprintAssignments/delete",
    "Microsoft.Compute/galleries/share/action",
  ],
);
const reader = role(["*/read"]);
const userAccess = role(["*/read", "Microsoft.Authorization/*", "Microsoft.Support/*"]);
const exportsRole = role(["Microsoft.CostManagement/exports/*"]);
const exportsWithoutDelete = role(["Microsoft.CostManagement/exports/*"], ["Microsoft.CostManagement/exports/delete"]);

/** The role of the document "Role-based access control", as it stands there. */
export const dataScientist = JSON.parse(
  readFileSync(join(process.cwd(), "test", "support", "data-scientist-role.json"), "utf8"),
) as { Name: string; Description: string; Actions: string[]; NotActions: string[]; AssignableScopes: string[] };

const ML = "Microsoft.MachineLearningServices/workspaces";
const wide = "docs: Azure Machine Learning, Role-based access control, Data Scientist Custom";

const of = (source: string, roles: AccessCase["roles"], cases: readonly (readonly [string, boolean])[]): AccessCase[] =>
  cases.map(([operation, allowed]) => ({ source, roles, operation, allowed }));

export const DOCUMENTED_CASES: readonly AccessCase[] = [
  ...of(
    UNDERSTAND,
    [exportsRole],
    [
      ["Microsoft.CostManagement/exports/action", true],
      ["Microsoft.CostManagement/exports/read", true],
      ["Microsoft.CostManagement/exports/write", true],
      ["Microsoft.CostManagement/exports/delete", true],
      ["Microsoft.CostManagement/exports/run/action", true],
      ["Microsoft.CostManagement/query/action", false],
      ["Microsoft.CostManagement/exports", false],
    ],
  ),
  ...of(
    UNDERSTAND,
    [exportsWithoutDelete],
    [
      ["Microsoft.CostManagement/exports/run/action", true],
      ["Microsoft.CostManagement/exports/delete", false],
    ],
  ),
  // "If a user is assigned a role that excludes an action in NotActions, and is assigned a second role that grants the same action."
  ...of(UNDERSTAND, [exportsWithoutDelete, exportsRole], [["Microsoft.CostManagement/exports/delete", true]]),
  ...of(
    UNDERSTAND,
    [contributor],
    [
      ["Microsoft.Compute/virtualMachines/write", true],
      ["Microsoft.Authorization/roleAssignments/read", true],
      ["Microsoft.Authorization/roleAssignments/write", false],
      ["microsoft.authorization/ROLEDEFINITIONS/delete", false],
      ["Microsoft.Authorization/elevateAccess/action", false],
      ["Microsoft.Compute/galleries/share/action", false],
      ["Microsoft.Compute/galleries/read", true],
    ],
  ),
  ...of(
    UNDERSTAND,
    [contributor, userAccess],
    [
      ["Microsoft.Authorization/roleAssignments/write", true],
      ["Microsoft.Compute/galleries/share/action", false],
    ],
  ),
  ...of(
    UNDERSTAND,
    [reader],
    [
      ["Microsoft.Compute/virtualMachines/read", true],
      ["Microsoft.Compute/virtualMachines/instanceView/read", true],
      ["Microsoft.Compute/virtualMachines/READ", true],
      ["Microsoft.Storage/storageAccounts/listKeys/action", false],
      ["Microsoft.Compute/virtualMachines/write", false],
    ],
  ),
  ...of(UNDERSTAND, [owner], [["Microsoft.Authorization/roleAssignments/write", true]]),
  ...of(
    wide,
    [dataScientist],
    [
      [`${ML}/experiments/runs/write`, true],
      [`${ML}/experiments/runs/read`, true],
      [`${ML}/jobs/cancel/action`, true],
      [`${ML}/datastores/delete`, true],
      [`${ML}/read`, false],
      [`${ML}/write`, false],
      // Its Actions have `workspaces/*/delete`, which does not match this one to begin with.
      [`${ML}/delete`, false],
      // `computes/*/delete` names what lies below a compute: the compute itself stays within its Actions.
      [`${ML}/computes/delete`, true],
      [`${ML}/computes/nodes/delete`, false],
      [`${ML}/computes/nodes/write`, false],
      [`${ML}/computes/listKeys/action`, false],
      [`${ML}/listKeys/action`, false],
      [`${ML}/services/aks/write`, false],
      [`${ML}/services/aci/write`, true],
      [`${ML}/endpoints/pipelines/write`, false],
      ["Microsoft.Authorization/roleAssignments/read", false],
    ],
  ),
];
