import { ArmError } from "../arm-error";
import { identityNotFound, invalidParameter, invalidReference, nicReserved, skuNotAvailable } from "../arm-errors";
import { authorizeLinked, type LinkedPermission } from "../authorization/authorize";
import type { CloudWorld } from "../cloud-world";
import { sameId } from "../resource-access";
import type { ArmRequest } from "../route";
import { isSame, propertiesOf, type StoredResource } from "../resource-store";
import type { VmRequest } from "./vm-request";
import { VM_TYPE } from "./vm-record";
import { findVmSize, type VmSize } from "./vm-sizes";
import { SIZE_NAMES } from "./capacity";

/** Whatever a VM's PUT points at needs a permission of its own, at its own place. */
export function authorizeReferences(world: CloudWorld, request: ArmRequest, vm: VmRequest): void {
  authorizeLinked(world.access, request.caller, {
    action: `${VM_TYPE}/write`,
    scope: request.path.id,
    linked: [...linkedOf(vm), ...disksToAttach(world, request.path.id, vm)],
  });
}

function linkedOf(vm: VmRequest): LinkedPermission[] {
  const nics = (vm.properties?.networkProfile?.networkInterfaces ?? []).map(({ id }) => ({
    action: "Microsoft.Network/networkInterfaces/join/action",
    scope: id,
  }));
  const subnets = subnetsOf(vm).map((scope) => ({
    action: "Microsoft.Network/virtualNetworks/subnets/join/action",
    scope,
  }));
  const guards = (vm.properties?.networkProfile?.networkInterfaceConfigurations ?? []).flatMap(({ properties }) =>
    properties.networkSecurityGroup
      ? [{ action: "Microsoft.Network/networkSecurityGroups/join/action", scope: properties.networkSecurityGroup.id }]
      : [],
  );
  const identities = identityIdsOf(vm).map((scope) => ({
    action: "Microsoft.ManagedIdentity/userAssignedIdentities/assign/action",
    scope,
  }));
  const imageId = vm.properties?.storageProfile?.imageReference?.id;
  const isVersion = imageId !== undefined && /\/galleries\/.+\/versions\//i.test(imageId);
  const kind = isVersion ? "galleries/images/versions" : "images";
  const image = imageId ? [{ action: `Microsoft.Compute/${kind}/read`, scope: imageId }] : [];
  return [...nics, ...subnets, ...guards, ...identities, ...image];
}

/** Attaching a disk changes it; the disks that a VM already has are only named again. */
function disksToAttach(world: CloudWorld, vmId: string, vm: VmRequest): LinkedPermission[] {
  return [vm.properties?.storageProfile?.osDisk, ...(vm.properties?.storageProfile?.dataDisks ?? [])].flatMap(
    (disk) => {
      const id = disk?.managedDisk?.id;
      if (id === undefined || sameId(managerOf(world, id), vmId)) return [];
      return [{ action: "Microsoft.Compute/disks/write", scope: id }];
    },
  );
}

function managerOf(world: CloudWorld, diskId: string): string | undefined {
  const owner = world.resources.get(diskId)?.body["managedBy"];
  return typeof owner === "string" ? owner : undefined;
}

export const identityIdsOf = (vm: Pick<VmRequest, "identity">): string[] =>
  Object.entries(vm.identity?.userAssignedIdentities ?? {}).flatMap(([id, value]) => (value === null ? [] : [id]));

const subnetsOf = (vm: VmRequest): string[] =>
  (vm.properties?.networkProfile?.networkInterfaceConfigurations ?? []).flatMap(({ properties }) =>
    properties.ipConfigurations.flatMap((one) => one.properties?.subnet?.id ?? []),
  );

export function requireIdentities(world: CloudWorld, vmId: string, vm: Pick<VmRequest, "identity">): void {
  for (const id of identityIdsOf(vm)) if (!world.resources.get(id)) throw identityNotFound(vmId, id);
}

/** Subnets, network interfaces, identities and disk names of a new VM. */
export function requireReferences(
  world: CloudWorld,
  { vmId, location, vm }: { vmId: string; location: string; vm: VmRequest },
): void {
  requireIdentities(world, vmId, vm);
  for (const id of subnetsOf(vm)) {
    const network = world.resources.get(id.slice(0, id.toLowerCase().lastIndexOf("/subnets/")));
    if (!network || !world.resources.get(id) || network.body["location"] !== location) throw invalidReference(id, vmId);
  }
  for (const { id } of vm.properties?.networkProfile?.networkInterfaces ?? [])
    requireFreeNic(world, { vmId, nicId: id });
  const group = vmId.slice(0, vmId.toLowerCase().indexOf("/providers/"));
  for (const disk of [vm.properties?.storageProfile?.osDisk, ...(vm.properties?.storageProfile?.dataDisks ?? [])]) {
    if (
      disk?.name &&
      disk.createOption !== "Attach" &&
      world.resources.get(`${group}/providers/Microsoft.Compute/disks/${disk.name}`)
    )
      throw diskExists(disk.name, group);
  }
}

function requireFreeNic(world: CloudWorld, { vmId, nicId }: { vmId: string; nicId: string }): void {
  const nic = world.resources.get(nicId);
  if (!nic) throw invalidReference(nicId, vmId);
  const user = userOf(nic);
  if (user !== undefined && !isSame(user, vmId)) throw nicReserved(nicId, user);
}

/** The VM that a network interface belongs to. */
export function userOf(nic: StoredResource): string | undefined {
  const user = propertiesOf(nic)["virtualMachine"] as { id?: string } | undefined; // written by the simulator only
  return user?.id;
}

const diskExists = (name: string, group: string): ArmError =>
  new ArmError(409, {
    code: "ConflictingUserInput",
    message: `Disk ${name} already exists in resource group ${group.slice(group.lastIndexOf("/") + 1).toUpperCase()}. Only CreateOption.Attach is supported.`,
  });

/** The size of a new VM, if Azure has it, has room for it, and the quota has. */
export function requireSize(
  world: CloudWorld,
  {
    vm,
    subscriptionId,
    location,
    instead,
  }: { vm: VmRequest; subscriptionId: string; location: string; instead?: StoredResource },
): VmSize {
  const name = vm.properties?.hardwareProfile?.vmSize ?? "";
  const size = findVmSize(name);
  if (!size) {
    throw invalidParameter(
      "vmSize",
      `The value ${name} provided for the VM size is not valid. The valid sizes in the current region are: ${SIZE_NAMES.join(", ")}.`,
    );
  }
  const restricted = world.capacity.restrictionOf(size.name, location);
  const isRestricted = vm.zones?.some((zone) => restricted.zones.includes(zone)) ?? false;
  if (restricted.isWhole || isRestricted) throw skuNotAvailable(size.name, location);
  const priority = vm.properties?.priority ?? (instead && propertiesOf(instead)["priority"]);
  world.capacity.demand(
    { subscriptionId, location },
    { size, isSpot: priority === "Spot" || priority === "Low", instead },
  );
  return size;
}
