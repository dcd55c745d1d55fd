import { ArmError } from "../arm-error";
import { type ArmReply, type ArmRoute, itemRoute, listRoute } from "../route";

export interface TopicType {
  readonly name: string;
  readonly provider: string;
  readonly displayName: string;
  readonly description: string;
  readonly resourceRegionType: "GlobalResource" | "RegionalResource";
  readonly eventTypes: readonly string[];
}

const RESOURCE_EVENTS = ["Write", "Delete", "Action"].flatMap((kind) =>
  ["Success", "Failure", "Cancel"].map((result) => `Microsoft.Resources.Resource${kind}${result}`),
);
const HEALTH = "Microsoft.ResourceNotifications.HealthResources";

export const TOPIC_TYPES: readonly TopicType[] = [
  {
    name: "Microsoft.Resources.Subscriptions",
    provider: "Microsoft.Resources",
    displayName: "Azure Subscriptions",
    description: "Resource management events in Azure subscriptions",
    resourceRegionType: "GlobalResource",
    eventTypes: RESOURCE_EVENTS,
  },
  {
    name: "Microsoft.Resources.ResourceGroups",
    provider: "Microsoft.Resources",
    displayName: "Resource Groups",
    description: "Resource management events in a resource group",
    resourceRegionType: "GlobalResource",
    eventTypes: RESOURCE_EVENTS,
  },
  {
    name: HEALTH,
    provider: "Microsoft.ResourceNotifications",
    displayName: "Azure Resource Notifications - Health Resources",
    description: "Changes of the health of the resources in an Azure subscription",
    resourceRegionType: "GlobalResource",
    eventTypes: [`${HEALTH}.AvailabilityStatusChanged`, `${HEALTH}.ResourceAnnotated`],
  },
  {
    name: "Microsoft.EventGrid.Topics",
    provider: "Microsoft.EventGrid",
    displayName: "Event Grid Topics",
    description: "Custom events of Event Grid topics",
    resourceRegionType: "RegionalResource",
    eventTypes: [],
  },
];

export const findTopicType = (name: string): TopicType | undefined =>
  TOPIC_TYPES.find((one) => one.name.toLowerCase() === name.toLowerCase());

const AT = ["tenant", "Microsoft.EventGrid/topicTypes"] as const;
const EVENT_TYPES = "Microsoft.EventGrid/topicTypes/eventTypes";

/** What may be subscribed to. Only what the embedded cloud publishes is in it. */
export function createTopicTypeRoutes(): ArmRoute[] {
  const find = (name: string): TopicType => {
    const found = findTopicType(name);
    if (found) return found;
    throw new ArmError(404, { code: "ResourceNotFound", message: `The topic type '${name}' was not found.` });
  };
  // Everybody who is signed in may read the catalogue.
  const open = (route: ArmRoute): ArmRoute => {
    const { action: _action, ...rest } = route;
    return rest;
  };
  return [
    open(listRoute(AT, () => ({ status: 200, body: { value: TOPIC_TYPES.map(typeBody) } }))),
    open(itemRoute("GET", AT, ({ path }) => ({ status: 200, body: typeBody(find(path.names[0] ?? "")) }))),
    open(listRoute(["tenant", EVENT_TYPES], ({ path }) => eventTypesOf(find(path.names[0] ?? "")))),
  ];
}

const typeBody = ({ name, eventTypes: _types, ...properties }: TopicType) => ({
  id: `providers/Microsoft.EventGrid/topicTypes/${name}`,
  name,
  type: "Microsoft.EventGrid/topicTypes",
  properties: { ...properties, provisioningState: "Succeeded", supportedLocations: [] },
});

function eventTypesOf({ name, eventTypes }: TopicType): ArmReply {
  const value = eventTypes.map((type) => ({
    id: `providers/Microsoft.EventGrid/topicTypes/${name}/eventTypes/${type}`,
    name: type,
    type: EVENT_TYPES,
    properties: { displayName: type.slice(type.lastIndexOf(".") + 1), isInDefaultSet: true },
  }));
  return { status: 200, body: { value } };
}
