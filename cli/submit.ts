import { readFileSync } from "node:fs";
import { apiOf, orgPath } from "./api";
import type { Command, CommandCall } from "./command";
import { EXIT, type ExitCode, messageOf, refused, usage } from "./cli-error";
import { orgOf } from "./connection";
import { isOver, type ShownJob, showJob } from "./job";

const LOOK_EVERY_MS = 500;

export const SUBMIT_COMMAND: Command = {
  words: "submit",
  parameters: ["FILE"],
  summary: "submit the job in FILE",
  options: { wait: { type: "boolean", help: "follow it to its end; exit code 0 only if it succeeds" } },
  run: submit,
};

async function submit(call: CommandCall): Promise<ExitCode> {
  const text = readJobFile(call.parameter(0, "FILE"));
  const named = orgNamedIn(text);
  const connection = await call.connect();
  const api = apiOf(connection);
  const org = named ?? orgOf(connection);
  let job = (await api.call({ method: "POST", path: orgPath(org, "jobs"), body: text })) as ShownJob;
  let shown = showJob(job);
  call.output.line(shown);
  while (call.isSet("wait") && !isOver(job)) {
    await new Promise((resolve) => setTimeout(resolve, LOOK_EVERY_MS));
    job = (await api.call({ method: "GET", path: orgPath(org, "jobs", job.jobId) })) as ShownJob;
    if (showJob(job) !== shown) call.output.line(showJob(job));
    shown = showJob(job);
  }
  call.output.json(job);
  return !call.isSet("wait") || job.state === "Succeeded" ? EXIT.done : EXIT.refused;
}

function readJobFile(file: string): string {
  try {
    return readFileSync(file, "utf8");
  } catch (error) {
    throw usage(`cannot read ${file}: ${messageOf(error)}`);
  }
}

/** The organization that the job names; the API checks everything else and tells each wrong field. */
function orgNamedIn(text: string): string | undefined {
  let job: unknown;
  try {
    job = JSON.parse(text);
  } catch (error) {
    throw refused(`the job is not JSON: ${messageOf(error)}`);
  }
  if (typeof job !== "object" || job === null || !("org" in job)) return undefined;
  return typeof job.org === "string" ? job.org : undefined;
}
