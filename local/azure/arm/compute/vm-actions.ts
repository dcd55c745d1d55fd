import { conflict, markedForDeletion, onlyForSpot, vmMustRun } from "../arm-errors";
import type { CloudWorld } from "../cloud-world";
import type { LatencyKind } from "../latencies";
import type { Operation } from "../operations";
import { operationOn, requireGroup, requireResource } from "../resource-access";
import type { ArmReply, ArmRequest } from "../route";
import type { StoredResource } from "../resource-store";
import { beginEviction } from "./vm-eviction";
import { isSpot, type PowerState, powerOf } from "./vm-record";

interface VmAction {
  readonly kind: LatencyKind;
  readonly meanwhile: PowerState;
  readonly name: string;
}

const ACTIONS = {
  deallocate: { kind: "deallocateVm", meanwhile: "deallocating", name: "deallocate" },
  start: { kind: "startVm", meanwhile: "starting", name: "start" },
  powerOff: { kind: "powerOffVm", meanwhile: "stopping", name: "powerOff" },
  restart: { kind: "restartVm", meanwhile: "starting", name: "restart" },
} as const satisfies Record<string, VmAction>;

export type VmActionName = keyof typeof ACTIONS;

/** POST …/deallocate, start, powerOff, restart: 202, and the rest in an operation. */
export function actOnVm(world: CloudWorld, request: ArmRequest, name: VmActionName): ArmReply {
  const vm = requireResource(world, request);
  const operation = beginAction(world, { vm, action: ACTIONS[name], label: request.label });
  return { status: 202, operation, follow: "async-and-location" };
}

function beginAction(
  world: CloudWorld,
  { vm, action, label }: { vm: StoredResource; action: VmAction; label: string },
): Operation {
  const current = world.operations.currentOf(vm.id);
  if (current?.kind === "deleteVm") throw markedForDeletion(action.name, vm.name);
  if (current?.kind === action.kind) return current;
  if (current) throw conflict();
  const power = powerOf(vm);
  if (action.kind === "restartVm" && power !== "running") throw vmMustRun();
  // What is so already stays so: the VM is not shown in between.
  const isNoop =
    (action.kind === "startVm" && power === "running") || (action.kind === "deallocateVm" && power === "deallocated");
  if (!isNoop) {
    world.resources.changeProperties(vm.id, { provisioningState: "Updating" });
    world.resources.change(vm.id, { hidden: { power: action.meanwhile } });
    if (action.kind !== "startVm") world.power.offSoon(vm.id);
  }
  return world.operations.begin({
    ...operationOn(vm, label),
    kind: isNoop ? "updateVm" : action.kind,
    latencyMs: world.latencies.drawMs(action.kind),
  });
}

/** DELETE: 202, or 204 when there is no such VM. It takes the VM away from whatever operation it is in. */
export function deleteVm(world: CloudWorld, request: ArmRequest): ArmReply {
  requireGroup(world, request);
  const vm = world.resources.get(request.path.id);
  if (!vm) return { status: 204 };
  return { status: 202, operation: beginDelete(world, vm, request.label), follow: "async-and-location" };
}

export function beginDelete(world: CloudWorld, vm: StoredResource, label: string): Operation {
  const current = world.operations.currentOf(vm.id);
  if (current?.kind === "deleteVm") return current;
  world.operations.preempt(vm.id);
  world.resources.changeProperties(vm.id, { provisioningState: "Deleting" });
  world.power.offSoon(vm.id);
  return world.operations.begin({
    ...operationOn(vm, label),
    kind: "deleteVm",
    latencyMs: world.latencies.drawMs("deleteVm"),
  });
}

/** POST …/simulateEviction: 204 at once; the eviction itself follows. */
export async function simulateEviction(world: CloudWorld, request: ArmRequest): Promise<ArmReply> {
  const vm = requireResource(world, request);
  if (!isSpot(vm)) throw onlyForSpot(vm.name);
  if (world.operations.currentOf(vm.id)?.kind === "deleteVm") throw markedForDeletion("simulateEviction", vm.name);
  await beginEviction(world, vm);
  return { status: 204 };
}
