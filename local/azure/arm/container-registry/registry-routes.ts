import { randomUUID } from "node:crypto";
import { z } from "zod";
import type { RegistryFacts } from "../../../registry/registry-request";
import type { RegistryPlane } from "../../../registry/registry-plane";
import { ArmError } from "../arm-error";
import type { CloudWorld } from "../cloud-world";
import { pageById } from "../paging";
import { parseBody } from "../parse-body";
import { newResource, requireGroup, requireLocation, requireResource } from "../resource-access";
import { actionRoute, type ArmReply, type ArmRequest, type ArmRoute, itemRoute, listRoute } from "../route";
import { isSame, type JsonObject, propertiesOf, type ResourceStore, type StoredResource } from "../resource-store";

export const REGISTRY_TYPE = "Microsoft.ContainerRegistry/registries";

const anything = z.unknown().optional();
const Tags = z.record(z.string(), z.string()).optional();
const Sku = z.looseObject({ name: z.enum(["Basic", "Standard", "Premium"]) });

/** What may be set; all else that a client reads is the registry's own. */
const Settings = z.strictObject({
  adminUserEnabled: z.boolean().nullish(),
  anonymousPullEnabled: z.boolean().nullish(),
  dataEndpointEnabled: z.boolean().nullish(),
  encryption: anything,
  networkRuleBypassOptions: z.string().nullish(),
  networkRuleBypassAllowedForTasks: z.boolean().nullish(),
  networkRuleSet: anything,
  policies: anything,
  publicNetworkAccess: z.enum(["Enabled", "Disabled"]).nullish(),
  zoneRedundancy: z.enum(["Enabled", "Disabled"]).nullish(),
  roleAssignmentMode: z.string().nullish(),
  loginServer: anything,
  creationDate: anything,
  provisioningState: anything,
  status: anything,
  dataEndpointHostNames: anything,
  privateEndpointConnections: anything,
});
type Settings = z.infer<typeof Settings>;
const RegistryBody = z.looseObject({
  location: z.string().optional(),
  tags: Tags,
  sku: Sku.optional(),
  identity: anything,
  properties: Settings.optional(),
});
const NameBody = z.looseObject({ name: z.string(), type: z.string() });

const NAME = /^[a-zA-Z0-9]{5,50}$/;
const NAME_RULE = "The registry name must be 5 to 50 alphanumeric characters.";

interface Parts {
  readonly world: CloudWorld;
  readonly plane: RegistryPlane;
}

/** Microsoft.ContainerRegistry/registries. Deleted ones are gone with their images: there is no soft delete of registries. */
export function createRegistryRoutes(parts: Parts): ArmRoute[] {
  const { world, plane } = parts;
  world.resources.onDelete(REGISTRY_TYPE, (registry) => plane.purgeSoon(registryInstanceOf(registry)));
  const at = ["group", REGISTRY_TYPE] as const;
  const listed = (request: ArmRequest, keep: (one: StoredResource) => boolean): ArmReply => {
    const rows = world.resources.ofType(REGISTRY_TYPE).filter(keep);
    return pageById(world, request, { rows, view: (one) => registryView(parts, one) });
  };
  return [
    itemRoute("PUT", at, (request) => putRegistry(parts, request)),
    itemRoute("PATCH", at, (request) => patchRegistry(parts, request)),
    itemRoute("GET", at, (request) => ({ status: 200, body: registryView(parts, requireResource(world, request)) })),
    itemRoute("DELETE", at, (request) => deleteRegistry(parts, request)),
    listRoute(at, (request) => {
      const group = requireGroup(world, request);
      return listed(
        request,
        (one) => isSame(one.group, group.name) && isSame(one.subscriptionId, group.subscriptionId),
      );
    }),
    listRoute(["subscription", REGISTRY_TYPE], (request) =>
      listed(request, (one) => isSame(one.subscriptionId, request.path.subscriptionId ?? "")),
    ),
    actionRoute(["group", `${REGISTRY_TYPE}/listCredentials`], (request) => listCredentials(world, request)),
    {
      method: "POST",
      level: "subscription",
      type: "Microsoft.ContainerRegistry/checkNameAvailability",
      isItem: false,
      action: "Microsoft.ContainerRegistry/checkNameAvailability/read",
      handle: (request) => checkName(world, request),
    },
  ];
}

/** Tells the data plane what ARM knows of a registry. */
export function createRegistryDescription(
  resources: ResourceStore,
): (instance: string) => Omit<RegistryFacts, "loginServer" | "instance"> | undefined {
  return (instance) => {
    const registry = resources.ofType(REGISTRY_TYPE).find((one) => registryInstanceOf(one) === instance);
    return registry && { resourceId: registry.id, name: registry.name };
  };
}

export const registryInstanceOf = ({ hidden }: StoredResource): string => String(hidden["instance"]);

function registryView({ plane }: Parts, registry: StoredResource): JsonObject {
  const loginServer = plane.loginServerOf(registryInstanceOf(registry));
  return { ...registry.body, properties: { loginServer, ...propertiesOf(registry) } };
}

