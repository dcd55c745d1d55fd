import type { Job } from "../contract/job";
import { GPU_SIZES, type GpuSize } from "./gpu-sizes";

/** What a job asks of a machine: the part of it that placement reads. */
export type JobNeeds = Pick<Job, "gpus" | "gpuTypes" | "vmSizes" | "locations" | "capacity" | "maxPricePerHour">;

/** Something that can be bought: a VM size in a location, at spot or on-demand terms. */
export interface Offering {
  readonly subscriptionId: string;
  readonly location: string;
  readonly vmSize: string;
  readonly capacity: "spot" | "on-demand";
}

/** A waiting job as the scheduler sees it. `machineId` is the machine that was requested for it, if any. */
export interface WaitingJob {
  readonly jobId: string;
  readonly state: "Queued" | "Placing";
  readonly priority: number;
  readonly queuedAt: string;
  readonly needs: JobNeeds;
  /** Set on the last permitted attempt after evictions: spot is not tried again. */
  readonly onDemandOnly: boolean;
  readonly machineId?: string | undefined;
}

/** A machine that could take a job now (`Idle`) or soon (`Creating`, `Booting`). */
export interface AvailableMachine {
  readonly machineId: string;
  readonly state: "Creating" | "Booting" | "Idle";
  readonly offering: Offering;
}

/** An offering that was refused lately; `reason` is what a waiting job shows. */
export interface BlockedOffering {
  readonly location: string;
  readonly vmSize: string;
  readonly capacity: "spot" | "on-demand";
  readonly reason: string;
}

export interface PlacementInput {
  readonly subscriptionId: string;
  readonly locations: readonly string[];
  readonly jobs: readonly WaitingJob[];
  readonly machines: readonly AvailableMachine[];
  /** How many more machines the organization may have, and how many more jobs it may run. */
  readonly machinesLeft: number;
  readonly runningJobsLeft: number;
  readonly blocked: readonly BlockedOffering[];
  /** Cores left in a quota row, undefined when unknown: then the quota is no obstacle, Azure itself decides. */
  readonly coresLeft: (location: string, quotaRow: string) => number | undefined;
}

export type PlacementDecision =
  | { readonly kind: "lease"; readonly jobId: string; readonly machineId: string }
  | { readonly kind: "await"; readonly jobId: string; readonly machineId: string }
  | { readonly kind: "create"; readonly jobId: string; readonly offering: Offering }
  | { readonly kind: "wait"; readonly jobId: string; readonly waitingFor: string };

export const SPOT_QUOTA_ROW = "lowPriorityCores";
export const REGIONAL_QUOTA_ROW = "cores";

export const quotaRowsOf = (size: GpuSize, capacity: Offering["capacity"]): readonly string[] =>
  capacity === "spot" ? [SPOT_QUOTA_ROW] : [size.family, REGIONAL_QUOTA_ROW];

export const priceOf = (size: GpuSize, capacity: Offering["capacity"]): number =>
  capacity === "spot" ? size.spotUsdPerHour : size.onDemandUsdPerHour;

/** Best first: higher priority, then the longest wait, then the id so that the order is total. */
export function compareWaiting(left: WaitingJob, right: WaitingJob): number {
  return (
    right.priority - left.priority ||
    left.queuedAt.localeCompare(right.queuedAt) ||
    (left.jobId < right.jobId ? -1 : Number(left.jobId > right.jobId))
  );
}

/** Whether a machine of this offering may run a job with these needs. */
export function fits(offering: Offering, job: Pick<WaitingJob, "needs" | "onDemandOnly">): boolean {
  const size = GPU_SIZES.find(({ vmSize }) => vmSize === offering.vmSize);
  if (!size) return false;
  const { needs } = job;
  return (
    size.gpus >= needs.gpus &&
    (needs.gpuTypes?.includes(size.gpuType as NonNullable<JobNeeds["gpuTypes"]>[number]) ?? true) &&
    (needs.vmSizes?.includes(size.vmSize) ?? true) &&
    (needs.locations?.includes(offering.location) ?? true) &&
    (needs.maxPricePerHour === undefined || priceOf(size, offering.capacity) <= needs.maxPricePerHour) &&
    capacitiesOf(job).includes(offering.capacity)
  );
}

function capacitiesOf({
  needs,
  onDemandOnly,
}: Pick<WaitingJob, "needs" | "onDemandOnly">): readonly Offering["capacity"][] {
  if (needs.capacity === "spot") return ["spot"];
  if (needs.capacity === "on-demand" || onDemandOnly) return ["on-demand"];
  return ["spot", "on-demand"];
}

