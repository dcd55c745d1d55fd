import type { AssignedIdentity, HostedVm } from "../../../vm/hypervisor";
import type { Directory } from "../../identity/directory";
import { type JsonObject, propertiesOf, type StoredResource } from "../resource-store";

export const VM_TYPE = "Microsoft.Compute/virtualMachines";

export type PowerState = "starting" | "running" | "stopping" | "stopped" | "deallocating" | "deallocated";

/** What a VM's row holds and no GET shows. */
export interface VmHidden {
  readonly customData?: string | undefined;
  readonly power?: PowerState | undefined;
  readonly provisionedAt?: string | undefined;
  /** Why its last operation failed; part of the instance view's status. */
  readonly failureCode?: string | undefined;
}

export interface AttachedResource {
  readonly id: string;
  readonly deleteOption: string;
}

export const vmHidden = (vm: StoredResource): VmHidden => vm.hidden;

export const powerOf = (vm: StoredResource): PowerState | undefined => vmHidden(vm).power;

export const isSpot = (vm: StoredResource): boolean => propertiesOf(vm)["priority"] === "Spot";

export const withPower = (power: PowerState | undefined, more: Omit<VmHidden, "power"> = {}): JsonObject => ({
  power,
  ...more,
});

/** Network interfaces and disks of a VM with what is to happen to them when it goes. */
export function attachedTo(vm: StoredResource): AttachedResource[] {
  const { networkProfile, storageProfile } = propertiesOf(vm) as unknown as VmProperties;
  const nics = (networkProfile?.networkInterfaces ?? []).map(({ id, properties }) => ({
    id,
    deleteOption: properties?.deleteOption,
  }));
  const disks = [storageProfile?.osDisk, ...(storageProfile?.dataDisks ?? [])].map((disk) => ({
    id: disk?.managedDisk?.id,
    deleteOption: disk?.deleteOption,
  }));
  return [...nics, ...disks].flatMap(({ id, deleteOption }) =>
    id ? [{ id, deleteOption: deleteOption ?? "Detach" }] : [],
  );
}

interface DiskProfile {
  readonly managedDisk?: { readonly id?: string };
  readonly deleteOption?: string;
}

/** The parts of a VM's body that the simulator reads again; written by `vm-body.ts`. */
export interface VmProperties {
  readonly vmId: string;
  readonly hardwareProfile: { readonly vmSize: string };
  readonly priority?: string;
  readonly evictionPolicy?: string;
  readonly storageProfile?: {
    readonly imageReference?: JsonObject;
    readonly osDisk?: DiskProfile & JsonObject;
    readonly dataDisks?: readonly DiskProfile[];
  };
  readonly osProfile?: JsonObject;
  readonly networkProfile?: {
    readonly networkInterfaces?: readonly {
      readonly id: string;
      readonly properties?: { readonly deleteOption?: string };
    }[];
  };
}

export const vmProperties = (vm: StoredResource): VmProperties => propertiesOf(vm) as unknown as VmProperties; // see VmProperties

export function identitiesOf(directory: Directory, vm: StoredResource): AssignedIdentity[] {
  const identity = vm.body["identity"] as { type?: string; userAssignedIdentities?: JsonObject } | undefined; // written by vm-body.ts
  const userAssigned = Object.keys(identity?.userAssignedIdentities ?? {}).map((resourceId) => ({
    kind: "user-assigned" as const,
    resourceId,
  }));
  const own = identity?.type?.includes("SystemAssigned")
    ? [{ kind: "system-assigned" as const, resourceId: vm.id }]
    : [];
  return [...own, ...userAssigned].flatMap(({ kind, resourceId }) => {
    const principal = directory.findByResourceId(resourceId);
    return principal ? [{ kind, resourceId, clientId: principal.clientId ?? "", principalId: principal.objectId }] : [];
  });
}

export function hostedVm(directory: Directory, vm: StoredResource): HostedVm {
  const { vmId, hardwareProfile } = vmProperties(vm);
  const zones = vm.body["zones"] as readonly string[] | undefined; // checked by vm-request.ts
  return {
    resourceId: vm.id,
    name: vm.name,
    vmId,
    subscriptionId: vm.subscriptionId,
    resourceGroup: vm.group,
    location: String(vm.body["location"]),
    zone: zones?.[0],
    vmSize: hardwareProfile.vmSize,
    priority: isSpot(vm) ? "Spot" : "Regular",
    customData: vmHidden(vm).customData,
    tags: (vm.body["tags"] ?? {}) as Readonly<Record<string, string>>, // checked by vm-request.ts
    identities: identitiesOf(directory, vm),
  };
}
