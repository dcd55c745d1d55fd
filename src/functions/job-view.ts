import type { AttemptView, JobView } from "../contract/job";
import { phasesOf } from "../domain/phases";
import type { AttemptRow, AttemptTable } from "../state/attempt-table";
import type { JobRow } from "../state/job-table";
import type { MachineTable } from "../state/machine-table";

/** Reads what GET …/jobs shows of a job beside its row: its attempts, and the times of the last one's machine. */
export class JobViews {
  constructor(
    private readonly attempts: AttemptTable,
    private readonly machines: MachineTable,
  ) {}

  async of(job: JobRow): Promise<JobView> {
    const attempts = (await this.attempts.listOf(job.org, job.jobId)).filter(({ attempt }) => attempt <= job.attempt);
    const last = attempts.at(-1);
    const machine = last && (await this.machines.find(job.org, last.machineId))?.value;
    const { putSentAt, vmSucceededAt, registeredAt } = machine ?? {};
    return {
      ...job.spec,
      state: job.state,
      ...(job.waitingFor !== undefined && { waitingFor: job.waitingFor }),
      attempts: attempts.map(viewOf),
      phases: phasesOf({ queuedAt: job.queuedAt, ...last, putSentAt, vmSucceededAt, registeredAt }),
      createdBy: job.createdBy,
      createdAt: job.createdAt,
      ...(job.endedAt !== undefined && { endedAt: job.endedAt }),
    };
  }
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
