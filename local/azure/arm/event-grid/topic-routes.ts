import { randomBytes } from "node:crypto";
import { z } from "zod";
import type { InputMapping } from "../../../event-grid/published-events";
import type { PublishTopic } from "../../../event-grid/topic-endpoint";
import type { TopicKeys } from "../../../event-grid/topic-credentials";
import type { CloudWorld } from "../cloud-world";
import { parseBody } from "../parse-body";
import { newResource, requireGroup, requireLocation, requireResource } from "../resource-access";
import { isSame, type JsonObject, propertiesOf, type StoredResource } from "../resource-store";
import { actionRoute, type ArmReply, type ArmRequest, type ArmRoute, itemRoute } from "../route";
import { createSimpleRoutes, type SimpleType } from "../simple-resource";
import { invalidRequest, quotaReached, topicNameLength, topicNameTaken } from "./event-grid-errors";
import { TOPIC_TYPE } from "./event-sources";
import { buildIdentity, IdentityBody } from "./topic-identity";

const Mapped = z.looseObject({ sourceField: z.string().nullish(), defaultValue: z.string().nullish() }).nullish();
const Mapping = z.looseObject({
  inputSchemaMappingType: z.literal("Json"),
  properties: z.looseObject({
    id: Mapped,
    topic: Mapped,
    eventTime: Mapped,
    eventType: Mapped,
    subject: Mapped,
    dataVersion: Mapped,
  }),
});
const Properties = z.looseObject({
  inputSchema: z.enum(["EventGridSchema", "CloudEventSchemaV1_0", "CustomEventSchema"]).optional(),
  inputSchemaMapping: Mapping.nullish(),
  publicNetworkAccess: z.enum(["Enabled", "Disabled"]).optional(),
  disableLocalAuth: z.boolean().optional(),
  inboundIpRules: z.array(z.looseObject({})).optional(),
});
const tags = z.record(z.string(), z.string()).optional();
const TopicBody = z.looseObject({
  location: z.string().optional(),
  tags,
  identity: IdentityBody.optional(),
  properties: Properties.optional(),
});
const TopicPatch = z.looseObject({ tags, identity: IdentityBody.optional(), properties: Properties.optional() });
const KeyBody = z.looseObject({ keyName: z.enum(["key1", "key2"]) });

const AT = ["group", TOPIC_TYPE] as const;
/** https://learn.microsoft.com/azure/event-grid/quotas-limits: per region and subscription. */
const MAX_TOPICS = 100;
const NAME = /^[a-z0-9-]{3,50}$/i;

/** Custom topics: what is published to them, and with which keys. They are there as soon as they are answered. */
export function createTopicRoutes(
  world: CloudWorld,
  { simple, endpointOf }: { simple: SimpleType; endpointOf: (name: string, location: string) => string },
): ArmRoute[] {
  return [
    ...createSimpleRoutes(world, simple).filter(({ method }) => method !== "PUT" && method !== "PATCH"),
    itemRoute("PUT", AT, (request) => putTopic(world, request, endpointOf)),
    itemRoute("PATCH", AT, (request) => patchTopic(world, request)),
    actionRoute(["group", `${TOPIC_TYPE}/listKeys`], (request) => ({
      status: 200,
      body: { ...keysOf(requireResource(world, request)) },
    })),
    actionRoute(["group", `${TOPIC_TYPE}/regenerateKey`], (request) => regenerateKey(world, request)),
  ];
}

const newKey = (): string => randomBytes(32).toString("base64");

function keysOf({ hidden }: StoredResource): TopicKeys {
  return { key1: String(hidden["key1"]), key2: String(hidden["key2"]) };
}

