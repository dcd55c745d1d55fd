import type { ServiceBusMessage, ServiceBusReceivedMessage } from "@azure/service-bus";
import type { TriggerData } from "./invoker";
import { elementsOf } from "./output-values";
import type { TypedData } from "./rpc";

/** One message, as a function of cardinality one gets it. */
export function triggerOfMessage(message: ServiceBusReceivedMessage): TriggerData {
  const text = textOf(message);
  const metadata: Record<string, TypedData> = {};
  for (const [name, value] of Object.entries(propertiesOf(message)))
    if (value !== undefined) metadata[name] = typedOf(name, value);
  // What is no UTF-8 would not survive being a string.
  const data: TypedData = text === undefined ? { bytes: message.body as Buffer } : { string: text };
  return { data, metadata, details: detailsOf(message) };
}

/** Several messages, as a function of cardinality many gets them: each property as an array of all its values. */
export function triggerOfBatch(messages: readonly ServiceBusReceivedMessage[]): TriggerData {
  const texts = messages.map(textOf);
  const all = messages.map(propertiesOf);
  const metadata: Record<string, TypedData> = {};
  for (const name of Object.keys(all[0] ?? {}))
    metadata[`${name}Array`] = { json: JSON.stringify(all.map((each) => each[name] ?? null)) };
  const data: TypedData = texts.every((text) => text !== undefined)
    ? { collectionString: { string: texts } }
    : { collectionBytes: { bytes: messages.map(bytesOf) } };
  return { data, metadata };
}

type Properties = Readonly<Record<string, unknown>>;

function propertiesOf(message: ServiceBusReceivedMessage): Properties {
  return {
    MessageId: String(message.messageId ?? ""),
    // The .NET client counts the present delivery, the JavaScript client only earlier ones.
    DeliveryCount: (message.deliveryCount ?? 0) + 1,
    SequenceNumber: String(message.sequenceNumber ?? 0),
    EnqueuedTimeUtc: message.enqueuedTimeUtc ?? null,
    ExpiresAtUtc: message.expiresAtUtc,
    ApplicationProperties: message.applicationProperties ?? {},
    CorrelationId: message.correlationId,
    SessionId: message.sessionId,
    ReplyToSessionId: message.replyToSessionId,
    PartitionKey: message.partitionKey,
    LockToken: message.lockToken,
    ContentType: message.contentType,
    Subject: message.subject,
    To: message.to,
    ReplyTo: message.replyTo,
    DeadLetterSource: message.deadLetterSource,
  };
}

const JSON_PROPERTIES = ["EnqueuedTimeUtc", "ExpiresAtUtc", "ApplicationProperties"];

function typedOf(name: string, value: unknown): TypedData {
  if (JSON_PROPERTIES.includes(name)) return { json: JSON.stringify(value) };
  return typeof value === "number" ? { int: value } : { string: String(value) };
}

function detailsOf(message: ServiceBusReceivedMessage): string {
  const { MessageId, SequenceNumber, DeliveryCount } = propertiesOf(message);
  const times = [message.enqueuedTimeUtc, message.lockedUntilUtc].map((time) => time?.toISOString() ?? "(null)");
  return `MessageId: ${String(MessageId)}, SequenceNumber: ${String(SequenceNumber)}, DeliveryCount: ${String(DeliveryCount)}, EnqueuedTimeUtc: ${times[0] ?? ""}, LockedUntilUtc: ${times[1] ?? ""}, SessionId: ${message.sessionId ?? "(null)"}`;
}

/** Undefined for a body that is no text. */
function textOf({ body }: ServiceBusReceivedMessage): string | undefined {
  const value: unknown = body;
  if (!Buffer.isBuffer(value)) return typeof value === "string" ? value : JSON.stringify(value);
  const text = value.toString("utf8");
  return Buffer.from(text, "utf8").equals(value) ? text : undefined;
}

function bytesOf(message: ServiceBusReceivedMessage): Uint8Array {
  const value: unknown = message.body;
  return Buffer.isBuffer(value) ? value : Buffer.from(textOf(message) ?? "");
}

/** What a function gave to an output binding, as messages: bytes as the .NET client sends them, not the JavaScript client's encoding. */
export function messagesOf(data: TypedData): ServiceBusMessage[] {
  return elementsOf(data).map(({ bytes, contentType }) => ({ body: Buffer.from(bytes), contentType }));
}
