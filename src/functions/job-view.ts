import type { AttemptView, JobView } from "../contract/job";
import { phasesOf } from "../domain/phases";
import type { AttemptRow, AttemptTable } from "../state/attempt-table";
import type { JobRow } from "../state/job-table";
import type { MachineRow, MachineTable } from "../state/machine-table";

/** Reads what GET …/jobs shows of a job beside its row: its attempts, and the times of the last one's machine. */
export class JobViews {
  constructor(
    private readonly attempts: AttemptTable,
    private readonly machines: MachineTable,
  ) {}

  async of(job: JobRow): Promise<JobView> {
    const attempts = await this.attempts.listOf(job.org, job.jobId);
    const last = lastOf(job, attempts);
    const machine = last && (await this.machines.find(job.org, last.machineId))?.value;
    return jobViewOf(job, attempts, machine);
  }

  /** Jobs of one organization that lie beside each other: three queries, however many there are. */
  async ofAll(org: string, jobs: readonly JobRow[]): Promise<JobView[]> {
    const [attempts, live, ended] = await Promise.all([
      this.attempts.listAround(
        org,
        jobs.map(({ jobId }) => jobId),
      ),
      this.machines.listLive(org),
      this.machines.listEnded(org),
    ]);
    const machines = new Map(
      [...live.map(({ value }) => value), ...ended].map((machine) => [machine.machineId, machine]),
    );
    const byJob = Map.groupBy(attempts, ({ jobId }) => jobId);
    return jobs.map((job) => {
      const mine = byJob.get(job.jobId) ?? [];
      return jobViewOf(job, mine, machines.get(lastOf(job, mine)?.machineId ?? ""));
    });
  }
}

/** A row of an attempt that was never leased may lie beyond the job's own count; it is no attempt. */
const lastOf = (job: JobRow, attempts: readonly AttemptRow[]): AttemptRow | undefined =>
  attempts.findLast(({ attempt }) => attempt <= job.attempt);

function jobViewOf(job: JobRow, attempts: readonly AttemptRow[], machine: MachineRow | undefined): JobView {
  const { putSentAt, vmSucceededAt, registeredAt } = machine ?? {};
  return {
    ...job.spec,
    state: job.state,
    ...(job.waitingFor !== undefined && { waitingFor: job.waitingFor }),
    attempts: attempts.filter(({ attempt }) => attempt <= job.attempt).map(viewOf),
    phases: phasesOf({ queuedAt: job.queuedAt, ...lastOf(job, attempts), putSentAt, vmSucceededAt, registeredAt }),
    createdBy: job.createdBy,
    createdAt: job.createdAt,
    ...(job.endedAt !== undefined && { endedAt: job.endedAt }),
  };
}

function viewOf({
  attempt,
  machineId,
  offering,
  outcome,
  exitCode,
  message,
  startedAt,
  endedAt,
}: AttemptRow): AttemptView {
  return {
    attempt,
    machineId,
    offering: [offering.location, offering.vmSize, offering.capacity].join("/"),
    ...(outcome !== undefined && { outcome }),
    ...(exitCode !== undefined && { exitCode }),
    ...(message !== undefined && { message }),
    ...(startedAt !== undefined && { startedAt }),
    ...(endedAt !== undefined && { endedAt }),
  };
}
