import { z } from "zod";
import { resourceNotFound } from "../arm-errors";
import type { CloudWorld } from "../cloud-world";
import { enumOf } from "../enum-of";
import { parseBody } from "../parse-body";
import { requireGroup } from "../resource-access";
import { isSame } from "../resource-store";
import type { ArmReply, ArmRequest, ArmRoute } from "../route";
import { checkTags, type Tags } from "./tag-rules";

const TYPE = "Microsoft.Resources/tags";

const Properties = z.looseObject({ tags: z.record(z.string(), z.string()).default({}) });
const TagsBody = z.looseObject({ properties: Properties });
const TagsPatch = z.looseObject({
  operation: enumOf(["Merge", "Replace", "Delete"]),
  properties: Properties,
});

/** The tags of a subscription, a group or a resource by themselves: https://learn.microsoft.com/rest/api/resources/tags */
export function createTagRoutes(world: CloudWorld): ArmRoute[] {
  const item = { level: "any", type: TYPE, isItem: true } as const;
  return [
    {
      ...item,
      method: "GET",
      action: `${TYPE}/read`,
      handle: (request) => view(request, targetOf(world, request).tags),
    },
    { ...item, method: "PUT", action: `${TYPE}/write`, handle: (request) => put(world, request) },
    { ...item, method: "PATCH", action: `${TYPE}/write`, handle: (request) => patch(world, request) },
    { ...item, method: "DELETE", action: `${TYPE}/delete`, handle: (request) => remove(world, request) },
  ];
}

interface Target {
  readonly type: string;
  readonly tags: Tags;
  readonly write: (tags: Tags) => void;
}

function targetOf(world: CloudWorld, request: ArmRequest): Target {
  const { scope, subscriptionId = "", group, names } = request.path;
  const isDefault = isSame(names.at(-1) ?? "", "default");
  if (!isDefault) throw resourceNotFound(`${TYPE}/${names.at(-1) ?? ""}`, group ?? "");
  if (isSame(scope, `/subscriptions/${subscriptionId}`)) {
    const key = subscriptionId.toLowerCase();
    return {
      type: "Microsoft.Resources/subscriptions",
      tags: world.subscriptionTags.get(key) ?? {},
      write: (tags) => void world.subscriptionTags.set(key, tags),
    };
  }
  if (group !== undefined) requireGroup(world, request);
  const known = world.resources.get(scope);
  if (!known)
    throw resourceNotFound(
      scope.slice(scope.toLowerCase().lastIndexOf("/providers/") + "/providers/".length),
      group ?? "",
    );
  return {
    type: known.type,
    tags: (known.body["tags"] ?? {}) as Tags, // checked when it was written
    write: (tags) => void world.resources.change(known.id, { body: { tags } }),
  };
}

function view({ path }: ArmRequest, tags: Tags): ArmReply {
  return {
    status: 200,
    body: { id: `${path.scope}/providers/${TYPE}/default`, name: "default", type: TYPE, properties: { tags } },
  };
}

function put(world: CloudWorld, request: ArmRequest): ArmReply {
  const { tags } = parseBody(TagsBody, request.body).properties;
  return write(targetOf(world, request), request, tags);
}

function patch(world: CloudWorld, request: ArmRequest): ArmReply {
  const { operation, properties } = parseBody(TagsPatch, request.body);
  const target = targetOf(world, request);
  return write(target, request, PATCHES[operation](target.tags, properties.tags));
}

function remove(world: CloudWorld, request: ArmRequest): ArmReply {
  targetOf(world, request).write({});
  return { status: 200 };
}

function write({ type, write: keep }: Target, request: ArmRequest, tags: Tags): ArmReply {
  checkTags(tags, type);
  keep(tags);
  return view(request, tags);
}

/** A tag's name has no case, its value has. */
const PATCHES = {
  Replace: (_known: Tags, given: Tags): Tags => given,
  Merge: (known: Tags, given: Tags): Tags => {
    const kept = Object.entries(known).filter(([name]) => !Object.keys(given).some((one) => isSame(one, name)));
    return { ...Object.fromEntries(kept), ...given };
  },
  /** By names, or by names and values. */
  Delete: (known: Tags, given: Tags): Tags => {
    const isGone = ([name, value]: readonly [string, string]): boolean =>
      Object.entries(given).some(([one, wanted]) => isSame(one, name) && (wanted === "" || wanted === value));
    return Object.fromEntries(Object.entries(known).filter((tag) => !isGone(tag)));
  },
} as const;
