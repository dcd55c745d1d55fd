import { z } from "zod";
import { invalidParameter } from "../arm-errors";
import { authorizeLinked } from "../authorization/authorize";
import type { CloudWorld } from "../cloud-world";
import { parseBody } from "../parse-body";
import { newResource, requireGroup, requireResource } from "../resource-access";
import { isSame, locationName, propertiesOf, type StoredResource } from "../resource-store";
import { type ArmReply, type ArmRequest, type ArmRoute, itemRoute } from "../route";
import { createSimpleRoutes, type SimpleType } from "../simple-resource";
import { invalidRequest, oneTopicForSource, unsupportedSource, unsupportedTopicType } from "./event-grid-errors";
import { SYSTEM_TOPIC_TYPE } from "./event-sources";
import { buildIdentity, IdentityBody } from "./topic-identity";
import { findTopicType, TOPIC_TYPES } from "./topic-types";

const tags = z.record(z.string(), z.string()).optional();
const SystemTopicBody = z.looseObject({
  location: z.string().optional(),
  tags,
  identity: IdentityBody.optional(),
  properties: z.looseObject({ source: z.string(), topicType: z.string() }),
});
const SystemTopicPatch = z.looseObject({ tags, identity: IdentityBody.optional() });

const AT = ["group", SYSTEM_TOPIC_TYPE] as const;
const NAME = /^[a-z0-9-]{3,128}$/i;

/** System topics of subscriptions, resource groups and health resources; all of them are global. */
export function createSystemTopicRoutes(world: CloudWorld, simple: SimpleType): ArmRoute[] {
  return [
    ...createSimpleRoutes(world, simple).filter(({ method }) => method !== "PUT" && method !== "PATCH"),
    itemRoute("PUT", AT, (request) => putSystemTopic(world, request)),
    itemRoute("PATCH", AT, (request) => patchSystemTopic(world, request)),
  ];
}

function putSystemTopic(world: CloudWorld, request: ArmRequest): ArmReply {
  requireGroup(world, request);
  const body = parseBody(SystemTopicBody, request.body);
  const { id, group = "", subscriptionId = "", names } = request.path;
  if (!NAME.test(names[0] ?? ""))
    throw invalidRequest("System topic name must be between 3 and 128 characters in length.");
  const known = world.resources.get(id);
  const { source, topicType } = checkSource(world, { ...body.properties, subscriptionId, id });
  if (locationName(body.location ?? "") !== "global")
    throw invalidParameter("location", `The location of a system topic for '${source}' must be 'global'.`);
  if (known && !isSame(String(propertiesOf(known)["source"]), source))
    throw invalidRequest("The source of a system topic cannot be changed.");
  const linked = [{ action: "Microsoft.EventGrid/eventSubscriptions/write", scope: source }];
  authorizeLinked(world.access, request.caller, { action: `${SYSTEM_TOPIC_TYPE}/write`, scope: id, linked });
  const identity = buildIdentity(world, request, body.identity);
  const metricResourceId = known ? propertiesOf(known)["metricResourceId"] : crypto.randomUUID();
  const fresh = newResource(
    { id: known?.id ?? id, type: SYSTEM_TOPIC_TYPE, group, subscriptionId },
    {
      location: "global",
      tags: body.tags ?? {},
      ...(identity ? { identity } : {}),
      properties: { provisioningState: "Succeeded", source, topicType, metricResourceId },
    },
  );
  const stored = world.resources.put({ ...fresh, createdAt: known?.createdAt ?? fresh.createdAt });
  return { status: known ? 200 : 201, body: stored.body };
}

function patchSystemTopic(world: CloudWorld, request: ArmRequest): ArmReply {
  const known = requireResource(world, request);
  const given = parseBody(SystemTopicPatch, request.body);
  const identity = given.identity ? { identity: buildIdentity(world, request, given.identity) } : {};
  const body = { ...(given.tags ? { tags: given.tags } : {}), ...identity };
  return { status: 200, body: (world.resources.change(known.id, { body }) ?? known).body };
}

interface Asked {
  readonly source: string;
  readonly topicType: string;
  readonly subscriptionId: string;
  readonly id: string;
}

/** The source in one spelling, and the type in Azure's. */
function checkSource(world: CloudWorld, asked: Asked): { source: string; topicType: string } {
  const type = findTopicType(asked.topicType);
  const names = TOPIC_TYPES.filter((one) => one.resourceRegionType === "GlobalResource").map((one) => one.name);
  if (!type || !names.includes(type.name)) throw unsupportedTopicType(asked.topicType, names);
  const source = asked.source.replace(/\/+$/, "");
  const isGroup = type.name === "Microsoft.Resources.ResourceGroups";
  const group: StoredResource | undefined = isGroup ? world.resources.get(source) : undefined;
  const isOwn = isSame(source.split("/")[2] ?? "", asked.subscriptionId);
  const fits = isGroup ? group !== undefined : /^\/subscriptions\/[^/]+$/i.test(source);
  if (!fits || !isOwn) throw unsupportedSource(asked.source);
  const isTaken = world.resources.ofType(SYSTEM_TOPIC_TYPE).some((one) => {
    const properties = propertiesOf(one);
    const isAlike = isSame(String(properties["source"]), source) && properties["topicType"] === type.name;
    return isAlike && !isSame(one.id, asked.id);
  });
  if (isTaken) throw oneTopicForSource();
  return { source, topicType: type.name };
}
