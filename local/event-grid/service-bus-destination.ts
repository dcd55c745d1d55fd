import { ServiceBusClient, ServiceBusError, type ServiceBusMessage, type ServiceBusSender } from "@azure/service-bus";
import { customProperties, systemProperties } from "./delivery-headers";
import type { Delivery } from "./delivery-engine";
import type { DeliveryAttribute } from "./event-subscription";
import { toDelivered } from "./grid-event";
import type { DeliveryOutcome, DeliveryResult } from "./retry-policy";
import { contentType } from "./webhook";

const MINUTE = 60_000;

/** Message properties that a delivery attribute of that name sets; any other becomes an application property. */
const BROKER_PROPERTIES: Readonly<Record<string, keyof ServiceBusMessage>> = {
  messageid: "messageId",
  partitionkey: "partitionKey",
  sessionid: "sessionId",
  correlationid: "correlationId",
  label: "subject",
  replyto: "replyTo",
  replytosessionid: "replyToSessionId",
  to: "to",
};

/** Sends events to queues and topics, each as one message whose id stays the same over all attempts. */
export class ServiceBusDestination {
  private readonly clients = new Map<string, ServiceBusClient>();
  private readonly senders = new Map<string, ServiceBusSender>();

  async send(connectionString: string, entity: string, { subscription, events }: Delivery): Promise<DeliveryResult> {
    const { destination, schema } = subscription;
    const attributes = "attributes" in destination ? destination.attributes : [];
    const messages = events.map((one): ServiceBusMessage => {
      const { broker, application } = split(attributes, one.event);
      return {
        body: toDelivered(one.event, schema),
        messageId: one.messageId,
        contentType: contentType(schema, false),
        ...broker,
        applicationProperties: { ...application, ...systemProperties(subscription, one) },
      };
    });
    try {
      await this.senderOf(connectionString, entity).sendMessages(messages);
      return { kind: "delivered" };
    } catch (error) {
      // A sender whose link or entity is gone stays broken.
      await this.forget(connectionString, entity);
      return resultOf(error);
    }
  }

  async close(): Promise<void> {
    await Promise.allSettled([...this.clients.values()].map((client) => client.close()));
  }

  private senderOf(connectionString: string, entity: string): ServiceBusSender {
    const key = `${connectionString} ${entity}`;
    const known = this.senders.get(key);
    if (known) return known;
    // Tries are Event Grid's own.
    const retryOptions = { maxRetries: 0, timeoutInMs: 30_000 };
    const client = this.clients.get(connectionString) ?? new ServiceBusClient(connectionString, { retryOptions });
    this.clients.set(connectionString, client);
    const sender = client.createSender(entity);
    this.senders.set(key, sender);
    return sender;
  }

  private async forget(connectionString: string, entity: string): Promise<void> {
    const key = `${connectionString} ${entity}`;
    const sender = this.senders.get(key);
    this.senders.delete(key);
    await sender?.close().catch(() => undefined); // it is broken already, and another one takes its place
  }
}

function split(attributes: readonly DeliveryAttribute[], event: Delivery["events"][number]["event"]) {
  const broker: Record<string, string> = {};
  const application: Record<string, string> = {};
  for (const [name, value] of Object.entries(customProperties(attributes, event))) {
    const property = BROKER_PROPERTIES[name.toLowerCase()];
    if (property) broker[property] = value;
    else application[name] = value;
  }
  return { broker, application };
}

const OUTCOMES: Readonly<Record<string, readonly [DeliveryOutcome, number | undefined]>> = {
  MessagingEntityNotFound: ["NotFound", 5 * MINUTE],
  MessagingEntityDisabled: ["Disabled", 10_000],
  UnauthorizedAccess: ["Unauthorized", 5 * MINUTE],
  QuotaExceeded: ["Full", 10_000],
  ServiceBusy: ["Busy", 30_000],
  ServiceTimeout: ["TimedOut", 10_000],
  MessageSizeExceeded: ["PayloadTooLarge", undefined],
  ServiceCommunicationProblem: ["SocketError", 10_000],
};

function resultOf(error: unknown): DeliveryResult {
  const code = error instanceof ServiceBusError ? error.code : "";
  const isForSessions = error instanceof Error && /session/i.test(error.message);
  const [outcome, retryAfterMs] =
    OUTCOMES[code] ??
    (isForSessions ? (["SessionQueueNotSupported", undefined] as const) : (["SocketError", 10_000] as const));
  return { kind: "failed", outcome, retryAfterMs };
}
