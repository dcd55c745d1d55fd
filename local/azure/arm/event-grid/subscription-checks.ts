import { isDeliverable } from "../../../event-grid/grid-event";
import { authorizeLinked, type LinkedPermission } from "../authorization/authorize";
import type { CloudWorld } from "../cloud-world";
import type { ArmRequest } from "../route";
import { invalidExpiration, invalidRequest, invalidSubscription } from "./event-grid-errors";
import type { EventSource } from "./event-sources";
import type { DestinationBody, SubscriptionProperties } from "./event-subscription-body";
import { missingIdentity } from "./topic-identity";

const MAX_FILTERS = 25;
const MAX_FILTER_VALUES = 25;
const NAME = /^[a-z0-9-]{3,64}$/i;

/** Refuses what Event Grid would refuse of an event subscription. */
export function checkSubscription(name: string, given: SubscriptionProperties, source: EventSource): DestinationBody {
  if (!NAME.test(name))
    throw invalidSubscription(
      "Event subscription name must be between 3 and 64 characters in length, and may hold only alphanumeric letters, digits and the '-' character.",
    );
  const destination = destinationOf(given);
  checkDestination(destination);
  checkFilter(given, source);
  checkIdentities(given, source);
  const schema = given.eventDeliverySchema ?? defaultSchema(source);
  if (!isDeliverable(source.inputSchema, schema))
    throw invalidSubscription(
      `the event delivery schema '${schema}' cannot be used for a topic whose input schema is '${source.inputSchema}'.`,
    );
  const { expirationTimeUtc: expiration } = given;
  if (expiration && !(Date.parse(expiration) > Date.now())) throw invalidExpiration();
  return destination;
}

export function defaultSchema({ inputSchema }: EventSource): "EventGridSchema" | "CloudEventSchemaV1_0" {
  return inputSchema === "CloudEventSchemaV1_0" ? "CloudEventSchemaV1_0" : "EventGridSchema";
}

export function destinationOf(given: SubscriptionProperties): DestinationBody {
  const { destination, deliveryWithResourceIdentity } = given;
  if (destination && deliveryWithResourceIdentity)
    throw invalidSubscription("only one of destination and deliveryWithResourceIdentity may be given.");
  const found = destination ?? deliveryWithResourceIdentity?.destination;
  if (!found) throw invalidSubscription("destination is missing.");
  return found;
}

/** Azure wants https from everybody; here the loopback may do without, since nothing on it leaves the computer. */
function checkDestination(destination: DestinationBody): void {
  const { properties } = destination;
  const attributes = "deliveryAttributeMappings" in properties ? properties.deliveryAttributeMappings : [];
  const reserved = (attributes as readonly { name: string }[] | null | undefined)?.find(({ name }) =>
    name.toLowerCase().startsWith("aeg-"),
  );
  if (reserved)
    throw invalidSubscription(`the delivery attribute '${reserved.name}' begins with the reserved prefix 'aeg-'.`);
  if (destination.endpointType !== "WebHook") return;
  const url = URL.parse(destination.properties.endpointUrl);
  const isLoopback = ["127.0.0.1", "localhost", "[::1]"].includes(url?.hostname ?? "");
  if (url?.protocol === "https:" || (url?.protocol === "http:" && isLoopback)) return;
  throw invalidSubscription(
    "Supplied URL is invalid. It cannot be null or empty and should be a proper HTTPS URL like https://www.example.com.",
  );
}

function checkFilter({ filter }: SubscriptionProperties, { topicType }: EventSource): void {
  const { advancedFilters = [], includedEventTypes = [] } = { ...filter };
  if ((advancedFilters?.length ?? 0) > MAX_FILTERS)
    throw invalidSubscription(`there are more than ${MAX_FILTERS} advanced filters.`);
  const values = (advancedFilters ?? []).reduce(
    (sum, one) => sum + (one.values?.length ?? (one.value === undefined ? 0 : 1)),
    0,
  );
  if (values > MAX_FILTER_VALUES)
    throw invalidSubscription(`the advanced filters have more than ${MAX_FILTER_VALUES} values in all.`);
  if (topicType.eventTypes.length === 0) return;
  const known = new Set(["all", ...topicType.eventTypes.map((type) => type.toLowerCase())]);
  const unknown = includedEventTypes?.find((type) => !known.has(type.toLowerCase()));
  if (unknown !== undefined)
    throw invalidRequest(`The event type '${unknown}' is not supported for the topic type '${topicType.name}'.`);
}

function checkIdentities(given: SubscriptionProperties, source: EventSource): void {
  for (const identity of [
    given.deliveryWithResourceIdentity?.identity,
    given.deadLetterWithResourceIdentity?.identity,
  ]) {
    const missing = identity && missingIdentity(source.topic, identity);
    if (missing) throw invalidSubscription(missing);
  }
}

const WRITES: Readonly<Record<string, string>> = {
  ServiceBusQueue: "Microsoft.ServiceBus/namespaces/queues/write",
  ServiceBusTopic: "Microsoft.ServiceBus/namespaces/topics/write",
  StorageQueue: "Microsoft.Storage/storageAccounts/write",
  AzureFunction: "Microsoft.Web/sites/functions/write",
};

/** Who subscribes must be allowed to subscribe at the source, and to write the handler: https://learn.microsoft.com/azure/event-grid/security-authorization */
export function checkLinkedPermissions(
  world: CloudWorld,
  { caller, path }: Pick<ArmRequest, "caller" | "path">,
  { source, destination }: { source: EventSource; destination: DestinationBody },
): void {
  const { endpointType, properties } = destination;
  const linked: LinkedPermission[] = [{ action: "Microsoft.EventGrid/eventSubscriptions/write", scope: source.scope }];
  if (source.topicType.name === "Microsoft.ResourceNotifications.HealthResources")
    linked.push({
      action: "Microsoft.ResourceNotifications/systemTopics/subscribeToHealthResources/action",
      scope: source.scope,
    });
  const write = WRITES[endpointType];
  if (write !== undefined && "resourceId" in properties)
    linked.push({ action: write, scope: String(properties["resourceId"]) });
  authorizeLinked(world.access, caller, { action: `${path.type}/write`, scope: path.id, linked });
}