function putTopic(
  world: CloudWorld,
  request: ArmRequest,
  endpointOf: (name: string, location: string) => string,
): ArmReply {
  requireGroup(world, request);
  const body = parseBody(TopicBody, request.body);
  const { id, group = "", subscriptionId = "", names } = request.path;
  const name = names[0] ?? "";
  const known = world.resources.get(id);
  const location = requireLocation(world, { given: body.location, type: TOPIC_TYPE, known });
  checkName(world, { id, name, location });
  const inputSchema = body.properties?.inputSchema ?? "EventGridSchema";
  if (known && propertiesOf(known)["inputSchema"] !== inputSchema)
    throw invalidRequest("The input schema of a topic cannot be changed.");
  if (!known && countIn(world, subscriptionId, location) >= MAX_TOPICS)
    throw quotaReached("topics in a region", MAX_TOPICS);
  const identity = buildIdentity(world, request, body.identity);
  const { inputSchemaMapping, ...properties } = body.properties ?? {};
  const fresh = newResource(
    { id: known?.id ?? id, type: TOPIC_TYPE, group, subscriptionId },
    {
      location,
      tags: body.tags ?? {},
      ...(identity ? { identity } : {}),
      properties: {
        publicNetworkAccess: "Enabled",
        disableLocalAuth: false,
        inboundIpRules: [],
        ...properties,
        inputSchema,
        ...(inputSchemaMapping ? { inputSchemaMapping } : {}),
        provisioningState: "Succeeded",
        endpoint: endpointOf(name, location),
        metricResourceId: known ? propertiesOf(known)["metricResourceId"] : crypto.randomUUID(),
      },
    },
  );
  const hidden = known?.hidden ?? { key1: newKey(), key2: newKey() };
  const stored = world.resources.put({ ...fresh, hidden, createdAt: known?.createdAt ?? fresh.createdAt });
  return { status: known ? 200 : 201, body: stored.body };
}

function checkName(world: CloudWorld, { id, name, location }: { id: string; name: string; location: string }): void {
  if (!NAME.test(name) || /^(microsoft|eventgrid|system)/i.test(name)) throw topicNameLength();
  const isTaken = world.resources
    .ofType(TOPIC_TYPE)
    .some((one) => isSame(one.name, name) && one.body["location"] === location && !isSame(one.id, id));
  if (isTaken) throw topicNameTaken();
}

const countIn = (world: CloudWorld, subscriptionId: string, location: string): number =>
  world.resources
    .ofType(TOPIC_TYPE)
    .filter((one) => isSame(one.subscriptionId, subscriptionId) && one.body["location"] === location).length;

function patchTopic(world: CloudWorld, request: ArmRequest): ArmReply {
  const known = requireResource(world, request);
  const given = parseBody(TopicPatch, request.body);
  const identity = given.identity ? { identity: buildIdentity(world, request, given.identity) } : {};
  const { publicNetworkAccess, disableLocalAuth, inboundIpRules } = given.properties ?? {};
  const asked = Object.entries({ publicNetworkAccess, disableLocalAuth, inboundIpRules }).filter(
    ([, value]) => value !== undefined,
  );
  const properties = { ...propertiesOf(known), ...(Object.fromEntries(asked) as JsonObject) };
  const body = { ...(given.tags ? { tags: given.tags } : {}), ...identity, properties };
  return { status: 200, body: (world.resources.change(known.id, { body }) ?? known).body };
}

function regenerateKey(world: CloudWorld, request: ArmRequest): ArmReply {
  const known = requireResource(world, request);
  const { keyName } = parseBody(KeyBody, request.body);
  const changed = world.resources.change(known.id, { hidden: { [keyName]: newKey() } }) ?? known;
  return { status: 200, body: { ...keysOf(changed) } };
}

/** The topic as its endpoint needs it. */
export function toPublishTopic(resource: StoredResource): PublishTopic {
  const properties = propertiesOf(resource);
  const mapping = (properties["inputSchemaMapping"] as { properties?: InputMapping } | undefined)?.properties; // checked by the schema above
  return {
    id: resource.id,
    endpoint: String(properties["endpoint"]),
    inputSchema: properties["inputSchema"] as PublishTopic["inputSchema"], // likewise
    mapping,
    keys: keysOf(resource),
    disableLocalAuth: properties["disableLocalAuth"] === true,
    isPublic: properties["publicNetworkAccess"] !== "Disabled",
  };
}
