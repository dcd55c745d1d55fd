import { decideCleanup } from "../domain/cleanup";
import type { InstanceClient, MachineRef } from "../domain/instances";
import type { AgentSessionRow, AgentSessionTable } from "../state/agent-session-table";
import type { JobTable } from "../state/job-table";
import type { MachineRow, MachineTable } from "../state/machine-table";
import type { OrganizationRow, OrganizationTable } from "../state/organization-table";
import type { Stored } from "../state/rows";
import type { MachineAudit } from "./machine-audit";
import type { Wake } from "./wake";

export interface SweepDeps {
  readonly machines: MachineTable;
  readonly sessions: AgentSessionTable;
  readonly organizations: OrganizationTable;
  readonly jobs: JobTable;
  readonly wake: Wake;
  readonly machineAudit: MachineAudit;
  readonly silentSeconds: number;
  readonly listeningSince: Date;
}

/** Rows of this age whose run should have moved them on: its orchestration is started again if it is not there. */
const REDRIVE_AFTER_MS = 120_000;

const SETTLED: ReadonlySet<MachineRow["state"]> = new Set(["Idle", "Leased", "Deallocated"]);

export function createSweepActivities(deps: SweepDeps) {
  function decide(organization: OrganizationRow, machine: MachineRow, session: AgentSessionRow | undefined) {
    const now = new Date();
    // While this process was not listening nobody could be heard: silence counts from its start.
    const heard = [session?.lastHeartbeatAt, machine.idleSince, deps.listeningSince.toISOString()].filter(
      (time) => time !== undefined,
    );
    const facts = { ...machine, ...session, state: machine.state, lastHeartbeatAt: heard.sort().at(-1) };
    return decideCleanup(facts, { idle: organization.settings.idle, silentSeconds: deps.silentSeconds }, now);
  }

  return {
    /** Which machines are to go, by the rules. Reading only: what is taken is decided again on each machine's fresh row. */
    async planSweep(): Promise<{ drain: MachineRef[] }> {
      const drain: MachineRef[] = [];
      for (const organization of await deps.organizations.list()) {
        const { org } = organization;
        const [machines, sessions] = await Promise.all([deps.machines.listLive(org), deps.sessions.listOf(org)]);
        for (const { value } of machines) {
          if (decide(organization, value, sessions.get(value.machineId)).action !== "keep")
            drain.push({ org, machineId: value.machineId });
        }
      }
      return { drain };
    },

    /** Takes one machine out of service, unless it was leased since: Idle -> Draining on the very row that the scheduler leases. */
    async drainMachine({ org, machineId }: MachineRef, instances: InstanceClient): Promise<void> {
      const [organization, machine, session] = await Promise.all([
        deps.organizations.find(org),
        deps.machines.find(org, machineId),
        deps.sessions.find(org, machineId),
      ]);
      if (!organization || !machine) return;
      if (machine.value.state === "Idle") {
        const decision = decide(organization.value, machine.value, session?.value);
        if (decision.action === "keep") return;
        if (!(await take(deps, machine, decision.reason))) return;
      }
      await deps.wake.machine(instances, { org, machineId });
    },

    /** The second net: whatever has a row and should be moving is given its orchestration again. */
    async redrive(_input: Record<string, never>, instances: InstanceClient): Promise<void> {
      const before = new Date(Date.now() - REDRIVE_AFTER_MS).toISOString();
      for (const { org } of await deps.organizations.list()) {
        for (const { value } of await deps.machines.listLive(org)) {
          const since = value.deletingAt ?? value.createdAt;
          if (!SETTLED.has(value.state) && since < before) await deps.wake.start(instances, value);
        }
        const old = (await deps.jobs.listLive(org)).filter(({ queuedAt }) => queuedAt < before);
        for (const { jobId } of old) await deps.wake.startJob(instances, org, jobId);
        if (old.some(({ state }) => state === "Queued")) await deps.wake.reviveScheduler(instances, org);
      }
    },
  };
}

/** Idle -> Draining on the row that was read, between two lines of the audit; false when somebody else was faster. */
async function take(
  { machines, machineAudit }: SweepDeps,
  machine: Stored<MachineRow>,
  deleteReason: string,
): Promise<boolean> {
  const { org, machineId } = machine.value;
  const target = `/orgs/${org}/machines/${machineId}`;
  await machineAudit.intent(machine.value, "drain", target);
  const taken = await machines.replace(machine, { ...machine.value, state: "Draining", deleteReason });
  const outcome = taken === "replaced" ? "succeeded" : "refused";
  await machineAudit.outcome(machine.value, "drain", { target, outcome });
  return taken === "replaced";
}
