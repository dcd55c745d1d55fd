import type { CloudWorld } from "../cloud-world";
import { VM_SIZES, type VmSize } from "./vm-sizes";

/** Rows of `Microsoft.Compute/skus`: each size in each location, with a restriction where it is sold out. */
export function skuRows(world: CloudWorld, filter: string | null): readonly object[] {
  const wanted = /location eq '([^']+)'/i.exec(filter ?? "")?.[1]?.toLowerCase();
  const locations = world.locations.filter((location) => wanted === undefined || location === wanted);
  return locations.flatMap((location) => VM_SIZES.map((size) => skuRow(world, { size, location })));
}

function skuRow(world: CloudWorld, { size, location }: { size: VmSize; location: string }): object {
  const capability = (name: string, value: string | number): object => ({ name, value: String(value) });
  const sold = {
    type: "Location",
    values: [location],
    restrictionInfo: { locations: [location] },
    reasonCode: "NotAvailableForSubscription",
  };
  return {
    resourceType: "virtualMachines",
    name: size.name,
    tier: "Standard",
    size: size.name.replace("Standard_", ""),
    family: size.family,
    locations: [location],
    locationInfo: [{ location, zones: ["1", "2", "3"], zoneDetails: [] }],
    capabilities: [
      capability("vCPUs", size.vcpus),
      capability("MemoryGB", size.memoryGiB),
      ...(size.gpus > 0 ? [capability("GPUs", size.gpus)] : []),
      capability("LowPriorityCapable", "True"),
      capability("HyperVGenerations", "V1,V2"),
    ],
    restrictions: world.capacity.isAvailable(size.name, location) ? [] : [sold],
  };
}
