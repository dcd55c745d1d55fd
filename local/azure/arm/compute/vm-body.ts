import { randomBytes, randomUUID } from "node:crypto";
import type { CloudWorld } from "../cloud-world";
import { newResource } from "../resource-access";
import { type JsonObject, newEtag, type StoredResource } from "../resource-store";
import { KEPT_AS_GIVEN, type VmRequest } from "./vm-request";
import { VM_TYPE, withPower } from "./vm-record";

export interface NewVm {
  readonly id: string;
  readonly group: string;
  readonly subscriptionId: string;
  readonly location: string;
  readonly request: VmRequest;
}

/** A new VM with the network interfaces and disks that its PUT declares; nothing is stored yet. */
export function buildVm(
  world: CloudWorld,
  vm: NewVm,
): { readonly vm: StoredResource; readonly parts: readonly StoredResource[] } {
  const nics = buildNics(vm);
  const disks = buildDisks(vm);
  const { request } = vm;
  const given = request.properties;
  const properties = {
    hardwareProfile: { ...given?.hardwareProfile },
    provisioningState: "Creating",
    vmId: randomUUID(),
    ...keptOf(given ?? {}),
    storageProfile: disks.profile,
    osProfile: osProfileOf(vm),
    networkProfile: { networkInterfaces: nics.references },
    ...(given?.priority ? { priority: given.priority === "Low" ? "Spot" : given.priority } : {}),
    ...spotPart(given),
    timeCreated: new Date().toISOString(),
  };
  const identity = buildIdentity(world, { vmId: vm.id, request });
  const body = {
    location: vm.location,
    ...(request.tags ? { tags: request.tags } : {}),
    ...(identity ? { identity } : {}),
    ...(request.zones ? { zones: request.zones } : {}),
    ...(request.plan ? { plan: request.plan } : {}),
    properties,
    // Compute counts: https://learn.microsoft.com/rest/api/compute/virtual-machines/get
    etag: '"1"',
  };
  const resource = newResource({ ...vm, type: VM_TYPE }, body);
  return {
    vm: { ...resource, hidden: withPower(undefined, { customData: given?.osProfile?.customData }) },
    parts: [...nics.resources, ...disks.resources],
  };
}

function spotPart(given: VmRequest["properties"]): JsonObject {
  if (given?.priority !== "Spot" && given?.priority !== "Low") return {};
  return {
    evictionPolicy: given.evictionPolicy ?? "Deallocate",
    billingProfile: given.billingProfile ?? { maxPrice: -1 },
  };
}

function keptOf(given: JsonObject): JsonObject {
  return Object.fromEntries(KEPT_AS_GIVEN.flatMap((name) => (given[name] === undefined ? [] : [[name, given[name]]])));
}

/** Custom data and the password are kept by Azure and shown to nobody. */
function osProfileOf({ id, request }: NewVm): JsonObject | undefined {
  const given = request.properties?.osProfile;
  if (!given) return undefined;
  const patchSettings = { patchMode: "ImageDefault", assessmentMode: "ImageDefault" };
  const linux = {
    disablePasswordAuthentication: given.adminPassword === undefined,
    provisionVMAgent: true,
    patchSettings,
    ...given.linuxConfiguration,
  };
  return {
    computerName: given.computerName ?? id.slice(id.lastIndexOf("/") + 1),
    adminUsername: given.adminUsername,
    ...(given.windowsConfiguration
      ? { windowsConfiguration: given.windowsConfiguration }
      : { linuxConfiguration: linux }),
    secrets: given.secrets ?? [],
    allowExtensionOperations: given.allowExtensionOperations ?? true,
    requireGuestProvisionSignal: given.requireGuestProvisionSignal ?? true,
  };
}

const groupScope = ({ subscriptionId, group }: NewVm): string =>
  `/subscriptions/${subscriptionId}/resourceGroups/${group}`;

function buildNics(vm: NewVm): { references: readonly JsonObject[]; resources: readonly StoredResource[] } {
  const profile = vm.request.properties?.networkProfile;
  const configurations = profile?.networkInterfaceConfigurations ?? [];
  const resources = configurations.map((configuration) => buildNic(vm, configuration));
  const declared = configurations.map(({ properties }, index) => ({
    id: resources[index]?.id,
    properties: { primary: properties.primary ?? index === 0, deleteOption: properties.deleteOption ?? "Detach" },
  }));
  const existing = (profile?.networkInterfaces ?? []).map(({ id, properties }) => ({
    id,
    properties: { primary: properties?.primary ?? true, deleteOption: properties?.deleteOption ?? "Detach" },
  }));
  return { references: [...existing, ...declared], resources };
}

type NicConfiguration = NonNullable<
  NonNullable<NonNullable<VmRequest["properties"]>["networkProfile"]>["networkInterfaceConfigurations"]
>[number];

