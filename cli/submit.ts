import { readFileSync } from "node:fs";
import { callApi } from "./api";
import { type Connection, UsageError } from "./connection";
import { isOver, type ShownJob, showJob } from "./job";

const LOOK_EVERY_MS = 500;

/** `corral submit FILE`: submits a job, and with `wait` follows it to its end. Returns the exit code. */
export async function submit(connection: Connection, file: string, options: { wait: boolean }): Promise<number> {
  const text = readJobFile(file);
  const org = orgOf(text) ?? connection.org;
  let job = (await callApi(connection, {
    method: "POST",
    path: `/api/orgs/${encodeURIComponent(org)}/jobs`,
    body: text,
  })) as ShownJob;
  process.stdout.write(`${showJob(job)}\n`);
  if (!options.wait) return 0;
  let shown = showJob(job);
  while (!isOver(job)) {
    await new Promise((resolve) => setTimeout(resolve, LOOK_EVERY_MS));
    job = (await callApi(connection, { method: "GET", path: `/api/orgs/${org}/jobs/${job.jobId}` })) as ShownJob;
    if (showJob(job) !== shown) process.stdout.write(`${showJob(job)}\n`);
    shown = showJob(job);
  }
  return job.state === "Succeeded" ? 0 : 1;
}

function readJobFile(file: string): string {
  try {
    return readFileSync(file, "utf8");
  } catch (error) {
    throw new UsageError(`cannot read ${file}: ${error instanceof Error ? error.message : String(error)}`);
  }
}

/** The organization that the job names; the API checks everything else and tells each wrong field. */
function orgOf(text: string): string | undefined {
  let job: unknown;
  try {
    job = JSON.parse(text);
  } catch (error) {
    throw new UsageError(`the job is not JSON: ${error instanceof Error ? error.message : String(error)}`);
  }
  if (typeof job !== "object" || job === null || !("org" in job)) return undefined;
  return typeof job.org === "string" ? job.org : undefined;
}
