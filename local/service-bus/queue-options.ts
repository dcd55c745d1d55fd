import type { MessageQueue } from "./message-queue";
import type { Change, Properties, StoredMessage } from "./stored-message";

export interface MessageQueueOptions {
  /** As the entity is addressed, in lower case: `jobs`, `jobs/$deadletterqueue`, `events/subscriptions/audit`. */
  readonly name: string;
  readonly lockMs: number;
  readonly maxDeliveries: number;
  /** 0: duplicates are not looked for. */
  readonly duplicateWindowMs: number;
  /** The longest time to live, and the one of messages that bring none. */
  readonly defaultTtlMs?: number | undefined;
  readonly requiresSession?: boolean | undefined;
  /** Otherwise expired messages vanish. */
  readonly deadLettersExpired?: boolean | undefined;
  /** Where rejected and exhausted messages go. A dead-letter queue has none and keeps what it has. */
  readonly deadLetters?: MessageQueue | undefined;
  /**
   * Takes over what becomes active: a topic's subscriptions, or the queue that messages are forwarded to. The answer says why it
   * could not: such a message becomes a dead letter, or stays where there are none.
   */
  readonly forward?: ((message: StoredMessage, now: number) => Properties | undefined) | undefined;
  /** Receives each change in order; the caller commits them before it answers anybody. */
  readonly record: (change: Change) => void;
  readonly newLockToken: () => string;
}

export interface NewMessage {
  readonly messageId: string;
  readonly content: Buffer;
  /** The time at which the message shall become active, when it is sent ahead of it. */
  readonly dueAt?: number | undefined;
  readonly sessionId?: string | undefined;
  readonly ttlMs?: number | undefined;
}

export type Settlement =
  | { readonly kind: "complete" }
  | { readonly kind: "abandon"; readonly properties?: Properties }
  | { readonly kind: "defer"; readonly properties?: Properties }
  | { readonly kind: "dead-letter"; readonly properties: Properties };

export interface QueueCounts {
  readonly active: number;
  readonly scheduled: number;
}

/** The earlier of two ends; undefined when there is none. */
export function expiryOf(own: number, latest: number): number | undefined {
  const expiresAt = Math.min(own, latest);
  return expiresAt === Infinity ? undefined : expiresAt;
}

/** The reasons that Service Bus itself gives a dead letter. https://learn.microsoft.com/azure/service-bus-messaging/service-bus-dead-letter-queues */
export const deadLetterReasons = {
  expired: {
    DeadLetterReason: "TTLExpiredException",
    DeadLetterErrorDescription: "The message expired and was dead lettered.",
  },
  withoutSession: {
    DeadLetterReason: "Session ID is null.",
    DeadLetterErrorDescription: "Session enabled entity doesn't allow a message whose session identifier is null.",
  },
  tooManyHops: {
    DeadLetterReason: "MaxTransferHopCountExceeded",
    DeadLetterErrorDescription: "The maximum number of allowed hops when forwarding between queues has been exceeded.",
  },
  noDestination: {
    DeadLetterReason: "ForwardingDestinationNotFound",
    DeadLetterErrorDescription: "The entity that messages are forwarded to does not exist.",
  },
  exhausted: (deliveries: number): Properties => ({
    DeadLetterReason: "MaxDeliveryCountExceeded",
    DeadLetterErrorDescription: `Message could not be consumed after ${deliveries} delivery attempts.`,
  }),
} as const;
