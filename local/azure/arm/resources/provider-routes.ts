import { ArmError } from "../arm-error";
import type { CloudWorld } from "../cloud-world";
import { pageReply } from "../paging";
import { isSame, type JsonObject } from "../resource-store";
import { actionRoute, type ArmRequest, type ArmRoute, itemRoute, listRoute } from "../route";

const PROVIDERS = ["subscription", "Microsoft.Resources/subscriptions/providers"] as const;

// Any api-version is served; command lines ask for one that the provider names.
const API_VERSIONS = ["2024-03-01", "2022-09-01", "2021-04-01"];

/**
 * The resource providers behind the given routes: generic clients ask here which api-version a type has.
 * https://learn.microsoft.com/rest/api/resources/providers
 */
export function withProviderRoutes(world: CloudWorld, routes: readonly ArmRoute[]): ArmRoute[] {
  const namespaces = namespacesOf(routes);
  const find = ({ path }: ArmRequest): [string, string[]] => {
    const wanted = path.type.startsWith(PROVIDERS[1]) ? (path.names[1] ?? "") : (path.type.split("/")[0] ?? "");
    const found = [...namespaces].find(([namespace]) => isSame(namespace, wanted));
    if (found) return found;
    throw new ArmError(404, {
      code: "InvalidResourceNamespace",
      message: `The resource namespace '${wanted}' is invalid.`,
    });
  };
  const show = (request: ArmRequest) => ({ status: 200, body: providerView(world, request, find(request)) });
  return [
    ...routes,
    listRoute(PROVIDERS, (request) =>
      pageReply(world, request, {
        rows: [...namespaces],
        keyOf: ([namespace]) => namespace,
        view: (provider) => providerView(world, request, provider),
      }),
    ),
    itemRoute("GET", PROVIDERS, show),
    ...[...namespaces.keys()].map((namespace) => actionRoute(["subscription", `${namespace}/register`], show)),
  ];
}

/** `virtualMachines` of `Microsoft.Compute/virtualMachines/deallocate` is a type; the rest may be a child type or an action. */
function namespacesOf(routes: readonly ArmRoute[]): Map<string, string[]> {
  const found = new Map<string, string[]>();
  for (const { type, isItem } of routes) {
    const [namespace = "", ...types] = type.split("/");
    const resourceType = types.join("/");
    const known = found.get(namespace) ?? [];
    if (isItem && !known.includes(resourceType)) known.push(resourceType);
    found.set(namespace, known);
  }
  return found;
}

function providerView(world: CloudWorld, { path }: ArmRequest, [namespace, types]: [string, string[]]): JsonObject {
  return {
    id: `/subscriptions/${path.subscriptionId ?? ""}/providers/${namespace}`,
    namespace,
    registrationState: "Registered",
    registrationPolicy: "RegistrationRequired",
    resourceTypes: types.map((resourceType) => ({
      resourceType,
      locations: [...world.locations],
      apiVersions: API_VERSIONS,
      defaultApiVersion: API_VERSIONS[0],
      capabilities: "CrossResourceGroupResourceMove, CrossSubscriptionResourceMove, SupportsTags, SupportsLocation",
    })),
  };
}
