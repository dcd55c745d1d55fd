import { MessageQueue } from "./message-queue";
import type { Change, QueueSnapshot } from "./stored-message";

export interface QueueOptions {
  readonly name: string;
  readonly lockSeconds?: number;
  readonly maxDeliveryCount?: number;
  /** 0 switches the duplicate detection off. */
  readonly duplicateDetectionSeconds?: number;
}

export interface BrokerOptions {
  readonly queues: readonly QueueOptions[];
  readonly record: (change: Change) => void;
  readonly newLockToken: () => string;
}

export interface EntityCounts {
  readonly active: number;
  readonly deadLetter: number;
  readonly scheduled: number;
}

const deadLetterSuffix = "/$deadletterqueue";

/** All entities of the namespace by their address. Pure, like the queues themselves. */
export class Broker {
  private readonly entities = new Map<string, MessageQueue>();

  constructor(options: BrokerOptions) {
    for (const queue of options.queues) this.addQueue(queue, options);
  }

  /** Addresses are compared without regard to case, as Azure does. */
  find(address: string): MessageQueue | undefined {
    return this.entities.get(address.toLowerCase());
  }

  list(): MessageQueue[] {
    return [...this.entities.values()];
  }

  restore(snapshotOf: (queue: string) => QueueSnapshot, now: number): void {
    // Dead-letter queues first: a restored queue may bury messages in them.
    for (const queue of this.list()) queue.restore(snapshotOf(queue.name), now);
  }

  counts(name: string): EntityCounts | undefined {
    const queue = this.find(name)?.counts();
    if (!queue) return undefined;
    return { ...queue, deadLetter: this.find(name + deadLetterSuffix)?.counts().active ?? 0 };
  }

  private addQueue(queue: QueueOptions, { record, newLockToken }: BrokerOptions): void {
    const name = queue.name.toLowerCase();
    const lockMs = (queue.lockSeconds ?? 60) * 1000;
    const deadLetters = new MessageQueue({
      ...{ record, newLockToken, lockMs },
      name: name + deadLetterSuffix,
      maxDeliveries: Infinity,
      duplicateWindowMs: 0,
    });
    this.entities.set(deadLetters.name, deadLetters);
    const main = new MessageQueue({
      ...{ record, newLockToken, lockMs, name, deadLetters },
      maxDeliveries: queue.maxDeliveryCount ?? 10,
      duplicateWindowMs: (queue.duplicateDetectionSeconds ?? 600) * 1000,
    });
    this.entities.set(name, main);
  }
}
