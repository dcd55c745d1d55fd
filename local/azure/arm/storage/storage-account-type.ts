import { ArmError } from "../arm-error";
import type { CloudWorld } from "../cloud-world";
import type { SimpleType } from "../simple-resource";
import { isSame, propertiesOf, type ResourceStore, type StoredResource } from "../resource-store";

export const STORAGE_TYPE = "Microsoft.Storage/storageAccounts";

const NAME = /^[a-z0-9]{3,24}$/;
export const NAME_RULE =
  "Storage account name must be between 3 and 24 characters in length and use numbers and lower-case letters only.";

/** Storage accounts; the data itself is served by the storage plane, which Azurite stands behind. */
export function storageAccountType(world: CloudWorld): SimpleType {
  return {
    type: STORAGE_TYPE,
    deletes: "at-once",
    properties: ({ id, location, body, known }) => {
      const name = id.slice(id.lastIndexOf("/") + 1);
      if (!NAME.test(name))
        throw new ArmError(400, {
          code: "AccountNameInvalid",
          message: `${name} is not a valid storage account name. ${NAME_RULE}`,
        });
      if (!known && isNameTaken(world.resources, name))
        throw new ArmError(409, {
          code: "StorageAccountAlreadyTaken",
          message: `The storage account named ${name} is already taken.`,
        });
      const defaults = {
        supportsHttpsTrafficOnly: true,
        allowBlobPublicAccess: false,
        minimumTlsVersion: "TLS1_2",
        networkAcls: { bypass: "AzureServices", virtualNetworkRules: [], ipRules: [], defaultAction: "Allow" },
        publicNetworkAccess: "Enabled",
      };
      const kept = known ? propertiesOf(known) : {};
      return {
        ...defaults,
        ...kept,
        ...body.properties,
        provisioningState: "Succeeded",
        creationTime: known?.createdAt ?? new Date().toISOString(),
        primaryLocation: location,
        statusOfPrimary: "available",
      };
    },
    view: (account) => ({
      ...account.body,
      properties: { ...propertiesOf(account), primaryEndpoints: endpointsOf(world, account.name) },
    }),
  };
}

/** Where a service of an account is served; where nobody serves it, as Azure would name it. */
function endpointsOf(world: CloudWorld, name: string) {
  const inAzure = (kind: string): string => `https://${name}.${kind}.core.windows.net/`;
  const here = (kind: "blob" | "queue" | "table"): string | undefined => world.storage?.endpointOf(kind, name);
  return {
    blob: here("blob") ?? world.storageBlobEndpoint?.(name) ?? inAzure("blob"),
    file: inAzure("file"),
    queue: here("queue") ?? inAzure("queue"),
    table: here("table") ?? inAzure("table"),
  };
}

export const isNameTaken = (resources: ResourceStore, name: string): boolean =>
  resources.ofType(STORAGE_TYPE).some((one) => isSame(one.name, name));

/** What the data plane asks of an account by its name. */
export function storageAccountFacts(
  resources: ResourceStore,
  name: string,
): { readonly id: string; readonly allowsSharedKey: boolean } | undefined {
  const account = resources.ofType(STORAGE_TYPE).find((one) => one.name === name);
  return account && { id: account.id, allowsSharedKey: allowsSharedKey(account) };
}

/** Not said means yes, as in Azure. */
export const allowsSharedKey = (account: StoredResource): boolean =>
  propertiesOf(account)["allowSharedKeyAccess"] !== false;
