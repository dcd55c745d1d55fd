/** The fields of a job's row that placing it touches. */
interface PlaceableJob {
  readonly state: string;
  readonly attempt: number;
  readonly machineId?: string;
  readonly waitingFor?: string;
  readonly queuedAt: string;
  readonly waitedMs: number;
}

/** How long a job has waited in all: the wait before, and this one if it waits. */
export function waitedMsOf({ state, waitedMs, queuedAt }: PlaceableJob, now: Date): number {
  return state === "Queued" || state === "Placing" ? waitedMs + now.getTime() - Date.parse(queuedAt) : waitedMs;
}

/** Back in the queue before a VM ran for it: the attempt's number is used again, since nothing ever held a lease under it. */
export function unplacedJob<Row extends PlaceableJob>(job: Row, waitingFor: string): Row & { state: "Queued" } {
  const { machineId: _gone, ...rest } = job;
  // `machineId` is optional in Row, so leaving it out keeps the type.
  return {
    ...(rest as Row),
    state: "Queued",
    attempt: job.state === "Placing" ? job.attempt - 1 : job.attempt,
    waitingFor,
  };
}

/** Waits for a machine that was requested or is on its way. */
export function placingJob<Row extends PlaceableJob>(job: Row, machineId: string): Row & { state: "Placing" } {
  const { waitingFor: _over, ...rest } = job;
  return {
    ...(rest as Row),
    state: "Placing",
    machineId,
    attempt: job.state === "Placing" ? job.attempt : job.attempt + 1,
  };
}

/** Has the lease of a machine; its waiting is over. */
export function startingJob<Row extends PlaceableJob>(
  job: Row,
  machineId: string,
  now: Date,
): Row & { state: "Starting" } {
  return {
    ...placingJob(job, machineId),
    state: "Starting",
    waitedMs: waitedMsOf(job, now),
  };
}
