import { isWithin } from "../authorization/access-control";
import type { CloudWorld } from "../cloud-world";
import { requireGroup } from "../resource-access";
import { type ArmRequest, type ArmRoute, itemRoute, listRoute } from "../route";
import { GROUP_TYPE, isSame, type JsonObject, propertiesOf, type StoredResource } from "../resource-store";

const SUBSCRIPTION = "Microsoft.Resources/subscriptions";
// Parts of other resources; Azure's lists do not show them.
const NESTED = ["Microsoft.Network/virtualNetworks/subnets"];

export function createSubscriptionRoutes(world: CloudWorld): ArmRoute[] {
  return [
    {
      method: "GET",
      level: "tenant",
      type: SUBSCRIPTION,
      isItem: false,
      handle: ({ caller }) => ({ status: 200, body: listSubscriptions(world, caller.objectId) }),
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
    {
      ...listRoute(["subscription", `${SUBSCRIPTION}/locations`], ({ path }) => ({
        status: 200,
        body: locations(world, path.subscriptionId ?? ""),
      })),
    },
    {
      ...listRoute(["subscription", `${SUBSCRIPTION}/resources`], (request) => ({
        status: 200,
        body: listResources(
          request,
          world.resources.all().filter((one) => isSame(one.subscriptionId, request.path.subscriptionId ?? "")),
        ),
      })),
      action: `${SUBSCRIPTION}/resources/read`,
    },
    {
      ...listRoute(["group", `${SUBSCRIPTION}/resourceGroups/resources`], (request) => {
        const group = requireGroup(world, request);
        return { status: 200, body: listResources(request, world.resources.inGroup(group.subscriptionId, group.name)) };
      }),
      action: "Microsoft.Resources/subscriptions/resourceGroups/resources/read",
    },
  ];
}

const subscriptionView = ({ directory }: CloudWorld, subscriptionId: string): JsonObject => ({
  id: `/subscriptions/${subscriptionId}`,
  authorizationSource: "RoleBased",
  managedByTenants: [],
  subscriptionId,
  tenantId: directory.tenantId,
  displayName: "Local subscription",
  state: "Enabled",
  subscriptionPolicies: {
    locationPlacementId: "Public_2014-09-01",
    quotaId: "PayAsYouGo_2014-09-01",
    spendingLimit: "Off",
  },
});

/** Only the subscriptions in which the caller holds some role, on whatever scope. */
function listSubscriptions(world: CloudWorld, principalId: string): JsonObject {
  const own = world.access.heldBy(principalId);
  const seen = world.subscriptionIds.filter((id) =>
    own.some(({ scope }) => isWithin(scope, `/subscriptions/${id}`) || isWithin(`/subscriptions/${id}`, scope)),
  );
  return { value: seen.map((id) => subscriptionView(world, id)), count: { type: "Total", value: seen.length } };
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

function listResources({ query }: ArmRequest, resources: readonly StoredResource[]): JsonObject {
  const keep = filterOf(query.get("$filter"));
  const expand = (query.get("$expand") ?? "").toLowerCase();
  const shown = resources.filter((one) => one.type !== GROUP_TYPE && !NESTED.includes(one.type) && keep(one));
  return { value: shown.map((one) => genericView(one, expand)) };
}

const TOP_MEMBERS = ["id", "name", "type", "location", "tags", "kind", "managedBy", "sku", "identity", "zones", "plan"];

function genericView(resource: StoredResource, expand: string): JsonObject {
  const members = TOP_MEMBERS.filter((name) => resource.body[name] !== undefined).map((name) => [
    name,
    resource.body[name],
  ]);
  return {
    ...(Object.fromEntries(members) as JsonObject),
    ...(expand.includes("createdtime") ? { createdTime: resource.createdAt } : {}),
    ...(expand.includes("changedtime") ? { changedTime: resource.changedAt } : {}),
    ...(expand.includes("provisioningstate") ? { provisioningState: propertiesOf(resource)["provisioningState"] } : {}),
  };
}

/** `resourceType eq '…'`, `tagName eq '…'` with or without `tagValue eq '…'`, joined by `and`. */
function filterOf(filter: string | null): (resource: StoredResource) => boolean {
  const wanted = (name: string): string | undefined =>
    new RegExp(`${name}\\s+eq\\s+'([^']*)'`, "i").exec(filter ?? "")?.[1];
  const [type, tagName, tagValue, location] = [
    wanted("resourceType"),
    wanted("tagName"),
    wanted("tagValue"),
    wanted("location"),
  ];
  return (resource) => {
    const tags = (resource.body["tags"] ?? {}) as Readonly<Record<string, string>>; // checked when it was written
    const tag = tagName === undefined ? undefined : Object.entries(tags).find(([name]) => isSame(name, tagName));
    return (
      (type === undefined || isSame(resource.type, type)) &&
      (location === undefined || resource.body["location"] === location.toLowerCase()) &&
      (tagName === undefined || (tag !== undefined && (tagValue === undefined || tag[1] === tagValue)))
    );
  };
}
