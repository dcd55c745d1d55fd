import type { CloudWorld } from "../cloud-world";
import type { SimpleType } from "../simple-resource";

/** User-assigned identities: the resource makes a principal in the directory, and takes it along when it goes. */
export function userAssignedIdentityType(world: CloudWorld): SimpleType {
  return {
    type: "Microsoft.ManagedIdentity/userAssignedIdentities",
    deletes: "at-once",
    properties: ({ id }) => {
      const principal = world.directory.addManagedIdentity({ resourceId: id, kind: "user-assigned" });
      return { tenantId: world.directory.tenantId, principalId: principal.objectId, clientId: principal.clientId };
    },
    view: ({ body }) => {
      // This type has no provisioning state.
      const { provisioningState: _state, ...properties } = body["properties"] as Record<string, unknown>; // written above
      return { ...body, properties };
    },
    afterDelete: ({ id }) => world.directory.removeManagedIdentity(id),
  };
}
