import type { CloudWorld } from "../cloud-world";
import { invalidParameter } from "../arm-errors";
import type { SimpleType } from "../simple-resource";

const NAME = /^[a-z0-9]{3,24}$/;

/** Storage accounts as far as their endpoints; the data itself is served by the storage emulator. */
export function storageAccountType(world: CloudWorld): SimpleType {
  return {
    type: "Microsoft.Storage/storageAccounts",
    deletes: "at-once",
    properties: ({ id, location, body, known }) => {
      const name = id.slice(id.lastIndexOf("/") + 1);
      if (!NAME.test(name)) throw invalidParameter("accountName", `${name} is not a valid storage account name.`);
      const endpoint = (kind: string): string => `https://${name}.${kind}.core.windows.net/`;
      const blob = world.storageBlobEndpoint?.(name) ?? endpoint("blob");
      return {
        ...body.properties,
        provisioningState: "Succeeded",
        creationTime: known?.createdAt ?? new Date().toISOString(),
        primaryLocation: location,
        statusOfPrimary: "available",
        primaryEndpoints: { blob, file: endpoint("file"), queue: endpoint("queue"), table: endpoint("table") },
      };
    },
  };
}
