import type { QueueOptions, SubscriptionOptions, TopicOptions } from "./entity-options";
import { filteredMessage } from "./filtered-message";
import { MessageQueue } from "./message-queue";
import { deadLetterReasons, type MessageQueueOptions } from "./queue-options";
import { defaultRule, Rules, type RuleChange, type RuleOptions } from "./rules";
import type { Change, Properties, QueueSnapshot, StoredMessage } from "./stored-message";

export interface BrokerOptions {
  readonly queues: readonly QueueOptions[];
  readonly topics?: readonly TopicOptions[] | undefined;
  readonly record: (change: Change) => void;
  readonly newLockToken: () => string;
}

export interface EntityCounts {
  readonly active: number;
  readonly deadLetter: number;
  readonly scheduled: number;
}

interface EntityTimes {
  readonly createdAt: number;
}

export type Entity = EntityTimes &
  (
    | {
        readonly kind: "queue";
        readonly options: QueueOptions;
        readonly queue: MessageQueue;
        readonly deadLetters: MessageQueue;
      }
    | { readonly kind: "topic"; readonly options: TopicOptions; readonly queue: MessageQueue }
    | {
        readonly kind: "subscription";
        readonly topic: string;
        readonly options: SubscriptionOptions;
        readonly queue: MessageQueue;
        readonly deadLetters: MessageQueue;
        readonly rules: Rules;
      }
  );

type Subscription = Extract<Entity, { kind: "subscription" }>;

export const deadLetterSuffix = "/$deadletterqueue";
/** A message is not passed on more often than this. https://learn.microsoft.com/azure/service-bus-messaging/service-bus-auto-forwarding */
const mostHops = 4;

/** All entities of the namespace by their address. Pure, like the queues themselves. */
export class Broker {
  private readonly entities = new Map<string, Entity>();
  private readonly queues = new Map<string, MessageQueue>();
  private hops = 0;

  constructor(private readonly options: BrokerOptions) {
    for (const queue of options.queues) this.addQueue(queue);
    for (const topic of options.topics ?? []) {
      this.addTopic(topic);
      for (const subscription of topic.subscriptions ?? []) this.addSubscription(topic.name, subscription);
    }
  }

  /** Addresses are compared without regard to case, as Azure does. */
  find(address: string): MessageQueue | undefined {
    return this.queues.get(address.toLowerCase());
  }

  entity(address: string): Entity | undefined {
    return this.entities.get(address.toLowerCase());
  }

  list(): MessageQueue[] {
    return [...this.queues.values()];
  }

  subscription(queue: MessageQueue): Subscription | undefined {
    const entity = this.entities.get(queue.name);
    return entity?.kind === "subscription" ? entity : undefined;
  }

  listEntities(): Entity[] {
    return [...this.entities.values()];
  }

  subscriptionsOf(topic: string): Subscription[] {
    const prefix = `${topic.toLowerCase()}/subscriptions/`;
    return this.listEntities().filter(
      (entity): entity is Subscription => entity.kind === "subscription" && entity.queue.name.startsWith(prefix),
    );
  }

  restore(snapshotOf: (queue: string) => QueueSnapshot, now: number): void {
    // All of them before any: a queue may bury messages in another, or forward them.
    for (const queue of this.list()) queue.restore(snapshotOf(queue.name));
    for (const queue of this.list()) queue.resume(now);
  }

  counts(name: string): EntityCounts | undefined {
    const queue = this.find(name)?.counts();
    if (!queue) return undefined;
    return { ...queue, deadLetter: this.find(name + deadLetterSuffix)?.counts().active ?? 0 };
  }

  addQueue(options: QueueOptions, createdAt = 0): void {
    const duplicateWindowMs = (options.duplicateDetectionSeconds ?? 600) * 1000;
    const pair = this.addReceivable(options.name.toLowerCase(), options, duplicateWindowMs);
    this.entities.set(pair.queue.name, { kind: "queue", options, createdAt, ...pair });
  }

  addTopic(options: TopicOptions, createdAt = 0): void {
    const name = options.name.toLowerCase();
    const queue = this.addMessages({
      ...this.shared(name, options),
      maxDeliveries: Infinity,
      duplicateWindowMs: (options.duplicateDetectionSeconds ?? 0) * 1000,
      forward: (message, now) => this.publish(name, message, now),
    });
    this.entities.set(name, { kind: "topic", options, createdAt, queue });
  }

