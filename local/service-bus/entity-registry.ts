import type { Broker } from "./broker";
import { deadLetterSuffix } from "./broker";
import type { QueueOptions, SubscriptionOptions, TopicOptions } from "./entity-options";
import type { RuleOptions } from "./rules";
import type { Change } from "./stored-message";

export type NewEntity =
  | { readonly kind: "queue"; readonly options: QueueOptions }
  | { readonly kind: "topic"; readonly options: TopicOptions }
  | { readonly kind: "subscription"; readonly topic: string; readonly options: SubscriptionOptions };

interface StoredEntity {
  readonly name: string;
  readonly kind: string;
  readonly json: string;
}

interface RegistryParts {
  readonly broker: Broker;
  readonly record: (change: Change) => void;
  readonly now: () => number;
  /** Closes the links of a queue that is gone. */
  readonly dissolve: (queueName: string) => void;
}

/** The entities that clients make and delete at run time. What was declared at the start comes back with the next start. */
export class EntityRegistry {
  constructor(private readonly parts: RegistryParts) {}

  /** Brings back what was made, and the rules that were changed, in a previous life. */
  restore(stored: readonly StoredEntity[]): void {
    const { broker } = this.parts;
    // The order of names puts a topic before its subscriptions, and those before their rules.
    for (const { name, kind, json } of stored) {
      if (kind === "rules") {
        broker.restoreRules(name.replace(/\/rules$/, ""), JSON.parse(json) as RuleOptions[]);
      } else if (!broker.entity(name)) {
        const { createdAt, ...entity } = JSON.parse(json) as NewEntity & { readonly createdAt: number };
        this.add(entity, createdAt);
      }
    }
  }

  create(entity: NewEntity): void {
    const createdAt = this.parts.now();
    this.add(entity, createdAt);
    const json = JSON.stringify({ ...entity, createdAt });
    this.parts.record({ kind: "define", queue: addressOf(entity), entity: { kind: entity.kind, json } });
  }

  /** With a topic go its subscriptions. */
  remove(address: string): boolean {
    const { broker, record, dissolve } = this.parts;
    const entity = broker.entity(address);
    if (!entity) return false;
    const parts = entity.kind === "topic" ? broker.subscriptionsOf(address).map(({ queue }) => queue.name) : [];
    for (const name of [...parts, entity.queue.name]) {
      broker.remove(name);
      for (const queue of [name, name + deadLetterSuffix]) dissolve(queue);
      for (const queue of [name, `${name}/rules`]) record({ kind: "undefine", queue });
    }
    return true;
  }

  private add(entity: NewEntity, createdAt: number): void {
    const { broker } = this.parts;
    switch (entity.kind) {
      case "queue":
        broker.addQueue(entity.options, createdAt);
        break;
      case "topic":
        broker.addTopic(entity.options, createdAt);
        break;
      case "subscription":
        // Its topic may have been declared, and be declared no more.
        if (broker.entity(entity.topic)?.kind === "topic")
          broker.addSubscription(entity.topic, entity.options, createdAt);
        break;
    }
  }
}

function addressOf(entity: NewEntity): string {
  const { name } = entity.options;
  return (entity.kind === "subscription" ? `${entity.topic}/subscriptions/${name}` : name).toLowerCase();
}
