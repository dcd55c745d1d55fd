import type { DatabaseSync } from "node:sqlite";
import { JsonTable } from "../../store/json-table";
import { quotaExceeded, type QuotaShortage } from "../arm-errors";
import { isSame, locationName, propertiesOf, type ResourceStore, type StoredResource } from "../resource-store";
import { findVmSize, isGpuFamily, VM_FAMILIES, VM_SIZES, type VmSize } from "./vm-sizes";

export interface QuotaLimit {
  /** Absent: in every location that has no limit of its own. */
  readonly location?: string | undefined;
  /** A quota family, `cores`, `lowPriorityCores` or `virtualMachines`. */
  readonly name: string;
  readonly limit: number;
}

export interface UsageRow {
  readonly name: string;
  readonly localizedName: string;
  readonly limit: number;
  readonly used: number;
}

export interface CapacityOptions {
  readonly database: DatabaseSync;
  readonly resources: ResourceStore;
  /** Azure gives no cores of GPU families before they were asked for. */
  readonly gpuFamilyCores: number;
}

interface Place {
  readonly subscriptionId: string;
  readonly location: string;
}

const VM_TYPE = "Microsoft.Compute/virtualMachines";
const REGIONAL = [
  { name: "cores", localizedName: "Total Regional vCPUs", limit: 350 },
  { name: "virtualMachines", localizedName: "Virtual Machines", limit: 25_000 },
  { name: "lowPriorityCores", localizedName: "Total Regional Low-priority vCPUs", limit: 350 },
] as const;

/** Names come back with spaces and in other case from the usages API, so neither counts. */
const normalized = (name: string): string => name.toLowerCase().replaceAll(" ", "");

/** What the simulated regions have room for: quotas, and sizes that are sold out. Both may be changed while the stack runs. */
export class Capacity {
  private readonly limits: JsonTable<number>;
  private readonly soldOut: JsonTable<boolean>;
  private readonly restrictedZones: JsonTable<readonly string[]>;
  private readonly settings: JsonTable<number>;

  constructor(private readonly options: CapacityOptions) {
    this.limits = new JsonTable(options.database, "quotaLimits");
    this.soldOut = new JsonTable(options.database, "soldOutSizes");
    this.restrictedZones = new JsonTable(options.database, "restrictedZones");
    this.settings = new JsonTable(options.database, "capacitySettings");
  }

  isQuota(name: string): boolean {
    return [...REGIONAL.map((row) => row.name), ...VM_FAMILIES].some((known) => normalized(known) === normalized(name));
  }

  setLimit({ location, name, limit }: QuotaLimit): void {
    this.limits.set(`${location ? locationName(location) : "*"} ${normalized(name)}`, limit);
  }

  limitOf(location: string, name: string): number {
    const own =
      this.limits.get(`${locationName(location)} ${normalized(name)}`) ?? this.limits.get(`* ${normalized(name)}`);
    if (own !== undefined) return own;
    const regional = REGIONAL.find((row) => normalized(row.name) === normalized(name));
    if (regional) return regional.limit;
    return isGpuFamily(name) ? this.options.gpuFamilyCores : 100;
  }

  setAvailable(size: string, { location, isAvailable }: { location?: string | undefined; isAvailable: boolean }): void {
    const key = `${location ? locationName(location) : "*"} ${size.toLowerCase()}`;
    if (isAvailable) this.soldOut.delete(key);
    else this.soldOut.set(key, true);
  }

  isAvailable(size: string, location: string): boolean {
    return (
      !this.soldOut.get(`* ${size.toLowerCase()}`) &&
      !this.soldOut.get(`${locationName(location)} ${size.toLowerCase()}`)
    );
  }

  /** Zones of a location in which the subscription may not use a size; none lifts what was there. */
  restrictZones(size: string, location: string, zones: readonly string[]): void {
    this.restrictedZones.set(`${locationName(location)} ${size.toLowerCase()}`, zones);
  }

  restrictionOf(size: string, location: string): { readonly isWhole: boolean; readonly zones: readonly string[] } {
    const zones = this.restrictedZones.get(`${locationName(location)} ${size.toLowerCase()}`) ?? [];
    return { isWhole: !this.isAvailable(size, location), zones };
  }

  get latencyMultiplier(): number {
    return this.settings.get("latencyMultiplier") ?? 1;
  }

  set latencyMultiplier(multiplier: number) {
    this.settings.set("latencyMultiplier", multiplier);
  }

  usages(place: Place): UsageRow[] {
    const vms = this.vmsAt(place);
    const regional = REGIONAL.map(({ name, localizedName }) => ({ name, localizedName }));
    const families = VM_FAMILIES.map((name) => ({
      name,
      localizedName: `${name.replace(/Family$/, " Family").replace(/^standard/i, "Standard ")} vCPUs`,
    }));
    return [...regional, ...families].map(({ name, localizedName }) => ({
      name,
      localizedName,
      limit: this.limitOf(place.location, name),
      used: usedOf(name, vms),
    }));
  }

  /** Refuses a VM that would exceed a quota. Spot VMs draw on one pool of their own, and on nothing else. */
  demand(
    place: Place,
    { size, isSpot, instead }: { size: VmSize; isSpot: boolean; instead?: StoredResource | undefined },
  ): void {
    const vms = this.vmsAt(place).filter((vm) => vm.id !== instead?.id);
    const pools = isSpot
      ? [{ name: "lowPriorityCores", quota: "LowPriorityCores" }]
      : [
          { name: size.family, quota: `${size.family} Cores` },
          { name: "cores", quota: "Total Regional Cores" },
        ];
    for (const { name, quota } of pools) {
      const shortage: QuotaShortage = {
        quota,
        location: place.location,
        limit: this.limitOf(place.location, name),
        usage: usedOf(name, vms),
        additional: size.vcpus,
      };
      if (shortage.usage + shortage.additional > shortage.limit) throw quotaExceeded(shortage);
    }
  }

  /** Deallocated and failed VMs count too: their cores are kept. */
  private vmsAt({ subscriptionId, location }: Place): StoredResource[] {
    return this.options.resources
      .ofType(VM_TYPE)
      .filter((vm) => isSame(vm.subscriptionId, subscriptionId) && vm.body["location"] === locationName(location));
  }
}

function usedOf(name: string, vms: readonly StoredResource[]): number {
  if (name === "virtualMachines") return vms.length;
  return vms.map((vm) => coresOf(name, vm)).reduce((sum, cores) => sum + cores, 0);
}

function coresOf(name: string, vm: StoredResource): number {
  const size = sizeOf(vm);
  const isSpot = propertiesOf(vm)["priority"] === "Spot";
  if (!size) return 0;
  if (name === "lowPriorityCores") return isSpot ? size.vcpus : 0;
  if (isSpot) return 0;
  return name === "cores" || normalized(name) === normalized(size.family) ? size.vcpus : 0;
}

export function sizeOf(vm: StoredResource): VmSize | undefined {
  const profile = propertiesOf(vm)["hardwareProfile"] as { vmSize?: string } | undefined; // written by the VM's PUT
  return profile?.vmSize ? findVmSize(profile.vmSize) : undefined;
}

export const SIZE_NAMES: readonly string[] = VM_SIZES.map(({ name }) => name);
