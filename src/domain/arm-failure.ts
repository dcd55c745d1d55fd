/** Why Azure refused or failed to create a VM, by what the scheduler does about it. */
export type CreateFailureKind = "quota" | "capacity" | "throttled" | "denied" | "invalid" | "unknown";

export interface CreateFailure {
  readonly kind: CreateFailureKind;
  readonly code: string;
  readonly message: string;
  /** How long the offering is not to be tried again. */
  readonly blockSeconds: number;
}

const BLOCK_SECONDS: Readonly<Record<CreateFailureKind, number>> = {
  quota: 60,
  capacity: 300,
  throttled: 30,
  denied: 300,
  invalid: 3600,
  unknown: 60,
};

const CAPACITY_CODES = new Set([
  "SkuNotAvailable",
  "AllocationFailed",
  "ZonalAllocationFailed",
  "OverconstrainedAllocationRequest",
  "OverconstrainedZonalAllocationRequest",
  "OperationPreempted",
]);
const DENIED_CODES = new Set([
  "AuthorizationFailed",
  "LinkedAuthorizationFailed",
  "RequestDisallowedByPolicy",
  "ReadOnlyDisabledSubscription",
  "ScopeLocked",
  "ResourceGroupNotFound",
]);

/** Quota has no code of its own: Azure says OperationNotAllowed and names the quota in the sentence. */
function kindOf(status: number, code: string, message: string): CreateFailureKind {
  if (code === "QuotaExceeded" || /exceeding approved .* quota/i.test(message)) return "quota";
  if (CAPACITY_CODES.has(code)) return "capacity";
  if (status === 429 || code === "TooManyRequests") return "throttled";
  if (DENIED_CODES.has(code) || status === 403) return "denied";
  if (status === 400 || status === 404) return "invalid";
  return "unknown";
}

export function classifyCreateFailure(status: number, code: string, message: string): CreateFailure {
  const kind = kindOf(status, code, message);
  return { kind, code, message, blockSeconds: BLOCK_SECONDS[kind] };
}
