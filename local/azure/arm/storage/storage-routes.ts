import { z } from "zod";
import type { BlobContainer, StorageControl } from "../../../storage/storage-control";
import { ArmError } from "../arm-error";
import { parentNotFound } from "../arm-errors";
import type { CloudWorld } from "../cloud-world";
import { pageReply } from "../paging";
import { parseBody } from "../parse-body";
import { requireGroup, requireResource } from "../resource-access";
import { type ArmReply, type ArmRequest, type ArmRoute, itemRoute, listRoute } from "../route";
import { type JsonObject, propertiesOf, type StoredResource } from "../resource-store";
import { isNameTaken, NAME_RULE, STORAGE_TYPE, storageAccountType } from "./storage-account-type";

const SERVICES = `${STORAGE_TYPE}/blobServices`;
const CONTAINERS = `${SERVICES}/containers`;
const CONTAINER_NAME = /^(?!.*--)[a-z0-9][a-z0-9-]{1,61}[a-z0-9]$/;

const NameBody = z.looseObject({ name: z.string(), type: z.string() });
const PatchBody = z.looseObject({
  tags: z.record(z.string(), z.string()).optional(),
  properties: z.record(z.string(), z.unknown()).optional(),
});
const ServiceBody = z.looseObject({ properties: z.looseObject({}).optional() });
const ContainerBody = z.looseObject({ properties: z.looseObject({ publicAccess: z.string().nullish() }).optional() });

/** Keys, the blob service and its containers: what of an account's data the control plane sees. Containers are those of the data plane. */
export function createStorageRoutes(world: CloudWorld): ArmRoute[] {
  world.resources.onDelete(STORAGE_TYPE, ({ name }) => {
    world.storage?.clear(name).catch((error: unknown) => world.log(`storage account ${name}: ${String(error)}`));
  });
  const at = ["group", CONTAINERS] as const;
  return [
    itemRoute("PATCH", ["group", STORAGE_TYPE], (request) => patchAccount(world, request)),
    {
      method: "POST",
      level: "group",
      type: `${STORAGE_TYPE}/listKeys`,
      isItem: false,
      action: `${STORAGE_TYPE}/listkeys/action`,
      handle: (request) => listKeys(world, request),
    },
    {
      method: "POST",
      level: "subscription",
      type: "Microsoft.Storage/checkNameAvailability",
      isItem: false,
      action: "Microsoft.Storage/checknameavailability/read",
      handle: (request) => checkName(world, request),
    },
    itemRoute("GET", ["group", SERVICES], (request) => ({ status: 200, body: serviceView(accountOf(world, request)) })),
    itemRoute("PUT", ["group", SERVICES], (request) => putService(world, request)),
    itemRoute("PUT", at, (request) => putContainer(world, request)),
    itemRoute("GET", at, (request) => getContainer(world, request)),
    itemRoute("DELETE", at, (request) => deleteContainer(world, request)),
    listRoute(at, (request) => listContainers(world, request)),
  ];
}

function patchAccount(world: CloudWorld, request: ArmRequest): ArmReply {
  const known = requireResource(world, request);
  const { tags, properties } = parseBody(PatchBody, request.body);
  if (properties) world.resources.changeProperties(known.id, properties);
  const changed = tags ? world.resources.change(known.id, { body: { tags } }) : world.resources.get(known.id);
  return { status: 200, body: storageAccountType(world).view?.(changed ?? known) };
}

function listKeys(world: CloudWorld, request: ArmRequest): ArmReply {
  const account = requireResource(world, request);
  const keys = controlOf(world).keysOf(account.name);
  const value = keys.map((key, index) => ({
    keyName: `key${index + 1}`,
    value: key,
    permissions: "FULL",
    creationTime: account.createdAt,
  }));
  return { status: 200, body: { keys: value } };
}

function checkName(world: CloudWorld, { body }: ArmRequest): ArmReply {
  const { name } = parseBody(NameBody, body);
  if (!/^[a-z0-9]{3,24}$/.test(name))
    return {
      status: 200,
      body: {
        nameAvailable: false,
        reason: "AccountNameInvalid",
        message: `${name} is not a valid storage account name. ${NAME_RULE}`,
      },
    };
  if (!isNameTaken(world.resources, name)) return { status: 200, body: { nameAvailable: true } };
  return {
    status: 200,
    body: {
      nameAvailable: false,
      reason: "AlreadyExists",
      message: `The storage account named ${name} is already taken.`,
    },
  };
}