  addSubscription(topic: string, options: SubscriptionOptions, createdAt = 0): void {
    const name = `${topic}/subscriptions/${options.name}`.toLowerCase();
    const rules = new Rules(options.rules ?? [defaultRule]);
    const pair = this.addReceivable(name, options, 0);
    this.entities.set(name, { kind: "subscription", topic, options, createdAt, rules, ...pair });
  }

  /** Removes an entity, with a topic its subscriptions, and all messages. */
  remove(address: string): boolean {
    const entity = this.entity(address);
    if (!entity) return false;
    if (entity.kind === "topic") for (const { queue } of this.subscriptionsOf(address)) this.remove(queue.name);
    for (const name of [entity.queue.name, entity.queue.name + deadLetterSuffix]) {
      if (this.queues.delete(name)) this.options.record({ kind: "drop", queue: name });
    }
    this.entities.delete(entity.queue.name);
    return true;
  }

  changeRules(subscription: Subscription, change: (rules: Rules) => RuleChange): RuleChange {
    const outcome = change(subscription.rules);
    if (outcome === "done") this.recordRules(subscription.queue.name, subscription.rules.list());
    return outcome;
  }

  /** Rules that were changed in a previous life win over those that a subscription is declared with. */
  restoreRules(name: string, rules: readonly RuleOptions[]): void {
    const entity = this.entity(name);
    if (entity?.kind !== "subscription") return;
    this.entities.set(entity.queue.name, { ...entity, rules: new Rules(rules) });
  }

  private recordRules(queue: string, rules: readonly RuleOptions[]): void {
    this.options.record({
      kind: "define",
      queue: `${queue}/rules`,
      entity: { kind: "rules", json: JSON.stringify(rules) },
    });
  }

  private publish(topic: string, message: StoredMessage, now: number): undefined {
    const subscriptions = this.subscriptionsOf(topic);
    if (subscriptions.length === 0) return undefined;
    const filtered = filteredMessage(message.content);
    for (const { rules, queue } of subscriptions) if (rules.matches(filtered)) queue.takeOver(message, now);
    return undefined;
  }

  private addReceivable(name: string, options: QueueOptions | SubscriptionOptions, duplicateWindowMs: number) {
    const shared = this.shared(name, options);
    const { forwardTo, forwardDeadLetteredMessagesTo: deadTo, maxDeliveryCount, requiresSession } = options;
    const deadLetters = this.addMessages({
      ...{ ...shared, defaultTtlMs: undefined, name: name + deadLetterSuffix },
      ...{ maxDeliveries: Infinity, duplicateWindowMs: 0 },
      forward: deadTo ? (message, now) => this.forward(deadTo, message, now) : undefined,
    });
    const queue = this.addMessages({
      ...{ ...shared, deadLetters, duplicateWindowMs, requiresSession },
      maxDeliveries: maxDeliveryCount ?? 10,
      deadLettersExpired: options.deadLetteringOnMessageExpiration,
      forward: forwardTo ? (message, now) => this.forward(forwardTo, message, now) : undefined,
    });
    return { queue, deadLetters };
  }

  private forward(to: string, message: StoredMessage, now: number): Properties | undefined {
    const destination = this.find(to);
    if (!destination) return deadLetterReasons.noDestination;
    if (this.hops >= mostHops) return deadLetterReasons.tooManyHops;
    this.hops += 1;
    try {
      destination.takeOver(message, now);
    } finally {
      this.hops -= 1;
    }
    return undefined;
  }

  private shared(name: string, { defaultTtlSeconds, ...options }: QueueOptions | SubscriptionOptions | TopicOptions) {
    const lockMs = ("lockSeconds" in options ? (options.lockSeconds ?? 60) : 60) * 1000;
    const defaultTtlMs = defaultTtlSeconds === undefined ? undefined : defaultTtlSeconds * 1000;
    const { record, newLockToken } = this.options;
    return { name, lockMs, defaultTtlMs, record, newLockToken };
  }

  private addMessages(options: MessageQueueOptions): MessageQueue {
    const queue = new MessageQueue(options);
    this.queues.set(queue.name, queue);
    return queue;
  }
}