function buildNic(vm: NewVm, { name, tags, properties }: NicConfiguration): StoredResource {
  // Azure puts a suffix behind the name of the configuration: who needs the NIC's id reads it from the VM.
  const id = `${groupScope(vm)}/providers/Microsoft.Network/networkInterfaces/${name}-${randomBytes(4).toString("hex")}`;
  const ipConfigurations = properties.ipConfigurations.map((one, index) => ({
    name: one.name,
    id: `${id}/ipConfigurations/${one.name}`,
    type: "Microsoft.Network/networkInterfaces/ipConfigurations",
    properties: {
      provisioningState: "Succeeded",
      privateIPAddress: privateAddress(),
      privateIPAllocationMethod: "Dynamic",
      primary: index === 0,
      subnet: one.properties?.subnet,
    },
  }));
  const type = "Microsoft.Network/networkInterfaces";
  return newResource(
    { id, type, group: vm.group, subscriptionId: vm.subscriptionId },
    {
      location: vm.location,
      ...(tags ? { tags } : {}),
      etag: newEtag(),
      properties: {
        provisioningState: "Succeeded",
        resourceGuid: randomUUID(),
        ipConfigurations,
        enableAcceleratedNetworking: properties.enableAcceleratedNetworking ?? false,
        primary: properties.primary ?? true,
        virtualMachine: { id: vm.id },
        ...(properties.networkSecurityGroup ? { networkSecurityGroup: properties.networkSecurityGroup } : {}),
      },
    },
  );
}

const privateAddress = (): string =>
  `10.64.${randomBytes(1).readUInt8()}.${String(4 + (randomBytes(1).readUInt8() % 250))}`;

function buildDisks(vm: NewVm): { profile: JsonObject; resources: readonly StoredResource[] } {
  const given = vm.request.properties?.storageProfile;
  const vmName = vm.id.slice(vm.id.lastIndexOf("/") + 1);
  const image = given?.imageReference;
  const os = {
    caching: "ReadWrite",
    osType: "Linux",
    diskSizeGB: 64,
    deleteOption: "Detach",
    ...given?.osDisk,
    createOption: given?.osDisk?.createOption ?? "FromImage",
  };
  const osDisk = placeDisk(vm, { ...os, name: os.name ?? `${vmName}_OsDisk_1_${randomBytes(16).toString("hex")}` });
  const dataDisks = (given?.dataDisks ?? []).map((one) =>
    placeDisk(vm, {
      caching: "None",
      diskSizeGB: 32,
      deleteOption: "Detach",
      ...one,
      name: one.name ?? `${vmName}_DataDisk_${one.lun}_${randomBytes(16).toString("hex")}`,
    }),
  );
  const exactVersion = image?.version && image.version !== "latest" ? image.version : "2024.11.25";
  const profile = {
    ...(image ? { imageReference: image.publisher ? { ...image, exactVersion } : image } : {}),
    osDisk: osDisk.entry,
    dataDisks: dataDisks.map(({ entry }) => entry),
    ...(given?.diskControllerType ? { diskControllerType: given.diskControllerType } : {}),
  };
  return { profile, resources: [osDisk, ...dataDisks].flatMap(({ resource }) => resource ?? []) };
}

interface DiskEntry {
  readonly name: string;
  readonly createOption: string;
  readonly diskSizeGB?: number | undefined;
  readonly osType?: string | undefined;
  readonly managedDisk?:
    { readonly id?: string | undefined; readonly storageAccountType?: string | undefined } | undefined;
}

/** The entry in the VM's storage profile, and the disk that comes with it unless it was there before. */
function placeDisk(vm: NewVm, disk: DiskEntry): { entry: JsonObject; resource?: StoredResource } {
  if (disk.createOption === "Attach") return { entry: { ...disk } };
  const type = "Microsoft.Compute/disks";
  const id = `${groupScope(vm)}/providers/${type}/${disk.name}`;
  const sku = disk.managedDisk?.storageAccountType ?? "Premium_LRS";
  const body = {
    location: vm.location,
    // Azure gives the disks that it makes for a VM the VM's own tags.
    ...(vm.request.tags ? { tags: vm.request.tags } : {}),
    ...(vm.request.zones ? { zones: vm.request.zones } : {}),
    managedBy: vm.id,
    sku: { name: sku, tier: sku.split("_")[0] },
    properties: {
      ...(disk.osType ? { osType: disk.osType, hyperVGeneration: "V2" } : {}),
      creationData: { createOption: disk.createOption },
      diskSizeGB: disk.diskSizeGB,
      diskState: "Attached",
      provisioningState: "Succeeded",
      timeCreated: new Date().toISOString(),
      uniqueId: randomUUID(),
    },
  };
  const entry = { ...disk, managedDisk: { ...disk.managedDisk, storageAccountType: sku, id } };
  return { entry, resource: newResource({ id, type, group: vm.group, subscriptionId: vm.subscriptionId }, body) };
}

/** The identity block with the principals behind it; the system-assigned one comes into being with the VM. */
export function buildIdentity(
  world: CloudWorld,
  { vmId, request }: { vmId: string; request: Pick<VmRequest, "identity"> },
): JsonObject | undefined {
  const given = request.identity;
  if (!given || given.type === "None") return undefined;
  const own = given.type.includes("SystemAssigned")
    ? world.directory.addManagedIdentity({ resourceId: vmId, kind: "system-assigned" })
    : undefined;
  const ids = Object.entries(given.userAssignedIdentities ?? {}).flatMap(([id, value]) => (value === null ? [] : [id]));
  const userAssigned = ids.map((id) => {
    const principal = world.directory.findByResourceId(id);
    return [id, { principalId: principal?.objectId, clientId: principal?.clientId }];
  });
  return {
    type: given.type.replace(/,\s*/, ", "),
    ...(own ? { principalId: own.objectId, tenantId: world.directory.tenantId } : {}),
    ...(ids.length > 0 ? { userAssignedIdentities: Object.fromEntries(userAssigned) as JsonObject } : {}),
  };
}
