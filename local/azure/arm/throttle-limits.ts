import type { Limit } from "./token-buckets";

const perMinute = (name: string, refill: number, capacity: number): Limit => ({
  name,
  capacity,
  perSecond: refill / 60,
});

const perSecond = (name: string, refill: number, capacity: number): Limit => ({ name, capacity, perSecond: refill });

export type RequestKind = "read" | "write" | "delete";

/** Per principal, subscription (or tenant) and region: https://learn.microsoft.com/azure/azure-resource-manager/management/request-limits-and-throttling */
export const ARM_LIMITS: Readonly<Record<RequestKind, Limit>> = {
  read: perSecond("reads", 25, 250),
  write: perSecond("writes", 10, 200),
  delete: perSecond("deletes", 10, 200),
};

/** Over all principals of a subscription: fifteen times as many. */
export const GLOBAL_LIMITS: Readonly<Record<RequestKind, Limit>> = {
  read: perSecond("global-reads", 15 * 25, 15 * 250),
  write: perSecond("global-writes", 15 * 10, 15 * 200),
  delete: perSecond("global-deletes", 15 * 10, 15 * 200),
};

export function requestKind(method: string): RequestKind {
  if (method === "GET" || method === "HEAD") return "read";
  return method === "DELETE" ? "delete" : "write";
}

export interface ComputePolicy {
  readonly group: string;
  /** Lists have none. */
  readonly perResource: Limit | undefined;
  readonly perSubscription: Limit;
}

/** https://learn.microsoft.com/azure/virtual-machines/compute-throttling-limits: per VM, and per subscription in a region. */
const policy = (
  group: string,
  perResource: readonly [refill: number, capacity: number] | undefined,
  [allRefill, allCapacity]: readonly [number, number],
): ComputePolicy => ({
  group,
  perResource: perResource && perMinute(`${group}Resource`, ...perResource),
  perSubscription: perMinute(`${group}SubscriptionMaximum`, allRefill, allCapacity),
});

const PUT_VM = policy("PutVM", [4, 12], [500, 1500]);
const UPDATE_VM = policy("UpdateVM", [4, 12], [500, 1500]);
const DELETE_VM = policy("DeleteVM", [4, 12], [500, 1500]);
const LOW_COST_GET = policy("LowCostGet", [12, 36], [8000, 24_000]);
const HIGH_COST_GET = policy("HighCostGet", undefined, [300, 900]);
const GET_OPERATION = policy("GetOperation", [15, 45], [5000, 15_000]);

const VM = "microsoft.compute/virtualmachines";
const POLICIES: Readonly<Record<string, ComputePolicy>> = {
  [`put ${VM}`]: PUT_VM,
  [`patch ${VM}`]: PUT_VM,
  [`delete ${VM}`]: DELETE_VM,
  [`post ${VM}/deallocate`]: DELETE_VM,
  [`post ${VM}/simulateeviction`]: DELETE_VM,
  [`post ${VM}/start`]: UPDATE_VM,
  [`post ${VM}/poweroff`]: UPDATE_VM,
  [`post ${VM}/restart`]: UPDATE_VM,
  [`post ${VM}/redeploy`]: UPDATE_VM,
  [`post ${VM}/runcommand`]: UPDATE_VM,
  [`get ${VM}/instanceview`]: LOW_COST_GET,
};

/** Compute's limit for a call, if it is one of Compute's. `label` is method and type; operations of every provider have one. */
export function computePolicyOf(
  label: string,
  { isItem, provider }: { readonly isItem: boolean; readonly provider: string },
): ComputePolicy | undefined {
  const key = label.toLowerCase();
  if (key === "get operations") return provider.toLowerCase() === "microsoft.compute" ? GET_OPERATION : undefined;
  if (key === `get ${VM}`) return isItem ? LOW_COST_GET : HIGH_COST_GET;
  return POLICIES[key];
}
