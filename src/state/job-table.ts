import type { TableClient } from "@azure/data-tables";
import type { Job, JobState, TerminalState } from "../contract/job";
import type { AttemptOutcome, RetriesUsed } from "../domain/attempt-outcome";
import type { JobNeeds } from "../domain/placement";
import { below, either, notBelow } from "./filter";
import { pageOfRows, type RowPage } from "./row-page";
import { findRow, listRows, type Stored, toEntity, writeTogether } from "./rows";

/** A job as stored. Times are RFC 3339. */
export interface JobRow {
  readonly org: string;
  readonly jobId: string;
  readonly spec: Job;
  readonly specHash: string;
  readonly state: JobState;
  readonly waitingFor?: string;
  /** Number of the current attempt; 0 before the first. It exists from Placing on. */
  readonly attempt: number;
  /** The machine that was requested for the current attempt or has it leased. */
  readonly machineId?: string;
  readonly used: RetriesUsed;
  readonly onDemandOnly: boolean;
  readonly createdAt: string;
  readonly createdBy: string;
  /** Since when it waits (Queued, Placing), and how long it had waited before that. */
  readonly queuedAt: string;
  readonly waitedMs: number;
  readonly cancelRequested: boolean;
  readonly outcome?: AttemptOutcome;
  readonly exitCode?: number;
  readonly endedAt?: string;
}

/** What the scheduler reads of a job that is not terminal; written in the same transaction as the job's row. */
export interface LiveJob {
  readonly jobId: string;
  readonly state: JobState;
  readonly attempt: number;
  readonly machineId?: string;
  readonly priority: number;
  readonly queuedAt: string;
  readonly needs: JobNeeds;
  readonly onDemandOnly: boolean;
  readonly waitingFor?: string;
}

const TERMINAL: ReadonlySet<JobState> = new Set<TerminalState>(["Succeeded", "Failed", "Cancelled", "Expired"]);
export const isTerminal = (state: JobState): state is TerminalState => TERMINAL.has(state);

const LIVE_PREFIX = "live:";
/** ':' is in no job id, so an index row can never be taken for a job. */
const liveKeyOf = (jobId: string): string => `${LIVE_PREFIX}${jobId}`;

function liveOf(job: JobRow): LiveJob {
  const { gpus, gpuTypes, vmSizes, locations, capacity, maxPricePerHour } = job.spec;
  return {
    jobId: job.jobId,
    state: job.state,
    attempt: job.attempt,
    ...(job.machineId !== undefined && { machineId: job.machineId }),
    ...(job.waitingFor !== undefined && { waitingFor: job.waitingFor }),
    priority: job.spec.priority,
    queuedAt: job.queuedAt,
    onDemandOnly: job.onDemandOnly,
    needs: { gpus, gpuTypes, vmSizes, locations, capacity, maxPricePerHour },
  };
}

/**
 * Jobs: partition = organization, row = job; beside it an index row `live:<job>` as long as the job is not terminal, so that
 * finding what waits costs what waits and not what ever ran.
 */
export class JobTable {
  constructor(private readonly client: TableClient) {}

  find(org: string, jobId: string): Promise<Stored<JobRow> | undefined> {
    return findRow<JobRow>(this.client, org, jobId);
  }

  async insert(job: JobRow): Promise<"inserted" | "exists"> {
    const written = await writeTogether(this.client, [
      ["create", toEntity(job.org, job.jobId, job)],
      ["create", toEntity(job.org, liveKeyOf(job.jobId), liveOf(job))],
    ]);
    return written === "written" ? "inserted" : "exists";
  }

  /** Writes the next state of a job that was read before; `stale` when somebody else was faster. Terminal states never change. */
  async replace(before: Stored<JobRow>, next: JobRow): Promise<"replaced" | "stale"> {
    if (isTerminal(before.value.state)) return "stale";
    const { org, jobId } = before.value;
    const written = await writeTogether(this.client, [
      ["update", toEntity(org, jobId, next), "Replace", { etag: before.etag }],
      isTerminal(next.state)
        ? ["delete", { partitionKey: org, rowKey: liveKeyOf(jobId) }]
        : ["upsert", toEntity(org, liveKeyOf(jobId), liveOf(next)), "Replace"],
    ]);
    return written === "written" ? "replaced" : "stale";
  }

  async listLive(org: string): Promise<LiveJob[]> {
    const rows = await listRows<LiveJob>(this.client, org, LIVE_PREFIX);
    return rows.map(({ value }) => value);
  }

  /** Jobs in the order of their ids, by pages; index rows are passed over. */
  listPage(org: string, page: { readonly top: number; readonly after?: string | undefined }): Promise<RowPage<JobRow>> {
    // ';' comes after ':', so this is everything but what begins with the prefix.
    const filter = either(below("RowKey", LIVE_PREFIX), notBelow("RowKey", LIVE_PREFIX.replace(":", ";")));
    return pageOfRows<JobRow>(this.client, { partitionKey: org, filter, ...page });
  }

  /** Every job of an organization, and every index row: for the ledger and the list of jobs. */
  async listAll(org: string): Promise<{ jobs: JobRow[]; live: LiveJob[] }> {
    const rows = await listRows<JobRow | LiveJob>(this.client, org, "");
    const jobs: JobRow[] = [];
    const live: LiveJob[] = [];
    for (const { value } of rows) {
      if ("spec" in value) jobs.push(value);
      else live.push(value);
    }
    return { jobs, live };
  }
}
