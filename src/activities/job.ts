import { type AttemptOutcome, decideNextStep } from "../domain/attempt-outcome";
import { type InstanceClient, type JobRef } from "../domain/instances";
import { decideJob, type JobDecision } from "../domain/job-progress";
import { unplacedJob, waitedMsOf } from "../domain/job-transition";
import type { AgentSessionTable } from "../state/agent-session-table";
import type { AttemptRow, AttemptTable } from "../state/attempt-table";
import type { JobRow, JobTable } from "../state/job-table";
import type { MachineRow, MachineTable } from "../state/machine-table";
import type { OrganizationTable } from "../state/organization-table";
import type { Stored } from "../state/rows";
import type { JobProgress } from "./contract";
import type { Wake } from "./wake";

export interface JobActivityDeps {
  readonly jobs: JobTable;
  readonly attempts: AttemptTable;
  readonly machines: MachineTable;
  readonly sessions: AgentSessionTable;
  readonly organizations: OrganizationTable;
  readonly wake: Wake;
  /** Silence of a machine that holds a lease, after which its attempt is lost. */
  readonly silentSeconds: number;
  /** When this process began to listen: silence from before counts for nothing. */
  readonly listeningSince: Date;
}

interface Rows {
  readonly job: Stored<JobRow>;
  readonly attempt: Stored<AttemptRow> | undefined;
  readonly machine: Stored<MachineRow> | undefined;
  readonly heardAt: string | undefined;
}

const MAX_STEPS = 5;

/** Activities run at least once: each reads the rows first, and writes only what is still due, by compare-and-set. */
export function createJobActivities(deps: JobActivityDeps) {
  const run = new JobRun(deps);
  return {
    /** Takes the steps that are due for a job, one after the other, until nothing is or it is over. */
    advanceJob: (ref: JobRef, instances: InstanceClient): Promise<JobProgress> => run.advance(ref, instances),
  };
}

class JobRun {
  constructor(private readonly deps: JobActivityDeps) {}

  private async readRows({ org, jobId }: JobRef): Promise<Rows | undefined> {
    const job = await this.deps.jobs.find(org, jobId);
    if (!job) return undefined;
    const { attempt: number, machineId } = job.value;
    if (number === 0 || machineId === undefined)
      return { job, attempt: undefined, machine: undefined, heardAt: undefined };
    const [attempt, machine, session] = await Promise.all([
      this.deps.attempts.find(org, jobId, number),
      this.deps.machines.find(org, machineId),
      this.deps.sessions.find(org, machineId),
    ]);
    const heartbeat = session?.value.lastHeartbeatAt ?? attempt?.value.leasedAt;
    const since = this.deps.listeningSince.toISOString();
    return { job, attempt, machine, heardAt: heartbeat !== undefined && heartbeat > since ? heartbeat : since };
  }

  /** Takes the authority from a machine that went silent, before its job may run elsewhere. */
  private async fence(machine: Stored<MachineRow>, { jobId, attempt }: JobRow): Promise<void> {
    const { lease } = machine.value;
    if (machine.value.state !== "Leased" || lease?.jobId !== jobId || lease.attempt !== attempt) return;
    const { lease: _taken, ...rest } = machine.value;
    const next: MachineRow = { ...rest, state: "Failed", failure: { kind: "lost", reason: "no heartbeat" } };
    if ((await this.deps.machines.replace(machine, next)) === "stale")
      throw new Error(`fence ${rest.machineId}: its row changed`);
  }

  private async endAttempt(rows: Rows, found: AttemptOutcome, instances: InstanceClient): Promise<boolean> {
    const { job, attempt, machine } = rows;
    if (found === "Lost" && machine) {
      await this.fence(machine, job.value);
      await this.deps.wake.machine(instances, machine.value);
    }
    const { outcome, exitCode, endedAt } = await this.recordOutcome(attempt, found);
    const next = decideNextStep(outcome, job.value.spec, job.value.used);
    const now = new Date();
    const { machineId: _freed, waitingFor: _over, ...rest } = job.value;
    const row: JobRow =
      next.kind === "end"
        ? {
            ...job.value,
            state: next.state,
            outcome,
            endedAt: endedAt ?? now.toISOString(),
            ...(exitCode !== undefined && { exitCode }),
          }
        : {
            ...rest,
            state: "Queued",
            used: next.used,
            onDemandOnly: rest.onDemandOnly || next.onDemandOnly,
            queuedAt: now.toISOString(),
            waitedMs: waitedMsOf(rest, now),
          };
    return (await this.deps.jobs.replace(job, row)) === "replaced";
  }

  /** The outcome that stands: the agent's, if it was faster. */
  private async recordOutcome(
    attempt: Stored<AttemptRow> | undefined,
    outcome: AttemptOutcome,
  ): Promise<Partial<AttemptRow> & { outcome: AttemptOutcome }> {
    if (!attempt) return { outcome };
    if (attempt.value.outcome !== undefined) return { ...attempt.value, outcome: attempt.value.outcome };
    const ended: AttemptRow = { ...attempt.value, outcome, endedAt: new Date().toISOString() };
    if ((await this.deps.attempts.replace(attempt, ended)) === "stale")
      throw new Error(`attempt ${ended.jobId}: its row changed`);
    return { ...ended, outcome };
  }

  private async apply(rows: Rows, decision: JobDecision, instances: InstanceClient): Promise<boolean> {
    const { job } = rows;
    const now = new Date();
    switch (decision.kind) {
      case "ended":
      case "wait":
        return true;
      case "expire":
        return (
          (await this.deps.jobs.replace(job, { ...job.value, state: "Expired", endedAt: now.toISOString() })) ===
          "replaced"
        );
      case "cancel":
        return (
          (await this.deps.jobs.replace(job, { ...job.value, state: "Cancelled", endedAt: now.toISOString() })) ===
          "replaced"
        );
      case "unplace":
        return (await this.deps.jobs.replace(job, unplacedJob(job.value, decision.reason))) === "replaced";
      case "end-attempt":
        return this.endAttempt(rows, decision.outcome, instances);
    }
  }

  async advance(ref: JobRef, instances: InstanceClient): Promise<JobProgress> {
    for (let step = 0; step < MAX_STEPS; step += 1) {
      const rows = await this.readRows(ref);
      if (!rows) return { ended: true, checkInSeconds: 0 };
      const decision = decideJob(factsOf(rows), this.deps.silentSeconds, new Date());
      if (decision.kind === "ended") return { ended: true, checkInSeconds: 0 };
      if (decision.kind === "wait") {
        // A job that came back into the queue: the scheduler is told here, so that a crash after the write loses nothing.
        const { state, attempt } = rows.job.value;
        if (state === "Queued" && attempt > 0) await this.deps.wake.schedulerOf(instances, ref.org);
        return { ended: false, checkInSeconds: decision.seconds };
      }
      const done = await this.apply(rows, decision, instances);
      if (done && decision.kind === "unplace") await this.deps.wake.schedulerOf(instances, ref.org);
    }
    return { ended: false, checkInSeconds: 1 };
  }
}

function factsOf({ job, attempt, machine, heardAt }: Rows) {
  const { spec, ...row } = job.value;
  return {
    job: { ...row, queueDeadlineMinutes: spec.queueDeadlineMinutes },
    attempt: attempt?.value,
    machine: machine?.value,
    heardAt,
  };
}
