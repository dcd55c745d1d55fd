import type { JobRef, MachineRef, OrgRef, SubscriptionRef } from "../domain/instances";
import type { MachineState } from "../contract/machine";

/** An activity by name, with the types of its input and output and the waits between its tries. */
export interface ActivityRef<Input, Output> {
  readonly name: string;
  /** One more try after each; a refusal is an output and is never tried again. */
  readonly waitsMs: readonly number[];
  readonly types?: (input: Input) => Output;
}

const PATIENT = [1_000, 5_000, 25_000, 60_000, 60_000];

export interface JobProgress {
  readonly ended: boolean;
  /** When to look again if nothing is heard. */
  readonly checkInSeconds: number;
}

export interface MachineProgress {
  readonly state: MachineState;
  /** Creating, Booting: seconds to its deadline. Deleting: seconds to the next look. Else: to the next backstop look. */
  readonly checkInSeconds: number;
}

export interface PlacementPass {
  /** Another scheduler has taken over. */
  readonly fenced: boolean;
  /** Machines whose rows are there and whose run may not have been started. */
  readonly machines: readonly MachineRef[];
  /** Whether it is time to look how created VMs get on. */
  readonly observe: boolean;
  readonly nextPassSeconds: number;
}

export interface SchedulerEpoch extends SubscriptionRef {
  readonly epoch: number;
}

export const advanceJob: ActivityRef<JobRef, JobProgress> = { name: "advanceJob", waitsMs: PATIENT };
export const takeScheduler: ActivityRef<SubscriptionRef & { holder: string }, number> = {
  name: "takeScheduler",
  waitsMs: PATIENT,
};
export const placeJobs: ActivityRef<SchedulerEpoch, PlacementPass> = { name: "placeJobs", waitsMs: PATIENT };
export const observeMachines: ActivityRef<SubscriptionRef, void> = { name: "observeMachines", waitsMs: [1_000, 5_000] };
export const startMachine: ActivityRef<MachineRef, void> = { name: "startMachine", waitsMs: PATIENT };
export const createVm: ActivityRef<MachineRef, MachineProgress> = { name: "createVm", waitsMs: [1_000, 5_000, 25_000] };
export const readMachine: ActivityRef<MachineRef, MachineProgress> = { name: "readMachine", waitsMs: PATIENT };
export const failMachine: ActivityRef<MachineRef & { reason: string }, MachineProgress> = {
  name: "failMachine",
  waitsMs: PATIENT,
};
export const deleteVm: ActivityRef<MachineRef, MachineProgress> = { name: "deleteVm", waitsMs: PATIENT };
export const confirmDeleted: ActivityRef<MachineRef, MachineProgress> = { name: "confirmDeleted", waitsMs: PATIENT };
export const planSweep: ActivityRef<Record<string, never>, { readonly drain: readonly MachineRef[] }> = {
  name: "planSweep",
  waitsMs: [1_000, 5_000],
};
export const drainMachine: ActivityRef<MachineRef, void> = { name: "drainMachine", waitsMs: [1_000, 5_000] };
export const redrive: ActivityRef<Record<string, never>, void> = { name: "redrive", waitsMs: [1_000, 5_000] };
export const confirmEstateOf: ActivityRef<OrgRef, void> = { name: "confirmEstateOf", waitsMs: PATIENT };
