import type { Arguments, TemplateFunction } from "./evaluate";
import type { LoopPosition } from "./evaluate-document";
import { isMap, type Json, type JsonMap } from "./json-value";
import { type DeploymentTarget, resourceIdOf, scopeOf } from "./resource-ids";

const GUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;

export interface DeploymentFacts {
  readonly target: DeploymentTarget;
  readonly tenantId: string;
  readonly deployment: JsonMap;
  readonly subscription: JsonMap;
  /** Undefined at the scope of a subscription. */
  readonly resourceGroup: JsonMap | undefined;
}

/** https://learn.microsoft.com/azure/azure-resource-manager/templates/template-functions-resource, -scope and -deployment */
export function resourceFunctions(facts: DeploymentFacts): Readonly<Record<string, TemplateFunction>> {
  const { target, tenantId } = facts;
  return {
    resourceid: (given) => resourceId(given, target),
    subscriptionresourceid: (given) => {
      const { scope, rest } = GUID.test(given.text(0))
        ? { scope: `/subscriptions/${given.text(0)}`, rest: 1 }
        : { scope: `/subscriptions/${target.subscriptionId}`, rest: 0 };
      return idOf(given, scope, rest);
    },
    tenantresourceid: (given) => idOf(given, "/", 0),
    extensionresourceid: (given) => idOf(given, given.text(0), 1),
    subscription: () => facts.subscription,
    resourcegroup: (given) => {
      if (facts.resourceGroup) return facts.resourceGroup;
      throw given.wrong("it is not expected at this scope: the deployment is one of a subscription");
    },
    deployment: () => facts.deployment,
    tenant: () => ({ tenantId, id: `/tenants/${tenantId}`, displayName: "Local directory", countryCode: "" }),
    environment: () => ENVIRONMENT,
  };
}

/** The scope comes before the type, which is known by its slash: `resourceId([subscription], [group], type, names…)`. */
function resourceId(given: Arguments, { subscriptionId, group }: DeploymentTarget): string {
  const typeAt = given.values().findIndex((value) => typeof value === "string" && value.includes("/"));
  if (typeAt < 0 || typeAt > 2) throw given.wrong("a resource type is expected");
  const before = given.values().slice(0, typeAt).map(String);
  const own = before.find((one) => GUID.test(one));
  const named = before.find((one) => !GUID.test(one));
  const placed = { subscriptionId: own ?? subscriptionId, group: named ?? group };
  return idOf(given, scopeOf(placed), typeAt);
}

function idOf(given: Arguments, scope: string, typeAt: number): string {
  const names = Array.from({ length: given.count - typeAt - 1 }, (_, index) => given.text(typeAt + 1 + index));
  return resourceIdOf(scope, given.text(typeAt), names.join("/"));
}

/** `copyIndex()`, `copyIndex(offset)`, `copyIndex('loop', offset)`: the innermost loop, unless one is named. */
export function copyIndexIn(loops: readonly LoopPosition[]): TemplateFunction {
  return (given) => {
    const first = given.has(0) ? given.value(0) : undefined;
    const name = typeof first === "string" ? first : undefined;
    const loop = name === undefined ? loops[0] : loops.find((one) => one.name.toLowerCase() === name.toLowerCase());
    if (!loop) throw given.wrong(name === undefined ? "it stands in no copy loop" : `there is no copy loop '${name}'`);
    if (typeof first === "number") return loop.index + first;
    return loop.index + (given.has(1) ? given.integer(1) : 0);
  };
}

/** What `reference()` answers of a resource's body: its properties, or all of it. */
export function referenced(body: Json, isFull: boolean): Json {
  if (isFull || !isMap(body)) return body;
  return body["properties"] ?? {};
}

const ENVIRONMENT: JsonMap = {
  name: "AzureCloud",
  gallery: "https://gallery.azure.com/",
  graph: "https://graph.windows.net/",
  portal: "https://portal.azure.com",
  graphAudience: "https://graph.windows.net/",
  activeDirectoryDataLake: "https://datalake.azure.net/",
  batch: "https://batch.core.windows.net/",
  media: "https://rest.media.azure.net",
  sqlManagement: "https://management.core.windows.net:8443/",
  vmImageAliasDoc:
    "https://raw.githubusercontent.com/Azure/azure-rest-api-specs/master/arm-compute/quickstart-templates/aliases.json",
  resourceManager: "https://management.azure.com/",
  authentication: {
    loginEndpoint: "https://login.microsoftonline.com/",
    audiences: ["https://management.core.windows.net/", "https://management.azure.com/"],
    tenant: "common",
    identityProvider: "AAD",
  },
  suffixes: {
    acrLoginServer: ".azurecr.io",
    azureDatalakeAnalyticsCatalogAndJob: "azuredatalakeanalytics.net",
    azureDatalakeStoreFileSystem: "azuredatalakestore.net",
    azureFrontDoorEndpointSuffix: "azurefd.net",
    keyvaultDns: ".vault.azure.net",
    sqlServerHostname: ".database.windows.net",
    storage: "core.windows.net",
  },
};
