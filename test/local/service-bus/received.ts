import type { ServiceBusReceivedMessage } from "@azure/service-bus";

/** As long as a test waits for a message that must come. */
export const wait = { maxWaitTimeInMs: 4000 };
/** As long as a test waits to see that none comes. */
export const briefly = { maxWaitTimeInMs: 400 };

interface AnyReceiver {
  receiveMessages(count: number, options: { maxWaitTimeInMs: number }): Promise<ServiceBusReceivedMessage[]>;
}

/** The next message, which must be there. */
export async function nextOf(receiver: AnyReceiver): Promise<ServiceBusReceivedMessage> {
  const [message] = await receiver.receiveMessages(1, wait);
  if (!message) throw new Error("no message came");
  return message;
}

/** Receives until that many have come. */
export async function receiveAll(receiver: AnyReceiver, count: number): Promise<ServiceBusReceivedMessage[]> {
  const messages: ServiceBusReceivedMessage[] = [];
  while (messages.length < count) {
    const more = await receiver.receiveMessages(count - messages.length, wait);
    if (more.length === 0) throw new Error(`only ${messages.length} of ${count} messages came`);
    messages.push(...more);
  }
  return messages;
}

export const idsOf = (messages: readonly ServiceBusReceivedMessage[]) => messages.map(({ messageId }) => messageId);
