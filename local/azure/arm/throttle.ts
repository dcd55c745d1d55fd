import { ArmError } from "./arm-error";
import type { ArmRequest } from "./route";
import { tooManyRequests } from "./arm-errors";

interface Bucket {
  tokens: number;
  updatedAtMs: number;
}

interface Limit {
  readonly name: string;
  readonly capacity: number;
  readonly perSecond: number;
}

const perMinute = (name: string, refill: number, capacity: number): Limit => ({
  name,
  capacity,
  perSecond: refill / 60,
});

/** https://learn.microsoft.com/azure/azure-resource-manager/management/request-limits-and-throttling */
const ARM_LIMITS = {
  reads: { name: "reads", capacity: 250, perSecond: 25 },
  writes: { name: "writes", capacity: 200, perSecond: 10 },
  deletes: { name: "deletes", capacity: 200, perSecond: 10 },
} as const;

/** https://learn.microsoft.com/azure/virtual-machines/compute-throttling-limits: per VM, and per subscription in a region. */
const COMPUTE_LIMITS: Readonly<Record<string, readonly [Limit | undefined, Limit]>> = {
  PutVM: [perMinute("PutVMResource", 4, 12), perMinute("PutVMSubscriptionMaximum", 500, 1500)],
  UpdateVM: [perMinute("UpdateVMResource", 4, 12), perMinute("UpdateVMSubscriptionMaximum", 500, 1500)],
  DeleteVM: [perMinute("DeleteVMResource", 4, 12), perMinute("DeleteVMSubscriptionMaximum", 500, 1500)],
  LowCostGet: [perMinute("LowCostGetResource", 12, 36), perMinute("LowCostGetSubscriptionMaximum", 8000, 24_000)],
  HighCostGet: [undefined, perMinute("HighCostGetSubscriptionMaximum", 300, 900)],
  GetOperation: [perMinute("GetOperationResource", 15, 45), perMinute("GetOperationSubscriptionMaximum", 5000, 15_000)],
};

const VM = "microsoft.compute/virtualmachines";
const POLICIES: Readonly<Record<string, string>> = {
  [`PUT ${VM}`]: "PutVM",
  [`PATCH ${VM}`]: "PutVM",
  [`DELETE ${VM}`]: "DeleteVM",
  [`POST ${VM}/deallocate`]: "DeleteVM",
  [`POST ${VM}/simulateeviction`]: "DeleteVM",
  [`POST ${VM}/start`]: "UpdateVM",
  [`POST ${VM}/poweroff`]: "UpdateVM",
  [`POST ${VM}/restart`]: "UpdateVM",
  [`GET ${VM}/instanceview`]: "LowCostGet",
};

export interface ThrottleOptions {
  readonly speed: number;
  /** Without it the headers are sent all the same, and nothing is refused. */
  readonly isEnforced: boolean;
}

/** The token buckets of ARM and of the Compute provider. They fill faster on a stack that runs faster. */
export class Throttle {
  private readonly buckets = new Map<string, Bucket>();

  constructor(private readonly options: ThrottleOptions) {}

  /** Takes one token from each bucket that a request falls into; the answer is the headers that say what is left. */
  take({ method, path, caller, label }: ArmRequest, resourceId: string): Record<string, string> {
    const kind = armKind(method);
    const subscription = path.subscriptionId ?? "tenant";
    const left = this.takeOne(`${subscription} ${caller.objectId} ${kind}`, ARM_LIMITS[kind]);
    const headers: Record<string, string> = { [`x-ms-ratelimit-remaining-subscription-${kind}`]: String(left) };
    const policy = policyOf(label, path.isItem);
    if (!policy) return headers;
    const [perResource, perSubscription] = COMPUTE_LIMITS[policy] ?? [];
    const remaining = [
      perResource && ([perResource, `${resourceId} ${policy}`] as const),
      perSubscription && ([perSubscription, `${subscription} ${policy}`] as const),
    ].flatMap((entry) =>
      entry ? [`Microsoft.Compute/${entry[0].name};${this.takeOne(entry[1].toLowerCase(), entry[0])}`] : [],
    );
    return { ...headers, "x-ms-ratelimit-remaining-resource": remaining.join(","), "x-ms-request-charge": "1" };
  }

  private takeOne(key: string, limit: Limit): number {
    const now = Date.now();
    const perMs = (limit.perSecond * this.options.speed) / 1000;
    const bucket = this.buckets.get(key) ?? { tokens: limit.capacity, updatedAtMs: now };
    const tokens = Math.min(limit.capacity, bucket.tokens + (now - bucket.updatedAtMs) * perMs);
    const isRefused = this.options.isEnforced && tokens < 1;
    const left = isRefused ? tokens : Math.max(0, tokens - 1);
    this.buckets.set(key, { tokens: left, updatedAtMs: now });
    if (isRefused) throw refusal(limit, Math.max(1, Math.ceil((1 - tokens) / perMs / 1000)));
    return Math.floor(left);
  }
}

function armKind(method: string): keyof typeof ARM_LIMITS {
  if (method === "GET" || method === "HEAD") return "reads";
  return method === "DELETE" ? "deletes" : "writes";
}

function policyOf(label: string, isItem: boolean): string | undefined {
  const key = label.toLowerCase();
  if (key === "get operations") return "GetOperation";
  if (key === `get ${VM}`) return isItem ? "LowCostGet" : "HighCostGet";
  return POLICIES[`${label.split(" ")[0] ?? ""} ${key.split(" ")[1] ?? ""}`];
}

function refusal(limit: Limit, retryAfterSeconds: number): ArmError {
  if (limit.name in ARM_LIMITS) return tooManyRequests(limit.name, retryAfterSeconds);
  const group = limit.name.replace(/(Resource|SubscriptionMaximum)$/, "");
  const measured = {
    operationGroup: group,
    allowedRequestCount: limit.capacity,
    measuredRequestCount: limit.capacity + 1,
  };
  return new ArmError(
    429,
    {
      code: "OperationNotAllowed",
      message: "The server rejected the request because too many requests have been received for this subscription.",
    },
    {
      headers: { "Retry-After": String(retryAfterSeconds) },
      details: [{ code: "TooManyRequests", target: group, message: JSON.stringify(measured) }],
    },
  );
}
