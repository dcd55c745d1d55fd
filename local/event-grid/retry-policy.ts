const SECOND = 1000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;

/** What `lastDeliveryOutcome` of a dead letter says: https://learn.microsoft.com/azure/event-grid/delivery-and-retry */
export type DeliveryOutcome =
  | "NotFound"
  | "Disabled"
  | "Full"
  | "Unauthorized"
  | "BadRequest"
  | "TimedOut"
  | "Busy"
  | "PayloadTooLarge"
  | "Probation"
  | "SocketError"
  | "ResolutionError"
  | "SessionQueueNotSupported"
  | "Forbidden"
  | "InvalidAzureFunctionDestination"
  // Not in the document's table; dead letters of the real service carry it for the other status codes.
  | "GenericError";

export type DeliveryResult =
  | { readonly kind: "delivered" }
  | {
      readonly kind: "failed";
      readonly outcome: DeliveryOutcome;
      /** Of endpoints that speak HTTP. */
      readonly status?: number | undefined;
      /** Undefined: no further try can help. */
      readonly retryAfterMs: number | undefined;
    };

export interface RetryPolicy {
  readonly maxDeliveryAttempts: number;
  readonly eventTimeToLiveInMinutes: number;
}

export const DEFAULT_RETRY_POLICY: RetryPolicy = { maxDeliveryAttempts: 30, eventTimeToLiveInMinutes: 1440 };

/** Waits between the attempts; the last one repeats until the event is too old. */
const SCHEDULE_MS = [
  ...[10 * SECOND, 30 * SECOND, MINUTE, 5 * MINUTE, 10 * MINUTE, 30 * MINUTE],
  ...[HOUR, 3 * HOUR, 6 * HOUR, 12 * HOUR],
];

/** How long an event waits after so many attempts that failed; a small randomization is added, as in Azure. */
export function retryDelayMs(attempts: number, { atLeastMs, random }: { atLeastMs: number; random: number }): number {
  const scheduled = SCHEDULE_MS[Math.min(attempts, SCHEDULE_MS.length) - 1] ?? 10 * SECOND;
  return Math.max(scheduled, atLeastMs) * (1 + 0.02 * random);
}

export const DEAD_LETTER_DELAY_MS = 5 * MINUTE;
/** A dead-letter container that cannot be reached for so long loses the event. */
export const DEAD_LETTER_GIVE_UP_MS = 4 * HOUR;
export const DEAD_LETTER_RETRY_MS = 5 * MINUTE;

/** Endpoints in a row of whose deliveries fail are left alone for a while. The document names ten events as its example. */
export const FAILURES_BEFORE_PROBATION = 10;

const PROBATION_MS: Partial<Readonly<Record<DeliveryOutcome, number>>> = {
  Busy: 10 * SECOND,
  NotFound: 5 * MINUTE,
  SocketError: 30 * SECOND,
  ResolutionError: 5 * MINUTE,
  Disabled: 5 * MINUTE,
  Full: 5 * MINUTE,
  TimedOut: 10 * SECOND,
  Unauthorized: 5 * MINUTE,
  Forbidden: 5 * MINUTE,
  InvalidAzureFunctionDestination: 10 * MINUTE,
};

export const probationMs = (outcome: DeliveryOutcome): number => PROBATION_MS[outcome] ?? 0;

export type EndpointKind = "webhook" | "azure-resource";

const OUTCOMES: Readonly<Record<number, DeliveryOutcome>> = {
  400: "BadRequest",
  401: "Unauthorized",
  403: "Forbidden",
  404: "NotFound",
  408: "TimedOut",
  413: "PayloadTooLarge",
  429: "Busy",
  503: "Busy",
  504: "TimedOut",
};

const NEVER_RETRIED: Readonly<Record<EndpointKind, readonly number[]>> = {
  webhook: [400, 401, 403, 413],
  "azure-resource": [400, 403, 413],
};

/** What an answer with this status means: only 200 to 204 are a delivery. */
export function resultOfStatus(status: number, endpoint: EndpointKind): DeliveryResult {
  if (status >= 200 && status <= 204) return { kind: "delivered" };
  const outcome = OUTCOMES[status] ?? "GenericError";
  const retryAfterMs = NEVER_RETRIED[endpoint].includes(status) ? undefined : leastWaitMs(status, endpoint);
  return { kind: "failed", outcome, status, retryAfterMs };
}

function leastWaitMs(status: number, endpoint: EndpointKind): number {
  if (endpoint === "azure-resource" && (status === 401 || status === 404)) return 5 * MINUTE;
  if (status === 408) return 2 * MINUTE;
  return status === 503 ? 30 * SECOND : 10 * SECOND;
}

const REASON_BY_OUTCOME: Partial<Readonly<Record<DeliveryOutcome, string>>> = {
  BadRequest: "UndeliverableDueToHttpBadRequest",
  Unauthorized: "UndeliverableDueToHttpUnauthorized",
  Forbidden: "UndeliverableDueToHttpForbidden",
  PayloadTooLarge: "UndeliverableDueToHttpRequestEntityTooLarge",
};

/** `deadLetterReason` of an event that no further try can deliver. */
export const undeliverableReason = (outcome: DeliveryOutcome): string =>
  REASON_BY_OUTCOME[outcome] ?? "UndeliverableDueToDestinationError";
