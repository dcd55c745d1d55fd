import type { RuleOptions } from "./rules";

interface LimitedLife {
  /** The longest time to live of a message, and the one of messages that bring none. */
  readonly defaultTtlSeconds?: number | undefined;
}

interface Receivable extends LimitedLife {
  readonly lockSeconds?: number | undefined;
  readonly maxDeliveryCount?: number | undefined;
  readonly requiresSession?: boolean | undefined;
  readonly deadLetteringOnMessageExpiration?: boolean | undefined;
  /** The queue or topic that takes all messages; nobody can receive here then. */
  readonly forwardTo?: string | undefined;
  readonly forwardDeadLetteredMessagesTo?: string | undefined;
}

export interface QueueOptions extends Receivable {
  readonly name: string;
  /** 0 switches the duplicate detection off. */
  readonly duplicateDetectionSeconds?: number | undefined;
}

export interface SubscriptionOptions extends Receivable {
  readonly name: string;
  /** None given: every message, by the rule `$Default`. */
  readonly rules?: readonly RuleOptions[] | undefined;
}

export interface TopicOptions extends LimitedLife {
  readonly name: string;
  /** 0, the default, switches the duplicate detection off. */
  readonly duplicateDetectionSeconds?: number | undefined;
  readonly subscriptions?: readonly SubscriptionOptions[] | undefined;
}
