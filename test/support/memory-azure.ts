import type {
  CreateVmOutcome,
  QuotaUsage,
  ResourceClient,
  VmClient,
  VmFacts,
  VmRef,
  VmSpec,
  VmStatus,
} from "../../src/azure/vm-client";

interface Vm {
  readonly tags: Readonly<Record<string, string>>;
  readonly resourceGroup: string;
  readonly spec?: VmSpec;
  status: Partial<VmStatus>;
}

/** Azure's VMs in memory, as far as the port tells of them: what is there, what was asked. */
export class MemoryVms implements VmClient {
  readonly vms = new Map<string, Vm>();
  readonly disks = new Set<string>();
  readonly sent: VmSpec[] = [];
  readonly deletions: string[] = [];
  usages: readonly QuotaUsage[] = [];
  /** What Azure says instead of accepting. */
  refusal: Extract<CreateVmOutcome, { kind: "refused" }> | undefined;
  /** Runs when a PUT has arrived, and again when it was done and is not yet answered. */
  interfere: (stage: "before" | "after") => Promise<void> | void = () => undefined;

  async create(spec: VmSpec): Promise<CreateVmOutcome> {
    await this.interfere("before");
    this.sent.push(spec);
    if (this.refusal) return this.refusal;
    const there = this.vms.get(spec.vmName);
    if (there) return { kind: "exists", tags: there.tags };
    this.vms.set(spec.vmName, { spec, tags: spec.tags, resourceGroup: spec.resourceGroup, status: {} });
    this.disks.add(spec.osDiskName);
    await this.interfere("after");
    return { kind: "accepted" };
  }

  find({ vmName }: VmRef): Promise<VmFacts | undefined> {
    const vm = this.vms.get(vmName);
    const found = vm && { provisioningState: "Succeeded", tags: vm.tags, nicIds: [nicIdOf(vmName)] };
    return Promise.resolve(found);
  }

  delete({ vmName }: VmRef): ReturnType<VmClient["delete"]> {
    this.deletions.push(vmName);
    if (!this.vms.delete(vmName)) return Promise.resolve({ kind: "gone" });
    return Promise.resolve({ kind: "deleting", retryAfterSeconds: 7 });
  }

  listStatus(): Promise<VmStatus[]> {
    const all = [...this.vms].map(([vmName, { resourceGroup, status }]): VmStatus => ({
      resourceGroup,
      vmName,
      provisioning: "creating",
      ...status,
    }));
    return Promise.resolve(all);
  }

  listUsages(): Promise<QuotaUsage[]> {
    return Promise.resolve([...this.usages]);
  }

  diskExists(_ref: VmRef, diskName: string): Promise<boolean> {
    return Promise.resolve(this.disks.has(diskName));
  }
}

export const nicIdOf = (vmName: string): string => `/subscriptions/s/nics/${vmName}`;

/** Other resources in memory, by id. */
export class MemoryResources implements ResourceClient {
  readonly present = new Set<string>();
  readonly groups = new Set<string>();
  readonly principals = new Map<string, string>();
  readonly deletions: string[] = [];

  exists(resourceId: string): Promise<boolean> {
    return Promise.resolve(this.present.has(resourceId));
  }

  groupExists(_subscriptionId: string, resourceGroup: string): Promise<boolean> {
    return Promise.resolve(this.groups.has(resourceGroup));
  }

  findIdentityPrincipal(identityId: string): Promise<string | undefined> {
    return Promise.resolve(this.principals.get(identityId));
  }

  delete(resourceId: string): Promise<void> {
    this.deletions.push(resourceId);
    this.present.delete(resourceId);
    return Promise.resolve();
  }
}
