import { createHash } from "node:crypto";
import type { Refusal } from "./accept-job";

/** Where rejected messages go; satisfied by the queue sender of `azure/`. */
interface MessageSink {
  send(message: {
    readonly body: unknown;
    readonly messageId?: string;
    readonly applicationProperties?: Readonly<Record<string, string>>;
  }): Promise<void>;
}

/** Property values of Service Bus are short; a message with fifty wrong fields names the first of them. */
const MAX_DESCRIPTION_CHARACTERS = 1024;

/** The queue of messages that could not become jobs, each a copy with its reason. */
export class RejectedMessages {
  constructor(private readonly sink: MessageSink) {}

  /** Safe to repeat: the copy's id is made of the original's, so that the queue's duplicate detection keeps one. */
  async park(message: unknown, { reason, description }: Refusal, originalId: string | undefined): Promise<void> {
    const id = createHash("sha256")
      .update(JSON.stringify([originalId ?? "", reason, message]))
      .digest("hex");
    await this.sink.send({
      body: message,
      messageId: id,
      applicationProperties: { reason, description: description.slice(0, MAX_DESCRIPTION_CHARACTERS) },
    });
  }
}
