import type { Delivery } from "./delivery-engine";
import { conformantHeaders, customProperties, systemProperties } from "./delivery-headers";
import type { BatchPolicy, DeliveryAttribute } from "./event-subscription";
import { type DeliverySchema, toDelivered } from "./grid-event";
import type { HttpAnswer, HttpCaller } from "./http-call";
import { type DeliveryResult, type EndpointKind, resultOfStatus } from "./retry-policy";

export interface WebhookTarget {
  readonly url: string;
  readonly kind: EndpointKind;
  readonly batch: BatchPolicy;
  readonly attributes: readonly DeliveryAttribute[];
  /** `Bearer …` for a webhook that is secured by Entra. */
  readonly authorization?: string | undefined;
}

/** The name under which Event Grid asks webhooks for permission, and calls them. */
export const REQUEST_ORIGIN = "eventgrid.azure.net";

/** Posts events to a webhook; its status alone says what became of them, all or none. */
export async function postEvents(
  caller: HttpCaller,
  target: WebhookTarget,
  { subscription, events, signal }: Delivery & { readonly signal?: AbortSignal },
): Promise<DeliveryResult> {
  const [first] = events;
  if (!first) return { kind: "delivered" };
  const bodies = events.map(({ event }) => toDelivered(event, subscription.schema));
  const isObject = subscription.schema === "CloudEventSchemaV1_0" && !target.batch.isOn;
  const answer = await caller.call({
    method: "POST",
    url: target.url,
    headers: {
      ...conformantHeaders({
        ...customProperties(target.attributes, first.event),
        ...systemProperties(subscription, first),
      }),
      ...(target.authorization ? { authorization: target.authorization } : {}),
      ...(subscription.schema === "CloudEventSchemaV1_0" ? { "webhook-request-origin": REQUEST_ORIGIN } : {}),
      "content-type": contentType(subscription.schema, target.batch.isOn),
    },
    body: JSON.stringify(isObject ? bodies[0] : bodies),
    maxBodyBytes: 0,
    signal,
  });
  return answer.kind === "answered" ? resultOfStatus(answer.status, target.kind) : resultOfFailure(answer);
}

export function contentType(schema: DeliverySchema, isBatch: boolean): string {
  if (schema !== "CloudEventSchemaV1_0") return "application/json; charset=utf-8";
  return `application/cloudevents${isBatch ? "-batch" : ""}+json; charset=utf-8`;
}

function resultOfFailure({ reason }: Extract<HttpAnswer, { kind: "failed" }>): DeliveryResult {
  const outcome = ({ timeout: "TimedOut", resolution: "ResolutionError", socket: "SocketError" } as const)[reason];
  return { kind: "failed", outcome, retryAfterMs: 10_000 };
}
