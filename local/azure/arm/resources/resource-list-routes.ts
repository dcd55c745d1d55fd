import type { CloudWorld } from "../cloud-world";
import { pageById } from "../paging";
import { requireGroup } from "../resource-access";
import { GROUP_TYPE, isSame, type JsonObject, propertiesOf, type StoredResource } from "../resource-store";
import { type ArmReply, type ArmRequest, type ArmRoute, listRoute } from "../route";
import { parseResourceFilter } from "./resource-filter";

const SUBSCRIPTION = "Microsoft.Resources/subscriptions";
// Parts of other resources; Azure's lists do not show them.
const NESTED = ["Microsoft.Network/virtualNetworks/subnets"];

/** The resources of a subscription and of a group: https://learn.microsoft.com/rest/api/resources/resources/list */
export function createResourceListRoutes(world: CloudWorld): ArmRoute[] {
  return [
    listRoute(["subscription", `${SUBSCRIPTION}/resources`], (request) =>
      listResources(
        world,
        request,
        world.resources.all().filter((one) => isSame(one.subscriptionId, request.path.subscriptionId ?? "")),
      ),
    ),
    listRoute(["group", `${SUBSCRIPTION}/resourceGroups/resources`], (request) => {
      const group = requireGroup(world, request);
      return listResources(world, request, world.resources.inGroup(group.subscriptionId, group.name));
    }),
  ];
}

function listResources(world: CloudWorld, request: ArmRequest, resources: readonly StoredResource[]): ArmReply {
  const { keep, hidesTags } = parseResourceFilter(request.query.get("$filter"), "resources");
  const expand = (request.query.get("$expand") ?? "").toLowerCase();
  const rows = resources.filter((one) => one.type !== GROUP_TYPE && !NESTED.includes(one.type) && keep(one));
  return pageById(world, request, { rows, view: (one) => genericView(one, { expand, hidesTags }), takesTop: true });
}

const TOP_MEMBERS = ["id", "name", "type", "location", "tags", "kind", "managedBy", "sku", "identity", "zones", "plan"];

function genericView(
  resource: StoredResource,
  { expand, hidesTags }: { readonly expand: string; readonly hidesTags: boolean },
): JsonObject {
  const members = TOP_MEMBERS.filter((name) => resource.body[name] !== undefined && !(hidesTags && name === "tags"));
  return {
    ...Object.fromEntries(members.map((name) => [name, resource.body[name]])),
    ...(expand.includes("createdtime") ? { createdTime: resource.createdAt } : {}),
    ...(expand.includes("changedtime") ? { changedTime: resource.changedAt } : {}),
    ...(expand.includes("provisioningstate") ? { provisioningState: propertiesOf(resource)["provisioningState"] } : {}),
  };
}
