import type { WireReply } from "../azure/http/wire";

interface VaultErrorBody {
  readonly code: string;
  readonly message: string;
  /** The reason in one word, which Azure gives in `innererror`. */
  readonly reason?: string;
}

/** A refusal in Key Vault's words: `{"error":{"code","message","innererror":{"code"}}}`. */
export class VaultError extends Error {
  override readonly name = "VaultError";

  constructor(
    readonly status: number,
    private readonly body: VaultErrorBody,
    private readonly headers: Readonly<Record<string, string>> = {},
  ) {
    super(body.message);
  }

  toReply(): WireReply {
    const { code, message, reason } = this.body;
    const inner = reason === undefined ? {} : { innererror: { code: reason } };
    return { status: this.status, headers: this.headers, body: { error: { code, message, ...inner } } };
  }
}

/** Each error of Key Vault once, with status, code and sentence. */

export const badParameter = (message: string): VaultError => new VaultError(400, { code: "BadParameter", message });

export const missingApiVersion = (): VaultError =>
  new VaultError(400, { code: "BadParameter", message: "api-version must be specified" });

export const unsupportedApiVersion = (given: string): VaultError =>
  badParameter(`The specified version (${given}) is not recognized. Consider using the latest supported version.`);

export const methodNotAllowed = (method: string): VaultError =>
  new VaultError(405, { code: "MethodNotAllowed", message: `Method ${method} is not allowed on this path.` });

export const pathNotFound = (): VaultError =>
  new VaultError(404, { code: "NotFound", message: "The requested path is no path of Key Vault." });

export const unauthorized = (message: string, challenge: string): VaultError =>
  new VaultError(401, { code: "Unauthorized", message }, { "WWW-Authenticate": challenge });

export const forbidden = (message: string, reason: string): VaultError =>
  new VaultError(403, { code: "Forbidden", message, reason });

export type ObjectKind = "secret" | "key";

const capital = (kind: ObjectKind): string => (kind === "secret" ? "Secret" : "Key");

export const objectNotFound = (kind: ObjectKind, nameAndVersion: string): VaultError =>
  new VaultError(404, {
    code: `${capital(kind)}NotFound`,
    message: `A ${kind} with (name/id) ${nameAndVersion} was not found in this key vault. If you recently deleted this ${kind} you may be able to recover it using the correct recovery command. For help resolving this issue, please see https://go.microsoft.com/fwlink/?linkid=2125182`,
  });

export const deletedNotFound = (kind: ObjectKind, name: string): VaultError =>
  new VaultError(404, { code: `${capital(kind)}NotFound`, message: `Deleted ${capital(kind)} not found: ${name}` });

export const nameIsDeleted = (kind: ObjectKind, name: string): VaultError =>
  new VaultError(409, {
    code: "Conflict",
    message: `${capital(kind)} ${name} is currently in a deleted but recoverable state, and its name cannot be reused; in this state, the ${kind} can only be recovered or purged.`,
    reason: "ObjectIsDeletedButRecoverable",
  });

export const nameIsTaken = (kind: ObjectKind, name: string): VaultError =>
  new VaultError(409, {
    code: "Conflict",
    message: `The ${kind} '${name}' already exists in this key vault, so that no backup can be restored under its name.`,
  });

export const objectDisabled = (kind: ObjectKind, operation: string): VaultError =>
  forbidden(`Operation ${operation} is not allowed on a disabled ${kind}.`, `${capital(kind)}Disabled`);

export const keyExpired = (operation: string): VaultError =>
  forbidden(`Operation ${operation} is not allowed on an expired key.`, "KeyExpired");

export const keyNotYetValid = (operation: string): VaultError =>
  forbidden(`Operation ${operation} is not allowed on a key that is not yet valid.`, "KeyNotYetValid");

/** https://github.com/Azure/azure-sdk-for-net/issues/11518 shows it as Azure sends it. */
export const operationNotPermitted = (operation: string): VaultError =>
  forbidden(`Operation ${operation} is not permitted on this key.`, "KeyOperationForbidden");

/** As Azure writes it: https://github.com/Azure/azure-rest-api-specs/issues/9222 */
export const purgeProtected = (caller: string, vault: { name: string; location: string }): VaultError =>
  new VaultError(403, {
    code: "Forbidden",
    message: `Operation is not allowed.\r\nOperation: "purge"\r\nCaller: ${caller}\r\nVault: ${vault.name};location=${vault.location}`,
    reason: "ForbiddenByPolicy",
  });

/** https://github.com/vcsjones/AzureSignTool/issues/219 shows it as Azure sends it. */
export const throttled = (retryAfterSeconds: number): VaultError =>
  new VaultError(
    429,
    {
      code: "Throttled",
      message:
        "Request was not processed because too many requests were received. Reason: VaultRequestTypeLimitReached",
    },
    { "Retry-After": String(retryAfterSeconds) },
  );