function putService(world: CloudWorld, request: ArmRequest): ArmReply {
  const account = accountOf(world, request);
  const { properties = {} } = parseBody(ServiceBody, request.body);
  const hidden = { blobService: { ...blobServiceOf(account), ...properties } };
  return { status: 200, body: serviceView(world.resources.change(account.id, { hidden }) ?? account) };
}

const blobServiceOf = ({ hidden }: StoredResource): JsonObject => (hidden["blobService"] ?? {}) as JsonObject; // written by putService

const serviceView = (account: StoredResource): JsonObject => ({
  sku: account.body["sku"],
  id: `${account.id}/blobServices/default`,
  name: "default",
  type: SERVICES,
  properties: { cors: { corsRules: [] }, deleteRetentionPolicy: { enabled: false }, ...blobServiceOf(account) },
});

async function putContainer(world: CloudWorld, request: ArmRequest): Promise<ArmReply> {
  const account = accountOf(world, request);
  const name = containerNameOf(request);
  const { properties } = parseBody(ContainerBody, request.body);
  if (
    properties?.publicAccess &&
    properties.publicAccess !== "None" &&
    propertiesOf(account)["allowBlobPublicAccess"] !== true
  )
    throw new ArmError(409, {
      code: "PublicAccessNotPermitted",
      message: "Public access is not permitted on this storage account.",
    });
  const isNew = await controlOf(world).createContainer(account.name, name);
  return { status: isNew ? 201 : 200, body: await requireContainer(world, { account, name }) };
}

async function getContainer(world: CloudWorld, request: ArmRequest): Promise<ArmReply> {
  const account = accountOf(world, request);
  return { status: 200, body: await requireContainer(world, { account, name: request.path.names[2] ?? "" }) };
}

async function deleteContainer(world: CloudWorld, request: ArmRequest): Promise<ArmReply> {
  const account = accountOf(world, request);
  const isDeleted = await controlOf(world).deleteContainer(account.name, request.path.names[2] ?? "");
  world.access.forgetScope(request.path.id);
  return { status: isDeleted ? 200 : 204 };
}

async function listContainers(world: CloudWorld, request: ArmRequest): Promise<ArmReply> {
  const account = accountOf(world, request);
  const containers = await controlOf(world).containers(account.name);
  const view = (one: BlobContainer): JsonObject => containerView(account, one);
  return pageReply(world, request, { rows: containers, keyOf: ({ name }) => name, view });
}

async function requireContainer(
  world: CloudWorld,
  { account, name }: { account: StoredResource; name: string },
): Promise<JsonObject> {
  const found = (await controlOf(world).containers(account.name)).find((one) => one.name === name);
  if (found) return containerView(account, found);
  throw new ArmError(404, { code: "ContainerNotFound", message: "The specified container does not exist." });
}

const containerView = (account: StoredResource, container: BlobContainer): JsonObject => ({
  id: `${account.id}/blobServices/default/containers/${container.name}`,
  name: container.name,
  type: CONTAINERS,
  etag: container.etag,
  properties: {
    deleted: false,
    remainingRetentionDays: 0,
    defaultEncryptionScope: "$account-encryption-key",
    denyEncryptionScopeOverride: false,
    publicAccess: "None",
    leaseStatus: container.leaseStatus.replace(/^./, (letter) => letter.toUpperCase()),
    leaseState: container.leaseState.replace(/^./, (letter) => letter.toUpperCase()),
    lastModifiedTime: container.lastModified,
    hasImmutabilityPolicy: false,
    hasLegalHold: false,
  },
});

function containerNameOf({ path }: ArmRequest): string {
  const name = path.names[2] ?? "";
  if (CONTAINER_NAME.test(name)) return name;
  throw new ArmError(400, {
    code: "InvalidResourceName",
    message: `The specifed resource name contains invalid characters: '${name}'.`,
  });
}

/** The account of a request about one of its parts. */
function accountOf(world: CloudWorld, request: ArmRequest): StoredResource {
  requireGroup(world, request);
  const account = world.resources.get(request.path.id.replace(/(\/storageAccounts\/[^/]+)\/.*$/i, "$1"));
  if (account && (request.path.names[1] ?? "default") === "default") return account;
  throw parentNotFound(`${STORAGE_TYPE}/${request.path.names[0] ?? ""}`);
}

function controlOf({ storage }: CloudWorld): StorageControl {
  if (storage) return storage;
  throw new ArmError(501, {
    code: "NotImplemented",
    message: "The data of storage accounts is not served by this simulator.",
  });
}
