import type { Hypervisor } from "../../../vm/hypervisor";
import type { Directory } from "../../identity/directory";
import type { StoredResource } from "../resource-store";
import { hostedVm } from "./vm-record";

export interface VmPowerOptions {
  readonly hypervisor: Hypervisor;
  readonly directory: Directory;
  readonly log: (line: string) => void;
}

/** Switches the machines below ARM. Calls for one VM run one after the other, so that none is switched on after it was deleted. */
export class VmPower {
  private readonly queues = new Map<string, Promise<void>>();

  constructor(private readonly options: VmPowerOptions) {}

  on(vm: StoredResource): Promise<void> {
    return this.enqueue(vm.id, () => this.options.hypervisor.powerOn(hostedVm(this.options.directory, vm)));
  }

  off(resourceId: string, discard: { readonly discardDisk: boolean }): Promise<void> {
    return this.enqueue(resourceId, () => this.options.hypervisor.powerOff(resourceId, discard));
  }

  announcePreemption(resourceId: string, noticeSeconds: number): Promise<void> {
    return this.enqueue(resourceId, () => this.options.hypervisor.announcePreemption(resourceId, noticeSeconds));
  }

  /** For callers that do not wait; a failure is told, and the VM's state is settled by the operation that follows. */
  offSoon(resourceId: string): void {
    this.off(resourceId, { discardDisk: false }).catch((error: unknown) => {
      this.options.log(`powerOff ${resourceId} failed: ${error instanceof Error ? error.message : String(error)}`);
    });
  }

  async settle(): Promise<void> {
    await Promise.allSettled(this.queues.values());
  }

  private enqueue(resourceId: string, work: () => Promise<void>): Promise<void> {
    const key = resourceId.toLowerCase();
    const next = (this.queues.get(key) ?? Promise.resolve()).then(work, work);
    this.queues.set(key, next);
    const forget = (): void => {
      if (this.queues.get(key) === next) this.queues.delete(key);
    };
    next.then(forget, forget);
    return next;
  }
}
