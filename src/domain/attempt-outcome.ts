import type { Job, TerminalState } from "../contract/job";

/** How an attempt ended (contract 1). `BootFailed` and `Lost` are the service's own findings, the others the agent's. */
export type AttemptOutcome =
  | "Succeeded"
  | "Failed"
  | "OutOfMemory"
  | "DiskFull"
  | "ImageError"
  | "SecretError"
  | "SourceError"
  | "VolumeError"
  | "TimedOut"
  | "Evicted"
  | "Lost"
  | "BootFailed"
  | "Cancelled";

/** How many additional attempts each cause has used up. */
export interface RetriesUsed {
  readonly failures: number;
  readonly evictions: number;
  readonly boots: number;
}

export type NextStep =
  | { readonly kind: "end"; readonly state: TerminalState }
  | { readonly kind: "retry"; readonly used: RetriesUsed; readonly onDemandOnly: boolean };

const BUDGET_OF: Readonly<Partial<Record<AttemptOutcome, keyof RetriesUsed>>> = {
  Failed: "failures",
  OutOfMemory: "failures",
  DiskFull: "failures",
  TimedOut: "failures",
  Evicted: "evictions",
  Lost: "evictions",
  BootFailed: "boots",
};

/** What becomes of the job: the outcome table of contract 1. */
export function decideNextStep(
  outcome: AttemptOutcome,
  job: Pick<Job, "retry" | "capacity">,
  used: RetriesUsed,
): NextStep {
  if (outcome === "Succeeded") return { kind: "end", state: "Succeeded" };
  if (outcome === "Cancelled") return { kind: "end", state: "Cancelled" };
  const budget = BUDGET_OF[outcome];
  if (budget === undefined || used[budget] >= job.retry[budget]) return { kind: "end", state: "Failed" };
  const next = { ...used, [budget]: used[budget] + 1 };
  // The last permitted attempt after evictions does not gamble again, unless the user insists on spot.
  const onDemandOnly = job.capacity !== "spot" && budget === "evictions" && next.evictions >= job.retry.evictions;
  return { kind: "retry", used: next, onDemandOnly };
}
