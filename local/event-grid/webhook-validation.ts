import { randomUUID } from "node:crypto";
import type { Clock } from "./clock";
import type { DeliverySchema } from "./grid-event";
import type { HttpAnswer, HttpCaller } from "./http-call";
import { REQUEST_ORIGIN } from "./webhook";

export interface ValidationQuestion {
  readonly url: string;
  readonly subscriptionName: string;
  /** The topic that the subscription is for. */
  readonly topic: string;
  readonly schema: DeliverySchema;
  readonly validationCode: string;
  readonly validationUrl: string;
  readonly headers: Readonly<Record<string, string>>;
}

export type Validation =
  | { readonly kind: "confirmed" }
  /** The webhook took the event and did not repeat the code: somebody may still open the URL. */
  | { readonly kind: "awaiting" }
  | { readonly kind: "refused"; readonly message: string };

export interface WebhookValidationOptions {
  readonly caller: HttpCaller;
  readonly clock: Clock;
  readonly speed: number;
}

const MAX_ANSWER_BYTES = 64 * 1024;
const ATTEMPTS = 3;
const RETRY_MS = 5000;

/** Asks a webhook whether it wants the events of a subscription: https://learn.microsoft.com/azure/event-grid/end-point-validation-event-grid-events-schema */
export async function validateWebhook(
  { caller, clock, speed }: WebhookValidationOptions,
  question: ValidationQuestion,
): Promise<Validation> {
  const ask = question.schema === "CloudEventSchemaV1_0" ? askCloudEvents : askEventGrid;
  for (let attempt = 1; ; attempt += 1) {
    const { answer, validation } = await ask(caller, question);
    // Only an answer that did not come in time is asked for again.
    const isLate = answer.kind === "failed" && answer.reason === "timeout";
    if (!isLate || attempt >= ATTEMPTS) return validation;
    const { promise, resolve } = Promise.withResolvers<undefined>();
    clock.after(RETRY_MS / speed, () => resolve(undefined));
    await promise;
  }
}

interface Asked {
  readonly answer: HttpAnswer;
  readonly validation: Validation;
}

/** The handshake of Event Grid's and of custom schemas: a code that the webhook repeats. */
async function askEventGrid(caller: HttpCaller, question: ValidationQuestion): Promise<Asked> {
  const { url, validationCode, validationUrl, topic } = question;
  const event = {
    id: randomUUID(),
    topic,
    subject: "",
    data: { validationCode, validationUrl },
    eventType: "Microsoft.EventGrid.SubscriptionValidationEvent",
    eventTime: new Date().toISOString(),
    metadataVersion: "1",
    dataVersion: "2",
  };
  const answer = await caller.call({
    method: "POST",
    url,
    headers: {
      ...question.headers,
      "content-type": "application/json; charset=utf-8",
      "aeg-event-type": "SubscriptionValidation",
      "aeg-subscription-name": question.subscriptionName.toUpperCase(),
      "aeg-delivery-count": "0",
      "aeg-data-version": "2",
      "aeg-metadata-version": "1",
    },
    body: JSON.stringify([event]),
    maxBodyBytes: MAX_ANSWER_BYTES,
  });
  const failed = `The attempt to validate the provided endpoint ${baseUrl(url)} failed. For more details, visit https://aka.ms/esvalidation.`;
  // 202 is no answer to a validation, although it is one to an event.
  if (answer.kind === "failed" || answer.status !== 200)
    return { answer, validation: { kind: "refused", message: failed } };
  const isConfirmed = responseOf(answer.body)?.toLowerCase() === validationCode.toLowerCase();
  return { answer, validation: { kind: isConfirmed ? "confirmed" : "awaiting" } };
}

function responseOf(body: string | undefined): string | undefined {
  try {
    const parsed = JSON.parse(body ?? "") as unknown;
    const response = (parsed as { validationResponse?: unknown } | null)?.validationResponse;
    return typeof response === "string" ? response : undefined;
  } catch {
    // A stranger's answer may be anything; without the code it means that a person confirms later.
    return undefined;
  }
}

/** The abuse protection of CloudEvents: https://github.com/cloudevents/spec/blob/v1.0/http-webhook.md#4-abuse-protection */
async function askCloudEvents(caller: HttpCaller, question: ValidationQuestion): Promise<Asked> {
  const answer = await caller.call({
    method: "OPTIONS",
    url: question.url,
    headers: {
      ...question.headers,
      "webhook-request-origin": REQUEST_ORIGIN,
      "webhook-request-callback": question.validationUrl,
      "webhook-request-rate": "120",
    },
    maxBodyBytes: MAX_ANSWER_BYTES,
  });
  const refused = (what: string): Asked => ({
    answer,
    validation: {
      kind: "refused",
      message: `Webhook validation handshake failed for ${baseUrl(question.url)}. Http OPTIONS request ${what}. For troublehooting, visit https://aka.ms/esvalidationcloudevent.`,
    },
  });
  if (answer.kind === "failed") return refused(`failed: ${answer.message}`);
  if (answer.status < 200 || answer.status > 299) return refused(`failed with response code ${answer.status}`);
  const allowed = answer.headers["webhook-allowed-origin"];
  if (allowed === undefined) return { answer, validation: { kind: "awaiting" } };
  const isAllowed = allowed === "*" || String(allowed).toLowerCase() === REQUEST_ORIGIN;
  return isAllowed ? { answer, validation: { kind: "confirmed" } } : refused("did not permit the origin");
}

/** Without the query, which may hold a key. */
export function baseUrl(url: string): string {
  const at = url.indexOf("?");
  return at < 0 ? url : url.slice(0, at);
}
