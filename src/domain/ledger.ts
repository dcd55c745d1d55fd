import type { JobState, TerminalState } from "../contract/job";
import type { Ledger } from "../contract/machine";

interface LedgerInput {
  /** Every job that was ever accepted. */
  readonly jobs: readonly { readonly jobId: string; readonly state: JobState }[];
  /** The index of what is not terminal, kept beside the jobs. */
  readonly live: readonly { readonly jobId: string; readonly state: JobState }[];
}

const isTerminal = (state: JobState): state is TerminalState =>
  state === "Succeeded" || state === "Failed" || state === "Cancelled" || state === "Expired";

/** Proves accepted = finished + live, from two sets that are written together: each job, and the index of the live ones. */
export function ledgerOf({ jobs, live }: LedgerInput): Ledger {
  const terminal = { Succeeded: 0, Failed: 0, Cancelled: 0, Expired: 0 };
  const indexed = new Map(live.map(({ jobId, state }) => [jobId, state]));
  const differences: string[] = [];
  for (const { jobId, state } of jobs) {
    const inIndex = indexed.get(jobId);
    indexed.delete(jobId);
    if (isTerminal(state)) {
      terminal[state] += 1;
      if (inIndex !== undefined) differences.push(`${jobId} is ${state} and still counted as live`);
    } else if (inIndex !== state) {
      differences.push(`${jobId} is ${state} and its index says ${inIndex ?? "nothing"}`);
    }
  }
  for (const jobId of indexed.keys()) differences.push(`${jobId} is in the index and has no row`);
  return { accepted: jobs.length, terminal, live: live.length, differences };
}
