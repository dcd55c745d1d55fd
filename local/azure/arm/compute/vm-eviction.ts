import type { CloudWorld } from "../cloud-world";
import { preemptionEvent } from "../resource-events";
import { operationOn } from "../resource-access";
import type { StoredResource } from "../resource-store";
import { powerOf, VM_TYPE, vmProperties } from "./vm-record";
import { removeVm } from "./vm-removal";

const SLOT = "/evictions/current";

/** Azure takes a spot VM back: notice by Scheduled Events, and then the plug, whatever the VM is doing. */
export async function beginEviction(world: CloudWorld, vm: StoredResource): Promise<void> {
  if (world.operations.currentOf(`${vm.id}${SLOT}`) || holdsNoCapacity(world, vm)) return;
  const seconds = world.evictionNoticeSeconds;
  // Beside the VM's own operation, not instead of it: an eviction asks nobody.
  world.operations.begin({
    ...operationOn(vm, `evict ${VM_TYPE}`),
    resourceId: `${vm.id}${SLOT}`,
    kind: "evictVm",
    latencyMs: seconds * 1000,
  });
  await world.power.announcePreemption(vm.id, seconds);
}

/** A VM that is deallocated has nothing that Azure could take back; a start that is under way will give it something. */
const holdsNoCapacity = (world: CloudWorld, vm: StoredResource): boolean =>
  powerOf(vm) === "deallocated" && !world.operations.currentOf(vm.id);

export function registerEviction(world: CloudWorld): void {
  world.operations.on("evictVm", {
    complete: async ({ resourceId }) => {
      const vm = world.resources.get(resourceId.slice(0, -SLOT.length));
      if (vm) await evict(world, vm);
      return undefined;
    },
    // A fault of the plan spared the VM.
    fail: () => Promise.resolve(),
  });
}

async function evict(world: CloudWorld, vm: StoredResource): Promise<void> {
  const isDeleted = vmProperties(vm).evictionPolicy === "Delete";
  const isGoing = world.operations.currentOf(vm.id)?.kind === "deleteVm";
  if (isGoing || holdsNoCapacity(world, vm)) return;
  world.operations.preempt(vm.id);
  await world.power.off(vm.id, { discardDisk: isDeleted });
  world.emitHealth(preemptionEvent(vm.id, vm.subscriptionId));
  const still = world.resources.get(vm.id);
  if (!still) return;
  if (isDeleted) {
    removeVm(world, still, { withDisks: true });
    return;
  }
  world.resources.changeProperties(vm.id, { provisioningState: "Succeeded" });
  world.resources.change(vm.id, { hidden: { power: "deallocated" } });
}
