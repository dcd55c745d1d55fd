import type { ResourceClient, VmClient, VmFacts } from "../azure/vm-client";
import { osDiskNameOf } from "../domain/estate-names";
import type { InstanceClient, MachineRef } from "../domain/instances";
import type { AgentSessionTable } from "../state/agent-session-table";
import type { MachineRow, MachineTable } from "../state/machine-table";
import type { Stored } from "../state/rows";
import type { MachineProgress } from "./contract";
import { progressOf, vmIdOf, vmRefOf } from "./machine";
import type { MachineAudit } from "./machine-audit";
import type { Wake } from "./wake";

export interface RemovalDeps {
  readonly machines: MachineTable;
  readonly sessions: AgentSessionTable;
  readonly vms: VmClient;
  readonly resources: ResourceClient;
  readonly wake: Wake;
  readonly machineAudit: MachineAudit;
  readonly estatePrefix: string;
  readonly createDeadlineSeconds: number;
  readonly registerDeadlineSeconds: number;
}

const NIC_API_VERSION = "2024-07-01";
const DISK_API_VERSION = "2025-01-02";

const REMOVABLE: ReadonlySet<MachineRow["state"]> = new Set(["Draining", "Failed", "Evicted", "Deleting"]);

/**
 * The only code that deletes a VM. It deletes what the machine's own row names, and only when that row says that the machine is to
 * go: a leased or idle machine has to be taken first, by compare-and-set.
 */
export function createRemovalActivities(deps: RemovalDeps) {
  async function remember(machine: Stored<MachineRow>, next: MachineRow): Promise<void> {
    if ((await deps.machines.replace(machine, next)) === "stale")
      throw new Error(`machine ${next.machineId}: its row changed`);
  }

  return {
    /** Asks Azure to delete the VM of a machine that is to go, and remembers its NIC so that its end can be seen. */
    async deleteVm({ org, machineId }: MachineRef): Promise<MachineProgress> {
      const machine = await deps.machines.find(org, machineId);
      if (!machine || !REMOVABLE.has(machine.value.state)) return progressOf(machine?.value, deps);
      const ref = vmRefOf(machine.value, deps.estatePrefix);
      const found = await deps.vms.find(ref);
      // A VM of that name which is not Corral's is never touched: this machine has none, then.
      const vm = found && isOf(machine.value, found) ? found : undefined;
      const nicId = machine.value.nicId ?? vm?.nicIds[0];
      await remember(machine, {
        ...machine.value,
        state: "Deleting",
        deletingAt: machine.value.deletingAt ?? new Date().toISOString(),
        ...(nicId !== undefined && { nicId }),
      });
      if (!vm) return { state: "Deleting", checkInSeconds: 0 };
      await deps.machineAudit.intentToStop(machine.value, vmIdOf(machine.value, deps.estatePrefix));
      const deleted = await deps.vms.delete(ref, deps.machineAudit.correlationIdOf(machine.value, "delete"));
      return { state: "Deleting", checkInSeconds: deleted.kind === "gone" ? 0 : deleted.retryAfterSeconds };
    },

    /** Reads back that VM, NIC and disk are gone; only then the machine is Deleted. */
    async confirmDeleted({ org, machineId }: MachineRef, instances: InstanceClient): Promise<MachineProgress> {
      const machine = await deps.machines.find(org, machineId);
      if (machine?.value.state !== "Deleting") return progressOf(machine?.value, deps);
      const ref = vmRefOf(machine.value, deps.estatePrefix);
      const vm = await deps.vms.find(ref);
      const isForeign = vm !== undefined && !isOf(machine.value, vm);
      if (vm && !isForeign) {
        const correlationId = deps.machineAudit.correlationIdOf(machine.value, "delete");
        const asked = vm.provisioningState === "Deleting" ? undefined : await deps.vms.delete(ref, correlationId);
        return { state: "Deleting", checkInSeconds: asked?.kind === "deleting" ? asked.retryAfterSeconds : 5 };
      }
      const left = isForeign ? { nic: false, disk: false } : await leftoversOf(deps, machine.value);
      if (left.nic || left.disk) {
        await deleteLeftovers(deps, machine.value, left);
        return { state: "Deleting", checkInSeconds: 5 };
      }
      await deps.sessions.remove(org, machineId);
      await recordEnd(deps, machine.value);
      await remember(machine, { ...machine.value, state: "Deleted", deletedAt: new Date().toISOString() });
      await deps.wake.schedulerOf(instances, org);
      return { state: "Deleted", checkInSeconds: 0 };
    },
  };
}

/** Both lines, since the first may not have been written when the deletion was asked for. A machine that had no VM has none. */
async function recordEnd({ machineAudit, estatePrefix }: RemovalDeps, machine: MachineRow): Promise<void> {
  if (machine.putSentAt === undefined && machine.nicId === undefined) return;
  const target = vmIdOf(machine, estatePrefix);
  await machineAudit.intent(machine, "delete", target);
  await machineAudit.outcome(machine, "delete", { target, outcome: "succeeded" });
}

const isOf = ({ machineId }: MachineRow, { tags }: VmFacts): boolean => tags["corral:machine"] === machineId;

interface Leftovers {
  readonly nic: boolean;
  readonly disk: boolean;
}

async function leftoversOf(deps: RemovalDeps, machine: MachineRow): Promise<Leftovers> {
  const [nic, disk] = await Promise.all([
    machine.nicId === undefined ? false : deps.resources.exists(machine.nicId, NIC_API_VERSION),
    deps.vms.diskExists(vmRefOf(machine, deps.estatePrefix), osDiskNameOf(machine.org, machine.machineId)),
  ]);
  return { nic, disk };
}

/** Azure deletes NIC and disk with their VM; what it left nevertheless is deleted by name. */
async function deleteLeftovers(deps: RemovalDeps, machine: MachineRow, left: Leftovers): Promise<void> {
  const { subscriptionId, resourceGroup } = vmRefOf(machine, deps.estatePrefix);
  const diskId = `/subscriptions/${subscriptionId}/resourceGroups/${resourceGroup}/providers/Microsoft.Compute/disks/${osDiskNameOf(machine.org, machine.machineId)}`;
  if (left.nic && machine.nicId !== undefined) await deps.resources.delete(machine.nicId, NIC_API_VERSION);
  if (left.disk) await deps.resources.delete(diskId, DISK_API_VERSION);
}
