import type { Job, JobPointer, RejectionReason } from "../contract/job";
import { refusalOfJob } from "../domain/admission";
import { isTerminal, type JobRow, type JobTable } from "../state/job-table";
import type { OrganizationTable } from "../state/organization-table";
import { specHashOf } from "./spec-hash";

export interface Refusal {
  readonly reason: RejectionReason;
  readonly description: string;
}

/** `known`: the very same job came before; its run goes on or is over. */
export type Accepted =
  | {
      readonly outcome: "accepted" | "known";
      readonly job: JobRow;
      readonly subscriptionId: string;
      readonly ended: boolean;
    }
  | { readonly outcome: "refused"; readonly refusal: Refusal };

/** Who submitted, and by which way: a queue is trusted only as far as the organization says. */
export interface Submission {
  readonly way: "queue" | "http";
  readonly createdBy: string;
}

const refuse = (reason: RejectionReason, description: string): Accepted => ({
  outcome: "refused",
  refusal: { reason, description },
});

function newRow(job: Job, specHash: string, submission: Submission): JobRow {
  const now = new Date().toISOString();
  return {
    org: job.org,
    jobId: job.jobId,
    spec: job,
    specHash,
    state: "Queued",
    attempt: 0,
    used: { failures: 0, evictions: 0, boots: 0 },
    onDemandOnly: false,
    createdAt: now,
    createdBy: submission.createdBy,
    queuedAt: now,
    waitedMs: 0,
    cancelRequested: false,
  };
}

/** Makes a job durable before anyone is told that it was accepted. Safe to repeat: the same job is known, never made twice. */
export class JobIntake {
  constructor(
    private readonly jobs: JobTable,
    private readonly organizations: OrganizationTable,
  ) {}

  async accept(job: Job, submission: Submission): Promise<Accepted> {
    const organization = (await this.organizations.find(job.org))?.value;
    if (!organization) return refuse("UnknownOrganization", `org: no organization is called ${job.org}`);
    if (submission.way === "queue" && !organization.settings.queueSubmission) {
      return refuse("NotAllowed", `org: ${job.org} takes whole jobs by HTTP only (queueSubmission is false)`);
    }
    const row = newRow(job, specHashOf(job), submission);
    const { subscriptionId } = organization.settings;
    const refusal = refusalOfJob(job, organization);
    if (refusal !== undefined) {
      // A repeated message of a job that was accepted earlier stays known, whatever the settings say today.
      const known = await this.jobs.find(job.org, job.jobId);
      return known ? this.compare(known.value, row.specHash, subscriptionId) : refuse("NotAllowed", refusal);
    }
    if ((await this.jobs.insert(row)) === "inserted")
      return { outcome: "accepted", job: row, subscriptionId, ended: false };
    const known = await this.jobs.find(job.org, job.jobId);
    if (!known) throw new Error(`accept ${job.org}/${job.jobId}: the row is there and cannot be read`);
    return this.compare(known.value, row.specHash, subscriptionId);
  }

  /** A job whose row was written by the HTTP way before its pointer was sent. */
  async acceptPointer({ org, jobId, specHash }: JobPointer): Promise<Accepted> {
    const organization = (await this.organizations.find(org))?.value;
    if (!organization) return refuse("UnknownOrganization", `org: no organization is called ${org}`);
    const known = await this.jobs.find(org, jobId);
    if (!known) return refuse("UnknownJob", `jobId: ${org} has no job ${jobId}`);
    return this.compare(known.value, specHash, organization.settings.subscriptionId);
  }

  private compare(known: JobRow, specHash: string, subscriptionId: string): Accepted {
    if (known.specHash !== specHash) {
      return refuse(
        "JobIdConflict",
        `jobId: ${known.jobId} is taken by a job with another body (specHash ${known.specHash})`,
      );
    }
    return { outcome: "known", job: known, subscriptionId, ended: isTerminal(known.state) };
  }
}
