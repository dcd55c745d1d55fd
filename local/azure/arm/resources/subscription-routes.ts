import { isWithin } from "../authorization/access-control";
import type { CloudWorld } from "../cloud-world";
import { pageReply } from "../paging";
import { type ArmReply, type ArmRequest, type ArmRoute, itemRoute, listRoute } from "../route";
import type { JsonObject } from "../resource-store";

const SUBSCRIPTION = "Microsoft.Resources/subscriptions";

export function createSubscriptionRoutes(world: CloudWorld): ArmRoute[] {
  return [
    {
      method: "GET",
      level: "tenant",
      type: SUBSCRIPTION,
      isItem: false,
      handle: (request) => listSubscriptions(world, request),
    },
    {
      method: "GET",
      level: "tenant",
      type: "Microsoft.Resources/tenants",
      isItem: false,
      handle: () => ({ status: 200, body: tenants(world) }),
    },
    itemRoute("GET", ["tenant", SUBSCRIPTION], ({ path }) => ({
      status: 200,
      body: subscriptionView(world, path.subscriptionId ?? ""),
    })),
    listRoute(["subscription", `${SUBSCRIPTION}/locations`], ({ path }) => ({
      status: 200,
      body: locations(world, path.subscriptionId ?? ""),
    })),
  ];
}

function subscriptionView({ directory, subscriptionTags }: CloudWorld, subscriptionId: string): JsonObject {
  const tags = subscriptionTags.get(subscriptionId.toLowerCase());
  return {
    id: `/subscriptions/${subscriptionId}`,
    authorizationSource: "RoleBased",
    managedByTenants: [],
    ...(tags ? { tags } : {}),
    subscriptionId,
    tenantId: directory.tenantId,
    displayName: "Local subscription",
    state: "Enabled",
    subscriptionPolicies: {
      locationPlacementId: "Public_2014-09-01",
      quotaId: "PayAsYouGo_2014-09-01",
      spendingLimit: "Off",
    },
  };
}

/** Only the subscriptions in which the caller holds some role, on whatever scope. */
function listSubscriptions(world: CloudWorld, request: ArmRequest): ArmReply {
  const own = world.access.heldBy(request.caller.objectId);
  const rows = world.subscriptionIds.filter((id) =>
    own.some(({ scope }) => isWithin(scope, `/subscriptions/${id}`) || isWithin(`/subscriptions/${id}`, scope)),
  );
  const more = { count: { type: "Total", value: rows.length } };
  return pageReply(world, request, { rows, keyOf: (id) => id, view: (id) => subscriptionView(world, id), more });
}

const tenants = ({ directory }: CloudWorld): JsonObject => ({
  value: [
    {
      id: `/tenants/${directory.tenantId}`,
      tenantId: directory.tenantId,
      displayName: "Local directory",
      tenantCategory: "Home",
    },
  ],
});

const locations = (world: CloudWorld, subscriptionId: string): JsonObject => ({
  value: world.locations.map((name) => ({
    id: `/subscriptions/${subscriptionId}/locations/${name}`,
    name,
    type: "Region",
    displayName: name,
    regionalDisplayName: name,
  })),
});
