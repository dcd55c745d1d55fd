import type { AuditAct, AuditResult } from "../contract/audit";
import { auditIdOf, type AuditTrail } from "../domain/audit";
import { correlationIdOf } from "../state/correlation-id";
import type { MachineRow } from "../state/machine-table";

type MachineAct = "create" | "delete" | "drain";

const OPERATIONS: Readonly<Record<MachineAct, string>> = {
  create: "Microsoft.Compute/virtualMachines/write",
  delete: "Microsoft.Compute/virtualMachines/delete",
  drain: "Corral/organizations/cleanup/run/action",
};

/** The lines of the audit for what the service does to a machine. Their ids are functions of the machine: running again adds none. */
export class MachineAudit {
  constructor(
    private readonly trail: AuditTrail,
    private readonly log: (line: string) => void,
  ) {}

  /** The same act of a machine always has the same correlation id; Azure's Activity Log shows it too. */
  correlationIdOf(machine: MachineRow, act: MachineAct): string {
    return correlationIdOf(idOf(machine, act));
  }

  /** Throws when it cannot be written: then nothing is to be done. */
  intent(machine: MachineRow, act: MachineAct, target: string): Promise<void> {
    return this.trail.intent(actOf(machine, act, target));
  }

  /** Stopping a VM is never held up: what cannot be written now is written when its end is confirmed. */
  async intentToStop(machine: MachineRow, target: string): Promise<void> {
    try {
      await this.intent(machine, "delete", target);
    } catch (error) {
      this.log(
        `machine ${machine.org}/${machine.machineId}: deleting it without a line in the audit yet: ${String(error)}`,
      );
    }
  }

  outcome(
    machine: MachineRow,
    act: MachineAct,
    { target, ...result }: AuditResult & { target: string },
  ): Promise<void> {
    return this.trail.outcome(actOf(machine, act, target), result);
  }
}

/** A machine is created and deleted once; it may be taken out of service more than once, as a lease may come between. */
function idOf({ createdAt, machineId, idleSince }: MachineRow, act: MachineAct): string {
  if (act === "drain") return auditIdOf(idleSince ?? createdAt, `${machineId}-drain`);
  return auditIdOf(createdAt, `${machineId}-${act}`);
}

function actOf(machine: MachineRow, act: MachineAct, target: string): AuditAct {
  const id = idOf(machine, act);
  const isClean = act === "drain" || (act === "delete" && machine.deleteReason !== undefined);
  return {
    id,
    operation: OPERATIONS[act],
    actor: { type: isClean ? "timer" : "service", id: isClean ? "cleanup" : "corral" },
    org: machine.org,
    target,
    correlationId: correlationIdOf(id),
  };
}
