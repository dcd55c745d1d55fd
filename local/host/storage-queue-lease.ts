import type { DequeuedMessageItem, QueueClient } from "@azure/storage-queue" with { "resolution-mode": "import" };
import { storageStatusOf } from "./storage-queue-clients";

/** The time for which a storage queue hides a message from others, renewed while its function runs. */
export class QueueLease {
  /** As in the real host. */
  static readonly SECONDS = 600;

  private readonly id: string;
  private popReceipt: string;
  private renewal: NodeJS.Timeout | undefined;

  constructor(
    private readonly queue: QueueClient,
    message: DequeuedMessageItem,
  ) {
    this.id = message.messageId;
    this.popReceipt = message.popReceipt;
  }

  keep(): void {
    this.renewal = setInterval(() => void this.renew(), (QueueLease.SECONDS / 2) * 1000).unref();
  }

  async delete(): Promise<void> {
    clearInterval(this.renewal);
    await unlessGone(this.queue.deleteMessage(this.id, this.popReceipt));
  }

  /** Gives the message back, to be seen by others after so many seconds. */
  async release(afterSeconds: number): Promise<void> {
    clearInterval(this.renewal);
    await unlessGone(this.queue.updateMessage(this.id, this.popReceipt, undefined, Math.floor(afterSeconds)));
  }

  private async renew(): Promise<void> {
    const renewed = await unlessGone(this.queue.updateMessage(this.id, this.popReceipt, undefined, QueueLease.SECONDS));
    this.popReceipt = renewed?.popReceipt ?? this.popReceipt;
  }
}

/** Somebody else has the message, or the queue is gone: there is nothing left to do. */
async function unlessGone<T>(call: Promise<T>): Promise<T | undefined> {
  try {
    return await call;
  } catch (error) {
    const status = storageStatusOf(error);
    if (status === 404 || status === 400 || status === 409) return undefined;
    throw error;
  }
}
