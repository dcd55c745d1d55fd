import { isTerminal, type JobRow, type JobTable } from "../state/job-table";

export type Cancellation =
  { readonly outcome: "unknown" } | { readonly outcome: "requested" | "terminal"; readonly job: JobRow };

const TRIES = 5;

/** Notes in a job's row that it is to end. What waits is ended by its run, what runs by the agent's next heartbeat. */
export class JobCancellation {
  constructor(private readonly jobs: JobTable) {}

  async request(org: string, jobId: string): Promise<Cancellation> {
    for (let tries = 0; tries < TRIES; tries += 1) {
      const job = await this.jobs.find(org, jobId);
      if (!job) return { outcome: "unknown" };
      if (isTerminal(job.value.state)) return { outcome: "terminal", job: job.value };
      const next: JobRow = { ...job.value, cancelRequested: true };
      if ((await this.jobs.replace(job, next)) === "replaced") return { outcome: "requested", job: next };
    }
    throw new Error(`cancel ${org}/${jobId}: its row kept changing`);
  }
}
