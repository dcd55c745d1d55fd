import type { QueueOptions, SubscriptionOptions, TopicOptions } from "./entity-options";

type Receivable = QueueOptions | SubscriptionOptions;

/** Forwarding that leads nowhere, or in a circle, is refused before anything is served. */
export function checkEntities(queues: readonly QueueOptions[], topics: readonly TopicOptions[]): void {
  const names = [...queues, ...topics].map(({ name }) => name.toLowerCase());
  const twice = names.find((name, index) => names.indexOf(name) !== index);
  if (twice !== undefined) throw new Error(`Service Bus: the entity ${twice} is declared twice.`);
  const known = new Set(names);
  const targets = new Map<string, string>();
  const check = (path: string, entity: Receivable) => {
    for (const property of ["forwardTo", "forwardDeadLetteredMessagesTo"] as const) {
      const to = entity[property]?.toLowerCase();
      if (to !== undefined && !known.has(to))
        throw new Error(`Service Bus: ${property} of ${path} names ${to}, which is neither a queue nor a topic.`);
    }
    if (entity.forwardTo !== undefined) targets.set(path.toLowerCase(), entity.forwardTo.toLowerCase());
    if (entity.requiresSession && entity.forwardTo !== undefined)
      throw new Error(`Service Bus: ${path} requires sessions; forwardTo is not allowed there.`);
  };
  for (const queue of queues) check(queue.name, queue);
  for (const topic of topics) {
    for (const subscription of topic.subscriptions ?? [])
      check(`${topic.name}/subscriptions/${subscription.name}`, subscription);
  }
  checkCircles(targets);
}

function checkCircles(targets: ReadonlyMap<string, string>): void {
  for (const start of targets.keys()) {
    const seen = new Set([start]);
    for (let at = targets.get(start); at !== undefined; at = targets.get(at)) {
      if (seen.has(at)) throw new Error(`Service Bus: forwardTo of ${start} leads back to ${at}.`);
      seen.add(at);
    }
  }
}
