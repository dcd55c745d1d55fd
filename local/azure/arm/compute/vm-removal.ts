import type { CloudWorld } from "../cloud-world";
import { sameId } from "../resource-access";
import { propertiesOf, type StoredResource } from "../resource-store";
import { attachedTo, VM_TYPE } from "./vm-record";
import { userOf } from "./vm-references";

/** Takes a VM away, and of its parts those that were to go with it; the others stay behind, detached. */
export function removeVm(
  world: CloudWorld,
  vm: StoredResource,
  { withDisks }: { withDisks: boolean } = { withDisks: false },
): void {
  world.resources.delete(vm.id);
  world.directory.removeManagedIdentity(vm.id);
  world.access.forgetScope(vm.id);
  for (const { id, deleteOption } of attachedTo(vm)) {
    const isDisk = /\/disks\//i.test(id);
    if (deleteOption === "Delete" || (isDisk && withDisks)) removePart(world, id);
    else detach(world, { id, isDisk, vm });
  }
}

function removePart(world: CloudWorld, id: string): void {
  world.resources.delete(id);
  world.access.forgetScope(id);
}

function detach(world: CloudWorld, { id, isDisk, vm }: { id: string; isDisk: boolean; vm: StoredResource }): void {
  const part = world.resources.get(id);
  if (!part) return;
  if (isDisk) {
    const { managedBy: _gone, ...body } = part.body;
    world.resources.put({ ...part, body: { ...body, properties: { ...propertiesOf(part), diskState: "Unattached" } } });
  } else if (sameId(userOf(part), vm.id)) {
    const { virtualMachine: _gone, ...properties } = propertiesOf(part);
    world.resources.put({ ...part, body: { ...part.body, properties } });
  }
}

export const isVm = (resource: StoredResource): boolean => resource.type === VM_TYPE;
