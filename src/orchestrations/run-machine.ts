import type { OrchestrationContext, Task } from "durable-functions";
import {
  confirmDeleted,
  createVm,
  deleteVm,
  failMachine,
  type MachineProgress,
  readMachine,
} from "../activities/contract";
import { CHANGED, type MachineRef } from "../domain/instances";
import { call, log, sleep, waitForEvent } from "./durable";

const STEPS = 6;

/**
 * The life of a machine from its row to its end: create, boot within the deadline, serve, drain, delete, read back. It begins
 * with the create, which does nothing for a machine that has its VM, so that a run can be started again at any time.
 */
export function* runMachine(context: OrchestrationContext): Generator<Task, void, unknown> {
  const machine = context.df.getInput<MachineRef>();
  let progress = yield* create(context, machine);
  for (let step = 0; step < STEPS && progress.state !== "Deleted"; step += 1) {
    progress = yield* next(context, machine, progress);
  }
  if (progress.state !== "Deleted") context.df.continueAsNew(machine);
}

/** A create that Azure did not answer, however often: the VM may be there or not, so the machine is given up and removed. */
function* create(context: OrchestrationContext, machine: MachineRef): Generator<Task, MachineProgress, unknown> {
  try {
    return yield* call(context, createVm, machine);
  } catch (error) {
    log(context, `createVm ${machine.machineId}: given up: ${String(error)}`);
    return yield* call(context, failMachine, { ...machine, reason: "Azure did not answer the create" });
  }
}

function* next(
  context: OrchestrationContext,
  machine: MachineRef,
  progress: MachineProgress,
): Generator<Task, MachineProgress, unknown> {
  switch (progress.state) {
    case "Creating":
    case "Booting": {
      const heard = yield* waitForEvent(context, CHANGED, progress.checkInSeconds);
      if (heard === "raised") return yield* call(context, readMachine, machine);
      return yield* call(context, failMachine, {
        ...machine,
        reason: `the VM did not come up in time (${progress.state})`,
      });
    }
    case "Idle":
    case "Leased":
    case "Deallocated":
      yield* waitForEvent(context, CHANGED, progress.checkInSeconds);
      return yield* call(context, readMachine, machine);
    case "Draining":
    case "Failed":
    case "Evicted":
      return yield* call(context, deleteVm, machine);
    case "Deleting":
      yield* sleep(context, progress.checkInSeconds);
      return yield* call(context, confirmDeleted, machine);
    case "Deleted":
      return progress;
  }
}
