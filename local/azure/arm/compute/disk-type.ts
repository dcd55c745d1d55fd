import { randomUUID } from "node:crypto";
import { diskAttached, invalidParameter } from "../arm-errors";
import { propertiesOf } from "../resource-store";
import type { SimpleType } from "../simple-resource";

/** Managed disks; those of a VM are made by the VM's PUT. */
export const DISK_TYPE: SimpleType = {
  type: "Microsoft.Compute/disks",
  deletes: "later",
  properties: ({ body, known }) => {
    const given = body.properties ?? {};
    if (!known && given["creationData"] === undefined)
      throw invalidParameter("disk.creationData", "Required parameter 'disk.creationData' is missing (null).");
    const now = known
      ? propertiesOf(known)
      : { diskState: "Unattached", uniqueId: randomUUID(), timeCreated: new Date().toISOString() };
    return { ...now, ...given, provisioningState: "Succeeded" };
  },
  checkDelete: (disk) => {
    const owner = disk.body["managedBy"];
    if (typeof owner === "string") throw diskAttached(disk.name, owner);
  },
};
