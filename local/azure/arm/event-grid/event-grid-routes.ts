import type { CloudWorld } from "../cloud-world";
import { isSame, type StoredResource } from "../resource-store";
import type { ArmRoute } from "../route";
import type { SimpleType } from "../simple-resource";
import { type EventGridService, hostOf } from "./event-grid-service";
import { parentOf, SUBSCRIPTION_TYPES, SYSTEM_TOPIC_TYPE, TOPIC_TYPE } from "./event-sources";
import { createSubscriptionRoutes } from "./event-subscription-routes";
import { removeSubscription } from "./subscription-operations";
import { createSystemTopicRoutes } from "./system-topic-routes";
import { createTopicRoutes } from "./topic-routes";
import { createTopicTypeRoutes } from "./topic-types";

/** The provider Microsoft.EventGrid, as far as push delivery of custom and system topics goes. */
export function createEventGridRoutes(world: CloudWorld, service: EventGridService): ArmRoute[] {
  const { work } = service;
  const afterDelete = (topic: StoredResource): void => {
    world.directory.removeManagedIdentity(topic.id);
    for (const one of SUBSCRIPTION_TYPES.flatMap((type) => world.resources.ofType(type)))
      if (isSame(parentOf(one), topic.id)) {
        world.operations.preempt(one.id);
        removeSubscription(world, work, one.id);
      }
  };
  const simple = (type: string): SimpleType => ({ type, deletes: "later", properties: () => ({}), afterDelete });
  return [
    ...createTopicRoutes(world, {
      simple: simple(TOPIC_TYPE),
      endpointOf: (name, location) => `${work.baseUrl()}/eventgrid/topics/${hostOf(name, location)}/api/events`,
    }),
    ...createSystemTopicRoutes(world, simple(SYSTEM_TOPIC_TYPE)),
    ...createSubscriptionRoutes(world),
    ...createTopicTypeRoutes(),
  ];
}
