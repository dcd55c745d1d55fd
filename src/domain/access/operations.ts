/**
 * Every operation of Corral that a role may permit (contract 8), with what it lets one do. `docs/operations.md` is made from this list.
 * Names are stored in roles that customers write: none is ever renamed.
 */
export const OPERATIONS = {
  "Corral/organizations/read": "see an organization, its settings and its state",
  "Corral/organizations/write": "register an organization and change its settings",
  "Corral/organizations/delete": "remove an organization whose estate is revoked",
  "Corral/organizations/estate/read": "see an estate, its drift, its template and its operations",
  "Corral/organizations/estate/write": "provision and repair an estate, confirm one that was laid down by its owner",
  "Corral/organizations/estate/delete": "revoke an estate",
  "Corral/organizations/estate/plan/action": "see what provisioning would do",
  "Corral/organizations/keys/read": "see the sealed key and its public half",
  "Corral/organizations/keys/write": "store and rotate the sealed key",
  "Corral/organizations/jobs/read": "see jobs, the reasons for what became of them, and the ledger",
  "Corral/organizations/jobs/write": "submit jobs",
  "Corral/organizations/jobs/cancel/action": "cancel jobs",
  "Corral/organizations/machines/read": "see machines and the reasons for what became of them",
  "Corral/organizations/machines/delete": "delete a machine",
  "Corral/organizations/machines/hold/action": "keep a machine from the clean-up, and release it",
  "Corral/organizations/cleanup/plan/action": "see what the next clean-up would do",
  "Corral/organizations/cleanup/run/action": "start a clean-up",
  "Corral/organizations/cleanup/freeze/action": "stop clean-ups, and let them go on",
  "Corral/organizations/cleanup/override/action": "let a clean-up exceed its brake",
  "Corral/organizations/capacity/read": "see quota and remembered capacity",
  "Corral/organizations/volumes/read": "see data volumes",
  "Corral/organizations/volumes/write": "create data volumes",
  "Corral/organizations/volumes/delete": "delete data volumes",
  "Corral/authorization/roleDefinitions/read": "see roles",
  "Corral/authorization/roleDefinitions/write": "create and change custom roles",
  "Corral/authorization/roleDefinitions/delete": "delete custom roles",
  "Corral/authorization/roleAssignments/read": "see who holds which role, and check what somebody may do",
  "Corral/authorization/roleAssignments/write": "give roles",
  "Corral/authorization/roleAssignments/delete": "take roles away",
  "Corral/audit/read": "read the audit",
  "Corral/costs/read": "see costs",
  "Corral/events/replay/action": "have missed events handled again",
  "Corral/rejected/read": "see messages that could not become jobs",
  "Corral/rejected/resubmit/action": "send such a message again",
} as const;

export type Operation = keyof typeof OPERATIONS;

/** All names, in the order of the table. */
export const OPERATION_NAMES = Object.keys(OPERATIONS) as readonly Operation[];
