import { ArmError } from "../arm-error";
import type { CloudWorld } from "../cloud-world";
import { VM_SIZES, type VmSize } from "./vm-sizes";

const ZONES = ["1", "2", "3"] as const;

export interface SkuQuestion {
  readonly filter: string | null;
}

/** Rows of `Microsoft.Compute/skus`: each VM size and disk type in each location, with the restrictions of the subscription. */
export function skuRows(world: CloudWorld, { filter }: SkuQuestion): readonly object[] {
  const wanted = locationOf(filter);
  const locations = world.locations.filter((location) => wanted === undefined || location === wanted);
  return locations.flatMap((location) => [
    ...VM_SIZES.map((size) => vmRow(world, { size, location })),
    ...DISK_TYPES.map((name) => diskRow(name, location)),
  ]);
}

/** The one filter that the provider has: https://learn.microsoft.com/rest/api/compute/resource-skus/list */
function locationOf(filter: string | null): string | undefined {
  if (filter === null || filter.trim() === "") return undefined;
  const location = /^\s*location\s+eq\s+'([^']*)'\s*$/i.exec(filter)?.[1];
  if (location !== undefined) return location.toLowerCase().replaceAll(" ", "");
  throw new ArmError(400, {
    code: "BadRequest",
    message: `The filter '${filter.slice(0, 200)}' is not supported. Only 'location' with 'eq' is.`,
  });
}

const capability = (name: string, value: string | number): object => ({ name, value: String(value) });

function vmRow(world: CloudWorld, { size, location }: { size: VmSize; location: string }): object {
  return {
    resourceType: "virtualMachines",
    name: size.name,
    tier: "Standard",
    size: size.name.replace("Standard_", ""),
    family: size.family,
    locations: [location],
    locationInfo: [{ location, zones: [...ZONES], zoneDetails: [] }],
    capabilities: [
      capability("MaxResourceVolumeMB", size.memoryGiB * 4096),
      capability("OSVhdSizeMB", 1_047_552),
      capability("vCPUs", size.vcpus),
      capability("MemoryPreservingMaintenanceSupported", size.gpus > 0 ? "False" : "True"),
      capability("HyperVGenerations", "V1,V2"),
      capability("MemoryGB", size.memoryGiB),
      capability("MaxDataDiskCount", Math.min(64, size.vcpus * 2)),
      capability("CpuArchitectureType", "x64"),
      capability("LowPriorityCapable", "True"),
      capability("PremiumIO", "True"),
      capability("VMDeploymentTypes", "IaaS"),
      capability("vCPUsAvailable", size.vcpus),
      // A part of a GPU is shown as one.
      ...(size.gpus > 0 ? [capability("GPUs", Math.max(1, Math.floor(size.gpus)))] : []),
      capability("vCPUsPerCore", 2),
      capability("EphemeralOSDiskSupported", "True"),
      capability("EncryptionAtHostSupported", "True"),
      capability("AcceleratedNetworkingEnabled", "True"),
      capability("MaxNetworkInterfaces", Math.min(8, Math.max(2, Math.floor(size.vcpus / 4)))),
    ],
    restrictions: restrictionsOf(world, size.name, location),
  };
}

/** A location in which the subscription may not use the size, or zones of it. */
function restrictionsOf(world: CloudWorld, size: string, location: string): object[] {
  const { isWhole, zones } = world.capacity.restrictionOf(size, location);
  const reasonCode = "NotAvailableForSubscription";
  const whole = { type: "Location", values: [location], restrictionInfo: { locations: [location] }, reasonCode };
  const zonal = { type: "Zone", values: [location], restrictionInfo: { locations: [location], zones }, reasonCode };
  if (isWhole) return [whole, { ...zonal, restrictionInfo: { locations: [location], zones: [...ZONES] } }];
  return zones.length > 0 ? [zonal] : [];
}

const DISK_SIZES = { Standard_LRS: "S10", StandardSSD_LRS: "E10", Premium_LRS: "P10" } as const;
const DISK_TYPES = ["Standard_LRS", "StandardSSD_LRS", "Premium_LRS"] as const;

function diskRow(name: (typeof DISK_TYPES)[number], location: string): object {
  return {
    resourceType: "disks",
    name,
    tier: name.startsWith("Premium") ? "Premium" : "Standard",
    size: DISK_SIZES[name],
    locations: [location],
    locationInfo: [{ location, zones: [...ZONES], zoneDetails: [] }],
    capabilities: [capability("MaxSizeGiB", 128), capability("MinSizeGiB", 64), capability("MaxIOps", 500)],
    restrictions: [],
  };
}
