import type { InputSchema } from "../../../event-grid/grid-event";
import { isWithin } from "../authorization/access-control";
import type { CloudWorld } from "../cloud-world";
import { GROUP_TYPE, isSame, propertiesOf, type StoredResource } from "../resource-store";
import type { ResourceEvent } from "../resource-events";
import { findTopicType, type TopicType } from "./topic-types";

export const TOPIC_TYPE = "Microsoft.EventGrid/topics";
export const SYSTEM_TOPIC_TYPE = "Microsoft.EventGrid/systemTopics";
export const EXTENSION_TYPE = "Microsoft.EventGrid/eventSubscriptions";
export const SUBSCRIPTION_TYPES = [
  EXTENSION_TYPE,
  `${TOPIC_TYPE}/eventSubscriptions`,
  `${SYSTEM_TOPIC_TYPE}/eventSubscriptions`,
] as const;

/** Where the events of a subscription come from. */
export interface EventSource {
  /** The subscription, the group, or the custom topic. */
  readonly scope: string;
  readonly topicType: TopicType;
  readonly inputSchema: InputSchema;
  /** The topic that may have an identity; absent for an extension of a group or a subscription. */
  readonly topic: StoredResource | undefined;
}

/** The source behind what an event subscription hangs on; undefined for what publishes nothing here. */
export function sourceOf(world: CloudWorld, parentId: string): EventSource | undefined {
  const found = world.resources.get(parentId);
  if (found && isSame(found.type, SYSTEM_TOPIC_TYPE)) {
    const { source, topicType } = propertiesOf(found);
    const type = findTopicType(String(topicType));
    return type && { scope: String(source), topicType: type, inputSchema: "EventGridSchema", topic: found };
  }
  if (found && isSame(found.type, TOPIC_TYPE)) {
    const inputSchema = propertiesOf(found)["inputSchema"] as InputSchema; // checked when the topic was written
    const type = findTopicType("Microsoft.EventGrid.Topics");
    return type && { scope: found.id, topicType: type, inputSchema, topic: found };
  }
  if (found && isSame(found.type, GROUP_TYPE)) return extension(found.id, "Microsoft.Resources.ResourceGroups");
  const isSubscription = /^\/subscriptions\/[^/]+$/i.test(parentId);
  return isSubscription ? extension(parentId, "Microsoft.Resources.Subscriptions") : undefined;
}

function extension(scope: string, topicType: string): EventSource | undefined {
  const type = findTopicType(topicType);
  return type && { scope, topicType: type, inputSchema: "EventGridSchema", topic: undefined };
}

/** What an event subscription hangs on: its topic, or the scope that it extends. */
export function parentOf({ id, type }: Pick<StoredResource, "id" | "type">): string {
  const marker = isSame(type, EXTENSION_TYPE)
    ? "/providers/microsoft.eventgrid/eventsubscriptions/"
    : "/eventsubscriptions/";
  return id.slice(0, id.toLowerCase().lastIndexOf(marker));
}

/** The event as this source publishes it; undefined for one from elsewhere, or of another kind. */
export function publishedBy(source: EventSource, event: ResourceEvent): ResourceEvent | undefined {
  const isKnown = source.topicType.eventTypes.some((type) => isSame(type, event.eventType));
  // The group's own deletion and writes are events of the group, too.
  return isKnown && isWithin(event.subject, source.scope) ? { ...event, topic: source.scope } : undefined;
}
