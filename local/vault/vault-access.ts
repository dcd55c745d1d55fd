import { forbidden } from "./vault-error";
import { callerText, type VaultCaller, type VaultFacts } from "./vault-request";
import type { VaultRoute } from "./vault-routes";

export interface DataQuestion {
  readonly principalId: string;
  readonly action: string;
  readonly scope: string;
}

/** Lets a caller pass by its roles or by the vault's access policies, whichever the vault uses; the other kind does not count. */
export function authorizeVaultCall(
  vault: VaultFacts,
  caller: VaultCaller,
  { route, allows }: { route: VaultRoute; allows: (question: DataQuestion) => boolean },
): void {
  if (!vault.usesRoles) {
    authorizeByPolicy(vault, caller, route);
    return;
  }
  const scope = route.name === "" ? vault.resourceId : `${vault.resourceId}/${route.kind}s/${route.name}`;
  const { objectId: principalId } = caller;
  if (route.actions.some((action) => allows({ principalId, action, scope }))) return;
  throw forbidden(rbacMessage(vault, caller, { action: route.actions[0] ?? "", scope }), "ForbiddenByRbac");
}

/** As Azure writes it: https://github.com/hashicorp/terraform-provider-azurerm/issues/27817 */
function rbacMessage(vault: VaultFacts, caller: VaultCaller, { action, scope }: { action: string; scope: string }) {
  const resource = scope
    .replace(/\/resourceGroups\//i, "/resourcegroups/")
    .replace(/Microsoft\.KeyVault/i, "microsoft.keyvault");
  return [
    "Caller is not authorized to perform action on resource.",
    "If role assignments, deny assignments or role definitions were changed recently, please observe propagation time.",
    `Caller: ${callerText(caller)}`,
    `Action: '${action}'`,
    `Resource: '${resource}'`,
    "Assignment: (not found)",
    "DenyAssignmentId: null",
    "DecisionReason: null ",
    `Vault: ${vault.name};location=${vault.location}`,
    "",
  ].join("\r\n");
}

function authorizeByPolicy(vault: VaultFacts, caller: VaultCaller, { kind, permission }: VaultRoute): void {
  const granted = vault.accessPolicies
    .filter(({ objectId }) => objectId.toLowerCase() === caller.objectId.toLowerCase())
    .flatMap(({ permissions }) => (kind === "secret" ? permissions.secrets : permissions.keys) ?? [])
    .map((word) => word.toLowerCase());
  // `all` grants everything but the purge.
  if (granted.includes(permission.toLowerCase()) || (granted.includes("all") && permission !== "purge")) return;
  throw forbidden(
    `The user, group or application '${callerText(caller)}' does not have ${kind}s ${permission} permission on key vault '${vault.name};location=${vault.location}'. For help resolving this issue, please see https://go.microsoft.com/fwlink/?linkid=2125287`,
    "ForbiddenByPolicy",
  );
}
