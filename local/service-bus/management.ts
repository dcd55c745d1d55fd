import { types } from "rhea";
import { tokenOfUuid, uuidOfToken } from "./lock-token";
import { encodeMessage, messagesOf } from "./message-format";
import type { MessageQueue, Settlement } from "./message-queue";
import type { AmqpReply, AmqpRequest } from "./request-links";
import { maxMessageBytes, operationOn, type ServerParts } from "./server-parts";
import { propertiesOf } from "./settlement";

type Body = Readonly<Record<string, unknown>>;
type Operation = (queue: MessageQueue, body: Body, parts: ServerParts) => AmqpReply | Promise<AmqpReply>;

/** Type codes of AMQP 1.0 for arrays. */
const longCode = 0x81;
const timestampCode = 0x83;
const prefix = "com.microsoft:";

/** The request/response half of Service Bus. https://learn.microsoft.com/azure/service-bus-messaging/service-bus-amqp-request-response */
const operations: Readonly<Record<string, Operation>> = {
  "peek-message": peek,
  "renew-lock": renewLock,
  "update-disposition": updateDisposition,
  "receive-by-sequence-number": receiveBySequenceNumber,
  "schedule-message": scheduleMessages,
  "cancel-scheduled-message": cancelScheduled,
};

export async function manage(queue: MessageQueue, request: AmqpRequest, parts: ServerParts): Promise<AmqpReply> {
  const { operation } = request;
  const handler = operation.startsWith(prefix) ? operations[operation.slice(prefix.length)] : undefined;
  if (!handler) {
    const description = `The operation ${operation} is not built into this emulator.`;
    return { status: 501, description, errorCondition: "amqp:not-implemented" };
  }
  if (parts.isClosed()) {
    return {
      status: 503,
      description: "The namespace is being shut down.",
      errorCondition: "com.microsoft:server-busy",
    };
  }
  parts.dispatcherOf(queue).run();
  const reply = await handler(queue, request.body as Body, parts);
  // An answer says that its effect is on disk.
  await new Promise<void>((resolve, reject) => parts.journal.whenCommitted(resolve, reject));
  parts.dispatcherOf(queue).schedule();
  return reply;
}

function peek(queue: MessageQueue, body: Body): AmqpReply {
  const found = queue.peek(Number(body["from-sequence-number"]), Number(body["message-count"]));
  if (found.length === 0) return { status: 204, description: "There are no messages." };
  // As in Azure, a peek shows how often the message was delivered, not how often before this time.
  const messages = found.map((message) => ({
    message: encodeMessage({ ...message, deliveries: message.deliveries + 1 }),
  }));
  return ok({ messages });
}

function renewLock(queue: MessageQueue, body: Body, { now }: ServerParts): AmqpReply {
  const expirations: number[] = [];
  for (const token of tokensOf(body)) {
    const until = queue.renew(token, now());
    if (until === undefined) return lockLost();
    expirations.push(until);
  }
  return ok({ expirations: types.wrap_array(expirations, timestampCode, undefined) });
}

async function updateDisposition(queue: MessageQueue, body: Body, parts: ServerParts): Promise<AmqpReply> {
  const settlement = settlementNamed(body);
  if (!settlement) {
    const description = `The disposition status ${String(body["disposition-status"])} is unknown.`;
    return { status: 400, description, errorCondition: "com.microsoft:argument-error" };
  }
  for (const token of tokensOf(body)) {
    const subject = queue.messageIdOf(token) ?? "";
    const verdict = await parts.faults.at("before", operationOn("settle", queue), subject);
    if (verdict?.kind === "fail")
      return { status: verdict.status, description: verdict.message, errorCondition: verdict.code };
    if (parts.isClosed() || queue.settle(token, settlement, parts.now()) === "lock-lost") return lockLost();
  }
  return ok();
}

function receiveBySequenceNumber(queue: MessageQueue, body: Body, { now }: ServerParts): AmqpReply {
  const messages: { readonly message: Buffer; readonly "lock-token": unknown }[] = [];
  const deletes = Number(body["receiver-settle-mode"]) === 0;
  for (const sequence of numbersOf(body)) {
    const lock = queue.receiveDeferred(sequence, now());
    if (!lock) {
      const description = `The deferred message ${sequence} could not be found.`;
      return { status: 404, description, errorCondition: "com.microsoft:message-not-found" };
    }
    const message = encodeMessage(lock.message, { lockedUntil: lock.lockedUntil });
    messages.push({ message, "lock-token": types.wrap_uuid(uuidOfToken(lock.token)) });
    if (deletes) queue.settle(lock.token, { kind: "complete" }, now());
  }
  return ok({ messages });
}

function scheduleMessages(queue: MessageQueue, body: Body, { now }: ServerParts): AmqpReply {
  const encoded = (body["messages"] as { readonly message: Buffer }[]).map(({ message }) => message);
  if (encoded.some(({ length }) => length > maxMessageBytes)) {
    return { status: 403, description: "The message is too large.", errorCondition: "amqp:link:message-size-exceeded" };
  }
  const incoming = encoded.flatMap((message) => messagesOf(message, 0));
  // A duplicate is accepted and dropped; it has no number, and 0 cancels nothing.
  const sequences = incoming.map((message) => queue.enqueue(message, now()) ?? 0);
  return ok({ "sequence-numbers": types.wrap_array(sequences, longCode, undefined) });
}

function cancelScheduled(queue: MessageQueue, body: Body): AmqpReply {
  const missing = numbersOf(body).filter((sequence) => !queue.cancelScheduled(sequence));
  if (missing.length === 0) return ok();
  const description = `The scheduled message ${missing.join(", ")} could not be found.`;
  return { status: 404, description, errorCondition: "com.microsoft:message-not-found" };
}

function settlementNamed(body: Body): Settlement | undefined {
  const properties = propertiesOf(body["properties-to-modify"] as Body | undefined);
  switch (body["disposition-status"]) {
    case "completed":
      return { kind: "complete" };
    case "abandoned":
      return { kind: "abandon", properties };
    case "defered":
      return { kind: "defer", properties };
    case "suspended": {
      const DeadLetterReason = body["deadletter-reason"];
      const DeadLetterErrorDescription = body["deadletter-description"];
      return {
        kind: "dead-letter",
        properties: { ...propertiesOf({ DeadLetterReason, DeadLetterErrorDescription }), ...properties },
      };
    }
    default:
      return undefined;
  }
}

function tokensOf(body: Body): string[] {
  return (body["lock-tokens"] as Buffer[]).map((uuid) => tokenOfUuid(uuid));
}

function numbersOf(body: Body): number[] {
  return (body["sequence-numbers"] as (number | Buffer)[]).map((number) =>
    typeof number === "number" ? number : Number(number.readBigInt64BE()),
  );
}

function ok(body?: Body): AmqpReply {
  return { status: 200, description: "OK", body };
}

function lockLost(): AmqpReply {
  const description =
    "The lock supplied is invalid. Either the lock expired, or the message has already been removed from the queue.";
  return { status: 410, description, errorCondition: "com.microsoft:message-lock-lost" };
}
