import type { AmqpError, Delivery, EventContext, Receiver } from "rhea";
import { messagesOf, type IncomingMessage } from "./message-format";
import type { MessageQueue } from "./message-queue";
import { destroySocket, rawFormat, settleReceived } from "./rhea-internals";
import { maxMessageBytes, operationOn, type ServerParts } from "./server-parts";

/** How many messages a client may have under way on one link; half of rhea's window. */
const creditWindow = 1000;

/** A link on which a client sends. A send is accepted once it is on disk. */
export class InboundLink {
  private outstanding = creditWindow;

  constructor(
    private readonly receiver: Receiver,
    private readonly queue: MessageQueue,
    private readonly parts: ServerParts,
  ) {
    receiver.add_credit(creditWindow);
    receiver.on("message", (context: EventContext) => this.onMessage(context));
  }

  private onMessage(context: EventContext): void {
    const { delivery } = context;
    if (!delivery) return;
    // With `keepMessagesRaw` the message is the bytes of the transfer.
    const payload = context.message as unknown as Buffer;
    const read = this.read(payload, delivery.format === rawFormat ? 0 : delivery.format);
    if (read.outcome === "refused") this.answer(delivery, read.error);
    else if (this.parts.faults.idle) this.store(delivery, read.messages);
    else void this.storeUnderFaults(delivery, read.messages);
  }

  private read(payload: Buffer, format: number): ReadMessages {
    if (this.parts.isClosed()) return refused("com.microsoft:server-busy", "The namespace is being shut down.");
    if (payload.length > maxMessageBytes) {
      return refused(
        "amqp:link:message-size-exceeded",
        `The received message (delivery-id:0, size:${payload.length} bytes) exceeds the limit (${maxMessageBytes} bytes) currently allowed on the link.`,
      );
    }
    try {
      const messages = messagesOf(payload, format);
      if (this.queue.sessions && messages.some(({ sessionId }) => sessionId === undefined)) return withoutSession;
      return { outcome: "read", messages };
    } catch (error) {
      return refused("amqp:decode-error", String(error));
    }
  }

  private store(delivery: Delivery, messages: readonly IncomingMessage[], beforeAnswer?: () => Promise<boolean>): void {
    for (const message of messages) this.queue.enqueue(message, this.parts.now());
    const answerLater = async () => {
      if (!beforeAnswer || (await beforeAnswer())) this.answer(delivery);
    };
    this.parts.journal.whenCommitted(beforeAnswer ? () => void answerLater() : () => this.answer(delivery), (error) =>
      this.answer(delivery, {
        condition: "amqp:internal-error",
        description: `The message could not be stored: ${String(error)}`,
      }),
    );
  }

  private async storeUnderFaults(delivery: Delivery, messages: readonly IncomingMessage[]): Promise<void> {
    const operation = operationOn("send", this.queue);
    const subject = messages.map(({ messageId }) => messageId).join(" ");
    const passes = async (stage: "before" | "after") => {
      const verdict = await this.parts.faults.at(stage, operation, subject);
      if (verdict?.kind === "drop") destroySocket(this.receiver.connection, "dropped by the fault plan");
      if (verdict?.kind === "fail") this.answer(delivery, { condition: verdict.code, description: verdict.message });
      return verdict === undefined && !this.parts.isClosed();
    };
    if (await passes("before")) this.store(delivery, messages, () => passes("after"));
  }

  private answer(delivery: Delivery, error?: AmqpError): void {
    settleReceived(delivery, error);
    this.outstanding -= 1;
    if (this.outstanding > creditWindow / 2 || !this.receiver.is_open()) return;
    this.receiver.add_credit(creditWindow - this.outstanding);
    this.outstanding = creditWindow;
  }
}

type ReadMessages =
  | { readonly outcome: "read"; readonly messages: readonly IncomingMessage[] }
  | { readonly outcome: "refused"; readonly error: AmqpError };

function refused(condition: string, description: string): ReadMessages {
  return { outcome: "refused", error: { condition, description } };
}

const withoutSession = refused(
  "amqp:not-allowed",
  "The SessionId was not set on a message, and it cannot be sent to the entity. Entities that have session support enabled can only receive messages that have the SessionId set to a valid value.",
);
