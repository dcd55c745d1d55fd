import type { ArmErrorBody } from "../arm-error";
import type { CloudWorld } from "../cloud-world";
import type { Operation, OperationEffect } from "../operations";
import type { StoredResource } from "../resource-store";
import { type PowerState, powerOf, VM_TYPE } from "./vm-record";
import { removeVm } from "./vm-removal";

/** What happens to a VM when the operation that it is in comes to its end. */
export function registerVmOperations(world: CloudWorld): void {
  const { operations, power } = world;
  operations.on(
    "createVm",
    effectOf(world, async (vm, operation) => switchOn(world, vm, operation)),
  );
  operations.on(
    "startVm",
    effectOf(world, async (vm, operation) => switchOn(world, vm, operation)),
  );
  operations.on(
    "deleteVm",
    effectOf(world, async (vm) => {
      await power.off(vm.id, { discardDisk: true });
      removeVm(world, vm);
    }),
  );
  operations.on(
    "deallocateVm",
    effectOf(world, async (vm) => {
      await power.off(vm.id, { discardDisk: false });
      settle(world, vm.id, "deallocated");
    }),
  );
  operations.on(
    "powerOffVm",
    effectOf(world, async (vm) => {
      await power.off(vm.id, { discardDisk: false });
      settle(world, vm.id, "stopped");
    }),
  );
  operations.on(
    "restartVm",
    effectOf(world, async (vm, operation) => {
      await power.off(vm.id, { discardDisk: false });
      await switchOn(world, vm, operation);
    }),
  );
  operations.on(
    "updateVm",
    effectOf(world, async (vm, operation) => {
      const before = powerOf(vm);
      if (operation.input["restart"] === "true" && before === "running") {
        await power.off(vm.id, { discardDisk: false });
        await switchOn(world, vm, operation);
      } else {
        settle(world, vm.id, before);
      }
    }),
  );
}

/** After a restart of the cloud: the machines that were running run again. */
export function resumeVms(world: CloudWorld): void {
  for (const vm of world.resources.ofType(VM_TYPE)) {
    const kind = world.operations.currentOf(vm.id)?.kind;
    if (powerOf(vm) !== "running" || kind === "deleteVm") continue;
    world.power.on(vm).catch((error: unknown) => world.log(`powerOn ${vm.id} failed: ${String(error)}`));
  }
}

async function switchOn(world: CloudWorld, vm: StoredResource, operation: Operation): Promise<void> {
  await world.power.on(vm);
  // A deletion may have taken the VM away while it booted.
  if (world.operations.isInProgress(operation.id)) settle(world, vm.id, "running");
}

function settle(world: CloudWorld, id: string, power: PowerState | undefined): void {
  world.resources.changeProperties(id, { provisioningState: "Succeeded" });
  world.resources.change(id, { hidden: { power, failureCode: undefined } });
}

/** Does the work if the VM still exists, and marks the VM Failed when the operation fails: Azure leaves it behind like that. */
function effectOf(
  world: CloudWorld,
  work: (vm: StoredResource, operation: Operation) => Promise<void>,
): OperationEffect {
  return {
    complete: async (operation) => {
      const vm = world.resources.get(operation.resourceId);
      if (vm) await work(vm, operation);
      return undefined;
    },
    fail: (operation, error: ArmErrorBody) => {
      const vm = world.resources.get(operation.resourceId);
      if (vm) {
        world.resources.changeProperties(vm.id, { provisioningState: "Failed" });
        world.resources.change(vm.id, { hidden: { failureCode: error.code, power: powerAfterFailure(powerOf(vm)) } });
      }
      return Promise.resolve();
    },
  };
}

function powerAfterFailure(power: PowerState | undefined): PowerState | undefined {
  if (power === "starting") return "deallocated";
  // It was switched off when the operation began; only the rest of it failed.
  return power === "stopping" || power === "deallocating" ? "stopped" : power;
}
