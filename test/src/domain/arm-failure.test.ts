import { classifyCreateFailure, type CreateFailureKind } from "../../../src/domain/arm-failure";

const quotaSentence = (row: string): string =>
  `Operation could not be completed as it results in exceeding approved ${row} quota. Additional details - Deployment Model: Resource Manager, Location: westus3, Current Limit: 100, Current Usage: 96, Additional Required: 64, (Minimum) New Limit Required: 160.`;

it.each<[CreateFailureKind, number, string, string]>([
  ["quota", 409, "OperationNotAllowed", quotaSentence("standardNCADSA100v4Family Cores")],
  ["quota", 409, "OperationNotAllowed", quotaSentence("Total Regional Cores")],
  ["quota", 403, "OperationNotAllowed", quotaSentence("LowPriorityCores")],
  ["quota", 409, "QuotaExceeded", ""],
  [
    "capacity",
    409,
    "SkuNotAvailable",
    "The requested VM size for resource 'Following SKUs have failed for Capacity Restrictions: Standard_NC4as_T4_v3' is currently not available in location 'westus3'.",
  ],
  [
    "capacity",
    200,
    "AllocationFailed",
    "Allocation failed. We do not have sufficient capacity for the requested VM size in this region.",
  ],
  [
    "capacity",
    200,
    "ZonalAllocationFailed",
    "Allocation failed. We do not have sufficient capacity for the requested VM size in this zone.",
  ],
  [
    "capacity",
    200,
    "OverconstrainedAllocationRequest",
    "Allocation failed. VM(s) with the following constraints cannot be allocated",
  ],
  ["capacity", 200, "OverconstrainedZonalAllocationRequest", "Allocation failed."],
  ["capacity", 200, "OperationPreempted", "Operation execution has been preempted by a more recent operation."],
  ["throttled", 429, "TooManyRequests", "The request was throttled."],
  [
    "throttled",
    429,
    "OperationNotAllowed",
    "The server rejected the request because too many requests have been received.",
  ],
  [
    "denied",
    403,
    "AuthorizationFailed",
    "The client does not have authorization to perform action 'Microsoft.Compute/virtualMachines/write'",
  ],
  [
    "denied",
    403,
    "LinkedAuthorizationFailed",
    "it does not have permission to perform action(s) 'Microsoft.Network/virtualNetworks/subnets/join/action'",
  ],
  ["denied", 403, "RequestDisallowedByPolicy", "Resource 'vm' was disallowed by policy."],
  ["denied", 409, "ReadOnlyDisabledSubscription", "The subscription is disabled and therefore marked as read only."],
  ["denied", 409, "ScopeLocked", "The scope cannot perform write operation because following scope(s) are locked"],
  ["denied", 404, "ResourceGroupNotFound", "Resource group 'corral-demo' could not be found."],
  ["denied", 403, "Forbidden", ""],
  ["invalid", 400, "InvalidParameter", "The value of parameter imageReference is invalid."],
  ["invalid", 404, "PlatformImageNotFound", "The platform image is not available."],
  [
    "unknown",
    409,
    "OperationNotAllowed",
    "Operation 'write' is not allowed on VM 'v' since the VM is marked for deletion.",
  ],
  ["unknown", 409, "Conflict", "The request failed due to conflict with a concurrent request."],
])("%s: %i %s %s", (...[kind, status, code, message]) => {
  expect(classifyCreateFailure(status, code, message)).toMatchObject({ kind, code, message });
});

it("blocks an offering longer the less likely it is to work soon", () => {
  const seconds = (status: number, code: string) => classifyCreateFailure(status, code, "").blockSeconds;

  expect(seconds(429, "TooManyRequests")).toBe(30);
  expect(seconds(409, "QuotaExceeded")).toBe(60);
  expect(seconds(409, "SkuNotAvailable")).toBe(300);
  expect(seconds(400, "InvalidParameter")).toBe(3600);
});