/** Every offering that could run the job, cheapest first; equal prices keep the order of the organization's locations. */
function candidatesOf(job: WaitingJob, input: PlacementInput): { offering: Offering; size: GpuSize }[] {
  return input.locations
    .flatMap((location) =>
      GPU_SIZES.flatMap((size) =>
        (["spot", "on-demand"] as const).map((capacity) => ({
          size,
          offering: { subscriptionId: input.subscriptionId, location, vmSize: size.vmSize, capacity },
        })),
      ),
    )
    .filter(({ offering }) => fits(offering, job))
    .sort((left, right) => priceOf(left.size, left.offering.capacity) - priceOf(right.size, right.offering.capacity));
}

/**
 * Matches waiting jobs with machines: an idle machine that fits, else one that is on its way and free, else a new one from the
 * cheapest offering that is neither blocked nor out of quota; else the job waits and says for what. A machine is awaited or bought only
 * for a job that may run once it is there. Pure; the scheduler acts on it.
 */
export function planPlacement(input: PlacementInput): PlacementDecision[] {
  const free = new Map(input.machines.map((machine) => [machine.machineId, machine]));
  const coresTaken = new Map<string, number>();
  let machinesLeft = input.machinesLeft;
  let runningJobsLeft = input.runningJobsLeft;
  return [...input.jobs].sort(compareWaiting).map((job): PlacementDecision => {
    const idle = pick(free, job, ["Idle"]);
    if (idle && runningJobsLeft > 0) {
      free.delete(idle.machineId);
      runningJobsLeft -= 1;
      return { kind: "lease", jobId: job.jobId, machineId: idle.machineId };
    }
    if (runningJobsLeft <= 0) return { kind: "wait", jobId: job.jobId, waitingFor: "limit runningJobs" };
    const coming = pick(free, job, ["Booting", "Creating"]);
    if (coming) {
      free.delete(coming.machineId);
      runningJobsLeft -= 1;
      return { kind: "await", jobId: job.jobId, machineId: coming.machineId };
    }
    if (machinesLeft <= 0) return { kind: "wait", jobId: job.jobId, waitingFor: "limit machines" };
    const found = findOffering(job, input, coresTaken);
    if ("waitingFor" in found) return { kind: "wait", jobId: job.jobId, waitingFor: found.waitingFor };
    machinesLeft -= 1;
    runningJobsLeft -= 1;
    return { kind: "create", jobId: job.jobId, offering: found.offering };
  });
}

/** The one requested for this very job if it is still free, so that plans are stable; else the furthest on, then the cheapest. */
function pick(
  free: ReadonlyMap<string, AvailableMachine>,
  job: WaitingJob,
  states: readonly AvailableMachine["state"][],
) {
  const fitting = [...free.values()].filter((machine) => states.includes(machine.state) && fits(machine.offering, job));
  const rank = (machine: AvailableMachine) => states.indexOf(machine.state);
  return fitting.sort(
    (left, right) =>
      Number(right.machineId === job.machineId) - Number(left.machineId === job.machineId) ||
      rank(left) - rank(right) ||
      costOf(left) - costOf(right),
  )[0];
}

/** Without end for a size that is not known. */
function costOf({ offering }: AvailableMachine): number {
  const sizes = GPU_SIZES.filter(({ vmSize }) => vmSize === offering.vmSize);
  return Math.min(...sizes.map((size) => priceOf(size, offering.capacity)));
}

function findOffering(
  job: WaitingJob,
  input: PlacementInput,
  coresTaken: Map<string, number>,
): { offering: Offering } | { waitingFor: string } {
  const refusals: string[] = [];
  for (const { offering, size } of candidatesOf(job, input)) {
    const block = input.blocked.find(
      (each) =>
        each.location === offering.location && each.vmSize === offering.vmSize && each.capacity === offering.capacity,
    );
    if (block) {
      refusals.push(block.reason);
      continue;
    }
    const short = quotaRowsOf(size, offering.capacity).find((row) => {
      const left = input.coresLeft(offering.location, row);
      return left !== undefined && left - (coresTaken.get(`${offering.location}/${row}`) ?? 0) < size.vcpus;
    });
    if (short !== undefined) {
      refusals.push(`quota ${short} in ${offering.location} (needs ${size.vcpus} cores)`);
      continue;
    }
    for (const row of quotaRowsOf(size, offering.capacity)) {
      const key = `${offering.location}/${row}`;
      coresTaken.set(key, (coresTaken.get(key) ?? 0) + size.vcpus);
    }
    return { offering };
  }
  return {
    waitingFor: refusals[0] ?? "no VM size fits gpus, gpuTypes, vmSizes, locations, capacity and maxPricePerHour",
  };
}
