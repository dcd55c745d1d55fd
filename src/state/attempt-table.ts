import type { TableClient } from "@azure/data-tables";
import type { AttemptOutcome } from "../domain/attempt-outcome";
import type { Offering } from "../domain/placement";
import { findRow, insertRow, listRows, listRowsBetween, replaceRow, type Stored, toEntity } from "./rows";

/** One try of a job on one machine. Times are RFC 3339; absent until they are known. */
export interface AttemptRow {
  readonly org: string;
  readonly jobId: string;
  readonly attempt: number;
  readonly machineId: string;
  readonly offering: Offering;
  readonly queuedAt: string;
  readonly placingAt: string;
  /** The lease; before it the attempt only waits for the machine. */
  readonly leasedAt?: string;
  readonly bootId?: string;
  /** Whether the machine was made for this attempt's wait (phases then contain create and boot) or taken when idle. */
  readonly reusedMachine?: boolean;
  readonly startedAt?: string;
  readonly endedAt?: string;
  readonly outcome?: AttemptOutcome;
  readonly exitCode?: number;
  readonly message?: string;
  readonly runMs?: number;
}

/** Zero-padded, so that the attempts of a job come back in order. */
const keyOf = (jobId: string, attempt: number): string => `${jobId}:${String(attempt).padStart(4, "0")}`;

/** Attempts: partition = organization, row = job and number. */
export class AttemptTable {
  constructor(private readonly client: TableClient) {}

  find(org: string, jobId: string, attempt: number): Promise<Stored<AttemptRow> | undefined> {
    return findRow<AttemptRow>(this.client, org, keyOf(jobId, attempt));
  }

  insert(row: AttemptRow): Promise<"inserted" | "exists"> {
    return insertRow(this.client, toEntity(row.org, keyOf(row.jobId, row.attempt), row));
  }

  replace(before: Stored<AttemptRow>, next: AttemptRow): Promise<"replaced" | "stale"> {
    return replaceRow(this.client, toEntity(next.org, keyOf(next.jobId, next.attempt), next), before.etag);
  }

  /** The attempts of some jobs that lie beside each other, in the order of jobs and numbers; others between them may come along. */
  async listAround(org: string, jobIds: readonly string[]): Promise<AttemptRow[]> {
    const prefixes = jobIds.map((jobId) => `${jobId}:`).sort();
    const [first, last] = [prefixes[0], prefixes.at(-1)];
    if (first === undefined || last === undefined) return [];
    const rows = await listRowsBetween<AttemptRow>(this.client, org, { from: first, to: `${last}\u{ffff}` });
    return rows.map(({ value }) => value);
  }

  async listOf(org: string, jobId: string): Promise<AttemptRow[]> {
    const rows = await listRows<AttemptRow>(this.client, org, `${jobId}:`);
    return rows.map(({ value }) => value);
  }
}