async function putRegistry(parts: Parts, request: ArmRequest): Promise<ArmReply> {
  const { world } = parts;
  requireGroup(world, request);
  const { location: given, tags = {}, sku, properties = {} } = parseBody(RegistryBody, request.body);
  const known = world.resources.get(request.path.id);
  if (!known) requireFreeName(world, request.path.names[0] ?? "");
  const chosen = sku ?? known?.body["sku"];
  if (!chosen) throw new ArmError(400, { code: "MissingSku", message: "The sku of the registry is missing." });
  const location = requireLocation(world, { given, type: REGISTRY_TYPE, known });
  const body = { location, tags, sku: skuView(chosen), properties: settingsOf(properties, known) };
  const stored = known ? (world.resources.change(known.id, { body }) ?? known) : createRegistry(world, request, body);
  await parts.plane.open(registryInstanceOf(stored));
  return { status: known ? 200 : 201, body: registryView(parts, stored) };
}

function createRegistry(world: CloudWorld, { path }: ArmRequest, body: JsonObject): StoredResource {
  const { id, group = "", subscriptionId = "" } = path;
  const fresh = newResource({ id, type: REGISTRY_TYPE, group, subscriptionId }, body);
  return world.resources.put({ ...fresh, hidden: { instance: randomUUID() } });
}

function patchRegistry(parts: Parts, request: ArmRequest): ArmReply {
  const known = requireResource(parts.world, request);
  const { tags, sku, properties } = parseBody(RegistryBody, request.body);
  const body = {
    ...(tags ? { tags } : {}),
    ...(sku ? { sku: skuView(sku) } : {}),
    ...(properties ? { properties: settingsOf(properties, known) } : {}),
  };
  const stored = parts.world.resources.change(known.id, { body }) ?? known;
  return { status: 200, body: registryView(parts, stored) };
}

function settingsOf(given: Settings, known: StoredResource | undefined): JsonObject {
  if (given.anonymousPullEnabled === true)
    throw new ArmError(400, {
      code: "NotSupported",
      message: "Anonymous pull is not supported by the simulated registry.",
    });
  const { loginServer: _l, creationDate: _c, provisioningState: _p, status: _s, ...settings } = given;
  const said = Object.fromEntries(
    Object.entries(settings).filter(([, value]) => value !== undefined && value !== null),
  );
  const defaults = {
    creationDate: known?.createdAt ?? new Date().toISOString(),
    adminUserEnabled: false,
    anonymousPullEnabled: false,
    publicNetworkAccess: "Enabled",
    networkRuleBypassOptions: "AzureServices",
    zoneRedundancy: "Disabled",
    dataEndpointEnabled: false,
    dataEndpointHostNames: [],
  };
  return { ...defaults, ...(known ? propertiesOf(known) : {}), ...said, provisioningState: "Succeeded" };
}

/** The tier is the name once more. */
const skuView = (sku: unknown): JsonObject => {
  const { name } = Sku.parse(sku);
  return { name, tier: name };
};

function deleteRegistry({ world }: Parts, request: ArmRequest): ArmReply {
  requireGroup(world, request);
  const known = world.resources.get(request.path.id);
  if (!known) return { status: 204 };
  world.resources.delete(known.id);
  world.access.forgetScope(known.id);
  return { status: 200 };
}

/** There is no admin user in the embedded registry, whatever is set: only tokens of principals open it. */
function listCredentials(world: CloudWorld, request: ArmRequest): ArmReply {
  const registry = requireResource(world, request);
  if (propertiesOf(registry)["adminUserEnabled"] === true)
    throw new ArmError(400, {
      code: "NotSupported",
      message: "The admin user is not supported by the simulated registry; use a token of a principal.",
    });
  throw new ArmError(400, {
    code: "UnAuthorizedForCredentialOperations",
    message: `Cannot perform credential operations for ${registry.id} as admin user is disabled. Kindly enable admin user as per docs: https://docs.microsoft.com/en-us/azure/container-registry/container-registry-authentication#admin-account`,
  });
}

function requireFreeName(world: CloudWorld, name: string): void {
  if (!NAME.test(name)) throw new ArmError(400, { code: "InvalidResourceName", message: NAME_RULE });
  if (isTaken(world, name))
    throw new ArmError(409, {
      code: "AlreadyInUse",
      message: `The registry DNS name ${name.toLowerCase()}.azurecr.io is already in use. You can check if the name is already claimed using following API: https://docs.microsoft.com/en-us/rest/api/containerregistry/registries/checknameavailability`,
    });
}

const isTaken = (world: CloudWorld, name: string): boolean =>
  world.resources.ofType(REGISTRY_TYPE).some((one) => isSame(one.name, name));

function checkName(world: CloudWorld, { body }: ArmRequest): ArmReply {
  const { name } = parseBody(NameBody, body);
  if (!NAME.test(name)) return { status: 200, body: { nameAvailable: false, reason: "Invalid", message: NAME_RULE } };
  if (!isTaken(world, name)) return { status: 200, body: { nameAvailable: true } };
  return {
    status: 200,
    body: { nameAvailable: false, reason: "AlreadyExists", message: `The registry ${name} is already in use.` },
  };
}
