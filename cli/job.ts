import { callApi } from "./api";
import type { Connection } from "./connection";

/** What the CLI shows of a job. */
export interface ShownJob {
  readonly org: string;
  readonly jobId: string;
  readonly state: string;
  readonly waitingFor?: string;
  readonly attempts: readonly { readonly outcome?: string; readonly exitCode?: number; readonly machineId?: string }[];
}

const OVER: ReadonlySet<string> = new Set(["Succeeded", "Failed", "Cancelled", "Expired"]);

export const isOver = ({ state }: ShownJob): boolean => OVER.has(state);

export function showJob({ org, jobId, state, waitingFor, attempts }: ShownJob): string {
  const last = attempts.at(-1);
  const exit = last?.exitCode === undefined ? "" : `  exit code ${last.exitCode}`;
  const why = waitingFor === undefined ? "" : `  waits for ${waitingFor}`;
  const machine = last?.machineId === undefined ? "" : `  machine ${last.machineId}`;
  return `${`${org}/${jobId}`.padEnd(32)}  ${state.padEnd(9)}  attempt ${attempts.length}${machine}${exit}${why}`;
}

/** `corral jobs`: one line for each. */
export async function listJobs(connection: Connection): Promise<number> {
  const { value } = (await callApi(connection, { method: "GET", path: `/api/orgs/${connection.org}/jobs` })) as {
    value: ShownJob[];
  };
  for (const job of value) process.stdout.write(`${showJob(job)}\n`);
  return 0;
}

/** `corral show JOB`, `corral ledger`, `corral machines`: the API's answer as it is. */
export async function printAnswer(connection: Connection, path: string): Promise<number> {
  const answer = await callApi(connection, { method: "GET", path: `/api/orgs/${connection.org}${path}` });
  process.stdout.write(`${JSON.stringify(answer, undefined, 2)}\n`);
  return 0;
}

/** `corral cancel JOB`. */
export async function cancelJob(connection: Connection, jobId: string): Promise<number> {
  const job = (await callApi(connection, {
    method: "POST",
    path: `/api/orgs/${connection.org}/jobs/${encodeURIComponent(jobId)}:cancel`,
  })) as ShownJob;
  process.stdout.write(`${showJob(job)}\n`);
  return 0;
}
