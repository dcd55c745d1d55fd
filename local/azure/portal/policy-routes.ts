import { z } from "zod";
import type { CloudWorld } from "../arm/cloud-world";
import type { WireReply, WireRequest } from "../http/wire";
import { refuse, withBody } from "./portal-body";

const names = z.array(z.string().min(1)).min(1).optional();

const Rule = z
  .strictObject({
    displayName: z.string().min(1).optional(),
    scope: z
      .string()
      .regex(/^\/subscriptions\/[^/]+/i)
      .optional(),
    resourceTypes: names,
    allowedLocations: names,
    requiredTags: names,
  })
  .refine((rule) => rule.resourceTypes ?? rule.allowedLocations ?? rule.requiredTags, "A rule must name something.");

/**
 * Deny policies: `PUT /policies/{name} { displayName?, scope?, resourceTypes?, allowedLocations?, requiredTags? }`, `GET /policies`,
 * `DELETE /policies/{name}`. What meets all members that are named is refused; the scope is the first subscription by default.
 */
export function answerPolicies(world: CloudWorld, request: WireRequest, name: string): WireReply {
  if (request.method === "GET" && name === "") return { status: 200, body: { value: world.denyRules.all() } };
  if (request.method === "PUT" && name !== "")
    return withBody(request, Rule, ({ displayName = name, scope, ...rule }): WireReply => {
      const known = world.denyRules.put({
        name,
        displayName,
        scope: scope?.replace(/\/+$/, "") ?? `/subscriptions/${world.subscriptionIds[0] ?? ""}`,
        ...rule,
      });
      return { status: 200, body: known };
    });
  if (request.method === "DELETE" && name !== "" && world.denyRules.delete(name)) return { status: 204 };
  return refuse(404, { code: "NotFound", message: `The portal has no ${request.method} ${request.path}.` });
}
