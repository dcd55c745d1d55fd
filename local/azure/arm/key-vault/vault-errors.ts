import { ArmError } from "../arm-error";

/** The refusals of Microsoft.KeyVault's control plane, each once. */

export const badVaultRequest = (message: string): ArmError => new ArmError(400, { code: "BadRequest", message });

export const invalidVaultName = (name: string): ArmError =>
  new ArmError(400, {
    code: "VaultNameNotValid",
    message: `The vault name '${name}' is invalid. ${VAULT_NAME_RULE}`,
  });

export const VAULT_NAME_RULE =
  "A vault's name must be between 3-24 alphanumeric characters. The name must begin with a letter, end with a letter or digit, and not contain consecutive hyphens. Follow this link for more information: https://go.microsoft.com/fwlink/?linkid=2147742";

export const vaultNameTaken = (name: string): ArmError =>
  new ArmError(409, {
    code: "VaultAlreadyExists",
    message: `${vaultNameTakenMessage(name)} Vault names are globaly unique so it is possible that the name is already taken. If you are sure that the vault name was not taken then it is possible that a vault with the same name was recently deleted but not purged after being placed in a recoverable state. If the vault is in a recoverable state then the vault will need to be purged before reusing the name. For more information on soft delete and purging a vault follow this link https://go.microsoft.com/fwlink/?linkid=2147740.`,
  });

export const vaultNameTakenMessage = (name: string): string => `The vault name '${name}' is already in use.`;

export const vaultIsDeleted = (): ArmError =>
  new ArmError(409, {
    code: "ConflictError",
    message:
      "A vault with the same name already exists in deleted state. You need to either recover or purge existing key vault. Follow this link https://go.microsoft.com/fwlink/?linkid=2149745 for more information on soft delete.",
  });

export const noDeletedVault = (): ArmError =>
  new ArmError(404, {
    code: "SoftDeletedVaultDoesNotExist",
    message:
      "A soft deleted vault with the given name does not exist. Ensure that the name for the vault that is being attempted to recover is in a recoverable state. For more information on soft delete please follow this link https://go.microsoft.com/fwlink/?linkid=2149745",
  });

export const deletedVaultNotFound = (name: string): ArmError =>
  new ArmError(404, { code: "DeletedVaultNotFound", message: `The specified deleted vault '${name}' does not exist.` });

export const purgeNotAllowed = (): ArmError =>
  new ArmError(400, { code: "MethodNotAllowed", message: "Operation 'DeletedVaultPurge' is not allowed." });

export const vaultObjectNotFound = (kind: "Secret" | "Key", name: string): ArmError =>
  new ArmError(404, {
    code: `${kind}NotFound`,
    message: `A ${kind.toLowerCase()} with (name/id) ${name} was not found in this key vault.`,
  });
