import { ArmError } from "./arm-error";
import type { Caller } from "./resource-events";
import type { ArmRequest } from "./route";
import { ARM_LIMITS, type ComputePolicy, computePolicyOf, GLOBAL_LIMITS, requestKind } from "./throttle-limits";
import { type Draw, type Limit, TokenBuckets, type TokenBucketsOptions } from "./token-buckets";

export interface Place {
  readonly resourceId: string;
  /** ARM counts in each region by itself, Compute too. */
  readonly region: string;
}

type Headers = Record<string, string>;

/** The token buckets of ARM and of the Compute provider. */
export class Throttle {
  private readonly buckets: TokenBuckets;

  constructor(options: TokenBucketsOptions) {
    this.buckets = new TokenBuckets(options);
  }

  /** Takes one token from each bucket that a request falls into; the answer is the headers that say what is left. */
  take(request: ArmRequest, place: Place): Headers {
    const headers = this.takeArm(request, place);
    const policy = computePolicyOf(request.label, {
      isItem: request.path.isItem,
      provider: request.path.type.split("/")[0] ?? "",
    });
    return policy ? this.takeCompute(request, { ...place, policy, headers }) : headers;
  }

  private takeArm({ method, path, caller }: ArmRequest, { region }: Place): Headers {
    const kind = requestKind(method);
    const own = ARM_LIMITS[kind];
    const subscription = path.subscriptionId?.toLowerCase();
    const level = subscription === undefined ? "tenant" : "subscription";
    const draws: Draw[] = [{ key: `${subscription ?? "tenant"} ${region} ${caller.objectId} ${own.name}`, limit: own }];
    const all = GLOBAL_LIMITS[kind];
    if (subscription !== undefined) draws.push({ key: `${subscription} ${region} ${all.name}`, limit: all });
    const { left, refused } = this.buckets.take(draws);
    const headers = Object.fromEntries(
      draws.map(({ limit }, index) => [`x-ms-ratelimit-remaining-${level}-${limit.name}`, String(left[index] ?? 0)]),
    );
    if (!refused) return headers;
    throw requestsThrottled({
      level,
      kind,
      id: subscription ?? tenantOf(caller),
      actor: caller.objectId,
      headers: { ...headers, "Retry-After": String(refused.retryAfterSeconds) },
      retryAfterSeconds: refused.retryAfterSeconds,
    });
  }

  private takeCompute(
    { path }: ArmRequest,
    { resourceId, region, policy, headers }: Place & { readonly policy: ComputePolicy; readonly headers: Headers },
  ): Headers {
    const { group, perResource, perSubscription } = policy;
    const all = { key: `${path.subscriptionId ?? ""} ${region} ${group}`.toLowerCase(), limit: perSubscription };
    const own = perResource && { key: `${resourceId} ${group}`.toLowerCase(), limit: perResource };
    const draws: Draw[] = own ? [own, all] : [all];
    const { left, refused } = this.buckets.take(draws);
    const remaining = draws.map(({ limit }, index) => `Microsoft.Compute/${limit.name};${left[index] ?? 0}`).join(",");
    const whole = { ...headers, "x-ms-ratelimit-remaining-resource": remaining, "x-ms-request-charge": "1" };
    if (!refused) return whole;
    throw computeThrottled(group, refused.limit, { ...whole, "Retry-After": String(refused.retryAfterSeconds) });
  }
}

const tenantOf = ({ claims }: Caller): string => (typeof claims["tid"] === "string" ? claims["tid"] : "");

interface Refused {
  readonly level: string;
  readonly kind: string;
  readonly id: string;
  readonly actor: string;
  readonly retryAfterSeconds: number;
  readonly headers: Headers;
}

/** ARM's own refusal, as seen since the token buckets came; of a tenant's code no record was found. */
const requestsThrottled = ({ level, kind, id, actor, retryAfterSeconds, headers }: Refused): ArmError =>
  new ArmError(
    429,
    {
      code: level === "tenant" ? "TenantRequestsThrottled" : "SubscriptionRequestsThrottled",
      message: `Number of '${kind}' requests for ${level} '${id}' actor '${actor}' exceeded. Please try again after '${retryAfterSeconds}' seconds after additional tokens are available. Refer to https://aka.ms/arm-throttling for additional information.`,
    },
    { headers },
  );

/** https://learn.microsoft.com/troubleshoot/azure/virtual-machines/troubleshooting-throttling-errors */
function computeThrottled(operationGroup: string, { capacity, perSecond }: Limit, headers: Headers): ArmError {
  const end = Date.now();
  const measured = {
    operationGroup,
    startTime: new Date(end - (capacity / perSecond) * 1000).toISOString(),
    endTime: new Date(end).toISOString(),
    allowedRequestCount: capacity,
    measuredRequestCount: capacity + 1,
  };
  return new ArmError(
    429,
    {
      code: "OperationNotAllowed",
      message: "The server rejected the request because too many requests have been received for this subscription.",
    },
    { headers, details: [{ code: "TooManyRequests", target: operationGroup, message: JSON.stringify(measured) }] },
  );
}
