import { resourceNotFound } from "../arm-errors";
import type { CloudWorld } from "../cloud-world";
import { pageById } from "../paging";
import { typeAndNames } from "../resource-access";
import { isSame, type StoredResource } from "../resource-store";
import type { ArmLevel } from "../arm-path";
import type { ArmReply, ArmRequest, ArmRoute } from "../route";
import { isWithin } from "../authorization/access-control";
import { shown } from "./event-subscription-record";
import { EXTENSION_TYPE, parentOf, sourceOf, SYSTEM_TOPIC_TYPE, TOPIC_TYPE } from "./event-sources";

const NAMESPACE = "Microsoft.EventGrid";

/** All the ways in which event subscriptions are listed. */
export function createSubscriptionLists(world: CloudWorld): ArmRoute[] {
  const list = (level: ArmLevel, type: string, keep: Keep): ArmRoute => ({
    method: "GET",
    level,
    type,
    isItem: false,
    action: `${EXTENSION_TYPE}/read`,
    handle: (request) => reply(world, request, { type, keep: (one) => keep(one, request) }),
  });
  const ofTopic = (type: string): ArmRoute => ({
    ...list("group", `${type}/eventSubscriptions`, (one, { path }) => isSame(parentOf(one), path.id)),
    action: `${type}/eventSubscriptions/read`,
    handle: (request) => {
      if (!world.resources.get(request.path.id))
        throw resourceNotFound(typeAndNames(request), request.path.group ?? "");
      const keep = (one: StoredResource): boolean => isSame(parentOf(one), request.path.id);
      return reply(world, request, { type: `${type}/eventSubscriptions`, keep });
    },
  });
  const scoped = (type: string, keep: Keep): ArmRoute[] =>
    (["subscription", "group"] as const).map((level) =>
      list(level, type, (one, request) => isWithin(one.id, request.path.scope) && keep(one, request)),
    );
  const isRegional = (one: StoredResource): boolean => locationOf(world, one) !== undefined;
  const isOfType = (one: StoredResource, name: string | undefined): boolean =>
    isSame(sourceOf(world, parentOf(one))?.topicType.name ?? "", name ?? "");
  const isIn = (one: StoredResource, location: string | undefined): boolean =>
    isSame(locationOf(world, one) ?? "", location ?? "");
  return [
    ofTopic(TOPIC_TYPE),
    ofTopic(SYSTEM_TOPIC_TYPE),
    list("resource", EXTENSION_TYPE, (one, { path }) => isSame(parentOf(one), path.scope)),
    ...scoped(EXTENSION_TYPE, (one) => !isRegional(one)),
    ...scoped(
      `${NAMESPACE}/topicTypes/eventSubscriptions`,
      (one, { path }) => !isRegional(one) && isOfType(one, path.names[0]),
    ),
    ...scoped(`${NAMESPACE}/locations/eventSubscriptions`, (one, { path }) => isIn(one, path.names[0])),
    ...scoped(
      `${NAMESPACE}/locations/topicTypes/eventSubscriptions`,
      (one, { path }) => isIn(one, path.names[0]) && isOfType(one, path.names[1]),
    ),
  ];
}

type Keep = (one: StoredResource, request: ArmRequest) => boolean;

/** The region of the custom topic that it is for; events of groups and subscriptions are global. */
function locationOf(world: CloudWorld, one: StoredResource): string | undefined {
  const location = sourceOf(world, parentOf(one))?.topic?.body["location"];
  return typeof location === "string" && location !== "global" ? location : undefined;
}

interface Wanted {
  readonly type: string;
  readonly keep: (one: StoredResource) => boolean;
}

function reply(world: CloudWorld, request: ArmRequest, { type, keep }: Wanted): ArmReply {
  const nested = [TOPIC_TYPE, SYSTEM_TOPIC_TYPE].map((one) => `${one}/eventSubscriptions`);
  const kind = nested.includes(type) ? type : EXTENSION_TYPE;
  return pageById(world, request, { rows: world.resources.ofType(kind).filter(keep), view: shown, takesTop: true });
}
