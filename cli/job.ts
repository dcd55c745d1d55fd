import { apiOf, orgPath, type Service } from "./api";
import { type Command, type CommandCall } from "./command";
import { EXIT, type ExitCode } from "./cli-error";
import { orgOf } from "./connection";

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

export const JOB_COMMANDS: readonly Command[] = [
  { words: "jobs", summary: "list the jobs", run: listJobs },
  {
    words: "show",
    parameters: ["JOB"],
    summary: "a job with its attempts and times, as JSON",
    run: (call) => printAnswer(call, ["jobs", encodeURIComponent(call.parameter(0, "JOB"))]),
  },
  { words: "cancel", parameters: ["JOB"], summary: "end a job", run: cancelJob },
  { words: "machines", summary: "list the machines, as JSON", run: (call) => printAnswer(call, ["machines"]) },
  { words: "ledger", summary: "prove that no job was lost, as JSON", run: (call) => printAnswer(call, ["ledger"]) },
];

async function listJobs(call: CommandCall): Promise<ExitCode> {
  const { api, org } = await open(call);
  const { value } = (await api.call({ method: "GET", path: orgPath(org, "jobs") })) as { value: ShownJob[] };
  for (const job of value) call.output.line(showJob(job));
  call.output.json({ value });
  return EXIT.done;
}

/** The API's answer as it is. */
async function printAnswer(call: CommandCall, names: readonly string[]): Promise<ExitCode> {
  const { api, org } = await open(call);
  const answer = await api.call({ method: "GET", path: orgPath(org, ...names) });
  call.output.raw(`${JSON.stringify(answer, undefined, 2)}\n`);
  return EXIT.done;
}

async function cancelJob(call: CommandCall): Promise<ExitCode> {
  const { api, org } = await open(call);
  const path = orgPath(org, "jobs", `${encodeURIComponent(call.parameter(0, "JOB"))}:cancel`);
  const job = (await api.call({ method: "POST", path })) as ShownJob;
  call.output.line(showJob(job));
  call.output.json(job);
  return EXIT.done;
}

async function open(call: CommandCall): Promise<{ api: Service; org: string }> {
  const connection = await call.connect();
  return { api: apiOf(connection), org: orgOf(connection) };
}
