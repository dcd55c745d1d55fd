import type { Lease, MachineState } from "../contract/machine";
import type { JobState } from "../contract/job";
import type { AttemptOutcome } from "./attempt-outcome";

/** What is known of a job, its attempt and the machine, read together. Times are RFC 3339. */
export interface JobFacts {
  readonly job: {
    readonly state: JobState;
    readonly jobId: string;
    readonly attempt: number;
    readonly queuedAt: string;
    readonly waitedMs: number;
    readonly queueDeadlineMinutes: number;
    readonly cancelRequested: boolean;
  };
  readonly attempt?:
    { readonly outcome?: AttemptOutcome | undefined; readonly bootId?: string | undefined } | undefined;
  readonly machine?:
    | {
        readonly state: MachineState;
        readonly lease?: Lease | undefined;
        readonly failure?: { readonly kind: "capacity" | "boot" | "lost"; readonly reason: string } | undefined;
      }
    | undefined;
  /** The later of the last heartbeat and our own start: while we were down nobody could be heard. */
  readonly heardAt?: string | undefined;
}

export type JobDecision =
  | { readonly kind: "ended" }
  | { readonly kind: "wait"; readonly seconds: number }
  | { readonly kind: "expire" }
  | { readonly kind: "cancel" }
  | { readonly kind: "unplace"; readonly reason: string }
  | { readonly kind: "end-attempt"; readonly outcome: AttemptOutcome };

const MAX_WAIT_SECONDS = 900;
const ENDING: ReadonlySet<MachineState> = new Set([
  "Draining",
  "Deallocated",
  "Deleting",
  "Deleted",
  "Failed",
  "Evicted",
]);

/** What is to be done about a job now, or how long nothing is. Pure, so that every case is a line in a table of tests. */
export function decideJob(facts: JobFacts, silentSeconds: number, now: Date): JobDecision {
  switch (facts.job.state) {
    case "Queued":
    case "Placing":
      return decideWaiting(facts, now);
    case "Starting":
    case "Running":
      return decideRunning(facts, silentSeconds, now);
    case "Succeeded":
    case "Failed":
    case "Cancelled":
    case "Expired":
      return { kind: "ended" };
  }
}

function decideWaiting({ job, machine }: JobFacts, now: Date): JobDecision {
  if (job.cancelRequested) return { kind: "cancel" };
  const waitedMs = job.waitedMs + now.getTime() - Date.parse(job.queuedAt);
  const leftMs = job.queueDeadlineMinutes * 60_000 - waitedMs;
  if (leftMs <= 0) return { kind: "expire" };
  if (job.state === "Placing" && machine && ENDING.has(machine.state)) {
    if (machine.failure?.kind === "boot") return { kind: "end-attempt", outcome: "BootFailed" };
    return { kind: "unplace", reason: machine.failure?.reason ?? `the machine is ${machine.state}` };
  }
  return { kind: "wait", seconds: Math.min(leftMs / 1000, MAX_WAIT_SECONDS) };
}

function decideRunning({ job, attempt, machine, heardAt }: JobFacts, silentSeconds: number, now: Date): JobDecision {
  if (attempt?.outcome !== undefined) return { kind: "end-attempt", outcome: attempt.outcome };
  const held =
    machine?.lease?.jobId === job.jobId &&
    machine.lease.attempt === job.attempt &&
    machine.lease.bootId === attempt?.bootId;
  if (!held) return { kind: "end-attempt", outcome: machine?.state === "Evicted" ? "Evicted" : "Lost" };
  const quietSeconds = heardAt === undefined ? 0 : (now.getTime() - Date.parse(heardAt)) / 1000;
  if (quietSeconds >= silentSeconds) return { kind: "end-attempt", outcome: "Lost" };
  return { kind: "wait", seconds: Math.max(1, Math.min(silentSeconds - quietSeconds, MAX_WAIT_SECONDS)) };
}
