import type { Work, WorkReply, WorkRequest } from "../contract/agent";
import type { JobRow, JobTable } from "../state/job-table";
import type { MachineTable } from "../state/machine-table";
import type { OrganizationRow } from "../state/organization-table";

const ENDING = new Set(["Draining", "Deallocated", "Deleting", "Deleted", "Failed", "Evicted"]);

/** What a machine is to do now. Reading only: the lease was taken by the scheduler, the agent merely learns of it. */
export class WorkIntake {
  constructor(
    private readonly machines: MachineTable,
    private readonly jobs: JobTable,
  ) {}

  async find(organization: OrganizationRow, { org, machineId, bootId }: WorkRequest): Promise<WorkReply> {
    const machine = (await this.machines.find(org, machineId))?.value;
    if (!machine || ENDING.has(machine.state)) return { drain: true };
    const { lease } = machine;
    if (lease?.bootId !== bootId) return { drain: false };
    const job = (await this.jobs.find(org, lease.jobId))?.value;
    const isLeased = job && (job.state === "Starting" || job.state === "Running") && job.attempt === lease.attempt;
    // The scheduler writes the job's row right after the lease; until then there is nothing to do yet.
    return isLeased ? { drain: false, work: workOf(job, organization) } : { drain: false };
  }
}

function workOf({ spec, attempt, jobId }: JobRow, { dataBlobEndpoint }: OrganizationRow): Work {
  const base = dataBlobEndpoint?.replace(/\/$/, "");
  return {
    jobId,
    attempt,
    image: spec.image,
    ...(spec.command && { command: spec.command }),
    env: spec.env ?? {},
    gpus: spec.gpus,
    maxDurationSeconds: spec.maxDurationMinutes * 60,
    volumes: spec.volumes.map((volume) => ({
      ...volume,
      ...(base !== undefined && { url: `${base}/${volume.name}` }),
    })),
    identity: spec.identity,
    ...(base !== undefined && { logsUrl: `${base}/artifacts/.corral/logs` }),
  };
}
