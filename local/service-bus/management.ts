import { types } from "rhea";
import { tokenOfUuid, uuidOfToken } from "./lock-token";
import { ruleOperations } from "./management-rules";
import { badRequest, ok, sessionIdOf, sessionLost, type Body, type Operations } from "./management-reply";
import { sessionOperations } from "./management-sessions";
import { encodeMessage, messagesOf } from "./message-format";
import type { MessageQueue } from "./message-queue";
import type { Settlement } from "./queue-options";
import type { AmqpReply, AmqpRequest } from "./request-links";
import { maxMessageBytes, operationOn, type ServerParts } from "./server-parts";
import { propertiesOf } from "./settlement";

interface Target {
  readonly queue: MessageQueue;
  readonly allows: (right: "Send" | "Listen") => boolean;
}

/** Type codes of AMQP 1.0 for arrays. */
const longCode = 0x81;
const timestampCode = 0x83;
const prefix = "com.microsoft:";

/** The request/response half of Service Bus. https://learn.microsoft.com/azure/service-bus-messaging/service-bus-amqp-request-response */
const operations: Operations = {
  "peek-message": { right: "Listen", run: peek },
  "renew-lock": { right: "Listen", run: renewLock },
  "update-disposition": { right: "Listen", run: updateDisposition },
  "receive-by-sequence-number": { right: "Listen", run: receiveBySequenceNumber },
  "schedule-message": { right: "Send", run: scheduleMessages },
  "cancel-scheduled-message": { right: "Send", run: cancelScheduled },
  ...sessionOperations,
  ...ruleOperations,
};

export async function manage(request: AmqpRequest, target: Target, parts: ServerParts): Promise<AmqpReply> {
  const { operation: name, body } = request;
  const key = name.startsWith(prefix) ? name.slice(prefix.length) : "";
  const operation = Object.hasOwn(operations, key) ? operations[key] : undefined;
  if (!operation) {
    const description = `The operation ${name} is not built into this emulator.`;
    return { status: 501, description, errorCondition: "amqp:not-implemented" };
  }
  if (!target.allows(operation.right)) {
    const description = `Unauthorized access. '${operation.right}' claim(s) are required to perform this operation.`;
    return { status: 401, description, errorCondition: "amqp:unauthorized-access" };
  }
  if (parts.isClosed()) {
    const description = "The namespace is being shut down.";
    return { status: 503, description, errorCondition: "com.microsoft:server-busy" };
  }
  if (typeof body !== "object" || body === null || Buffer.isBuffer(body)) return badRequest("The body must be a map.");
  const { queue } = target;
  parts.dispatcherOf(queue).run();
  const reply = await operation.run(queue, body as Body, parts);
  // An answer says that its effect is on disk.
  await new Promise<void>((resolve, reject) => parts.journal.whenCommitted(resolve, reject));
  parts.dispatcherOf(queue).schedule();
  return reply;
}

/** What Azure puts into one answer at most. */
const mostPeeked = 250;

function peek(queue: MessageQueue, body: Body): AmqpReply {
  const from = numberOf(body["from-sequence-number"]);
  const found = queue.peek(from, Number(body["message-count"]), sessionIdOf(body)).slice(0, mostPeeked);
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
    return badRequest(`The disposition status ${String(body["disposition-status"])} is unknown.`);
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
  const sessionId = sessionIdOf(body);
  const session = sessionId === undefined ? undefined : queue.sessions?.lockOf(sessionId, now());
  if (queue.sessions && !session) return sessionLost;
  for (const sequence of numbersOf(body)) {
    const lock = queue.receiveDeferred(sequence, now(), session);
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
  if (queue.sessions && incoming.some(({ sessionId }) => sessionId === undefined))
    return badRequest("The SessionId was not set on a message, and the entity requires sessions.");
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
  return (body["sequence-numbers"] as unknown[]).map(numberOf);
}

/** A whole number that JavaScript cannot hold comes as its eight bytes. */
function numberOf(number: unknown): number {
  return Buffer.isBuffer(number) ? Number(number.readBigInt64BE()) : Number(number);
}

function lockLost(): AmqpReply {
  const description =
    "The lock supplied is invalid. Either the lock expired, or the message has already been removed from the queue.";
  return { status: 410, description, errorCondition: "com.microsoft:message-lock-lost" };
}
