// `corral`: a client of the HTTP API, as any other client would be.
import { parseArgs } from "node:util";
import { connect, UsageError } from "./connection";
import { cancelJob, listJobs, printAnswer } from "./job";
import { submit } from "./submit";

const USAGE = `corral COMMAND [--stack FILE] [--as ROLE]
  submit FILE [--wait]   submit the job in FILE; --wait follows it to its end
  jobs                   list the jobs
  show JOB               a job with its attempts and times
  cancel JOB             end a job
  machines               list the machines
  ledger                 prove that no job was lost`;

async function run(): Promise<number> {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: {
      stack: { type: "string", default: ".corral/stack.json" },
      as: { type: "string", default: "Owner" },
      wait: { type: "boolean", default: false },
    },
  });
  const [command, subject, ...rest] = positionals;
  if (command === undefined || rest.length > 0) throw new UsageError(USAGE);
  const connection = connect(values.stack, values.as);
  switch (command) {
    case "submit":
      return submit(connection, needed(subject, "FILE"), { wait: values.wait });
    case "jobs":
      return listJobs(connection);
    case "show":
      return printAnswer(connection, `/jobs/${encodeURIComponent(needed(subject, "JOB"))}`);
    case "cancel":
      return cancelJob(connection, needed(subject, "JOB"));
    case "machines":
    case "ledger":
      return printAnswer(connection, `/${command}`);
    default:
      throw new UsageError(`unknown command ${command}\n${USAGE}`);
  }
}

function needed(value: string | undefined, name: string): string {
  if (value === undefined) throw new UsageError(`${name} is missing\n${USAGE}`);
  return value;
}

/** What a person is to read: our own words for what he can mend, the whole stack for what he cannot. */
function wordsOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  // parseArgs throws a TypeError with a code for an option that it does not know.
  const isUsage = error instanceof UsageError || (error instanceof TypeError && "code" in error);
  return isUsage ? error.message : (error.stack ?? error.message);
}

run().then(
  (code) => {
    process.exitCode = code;
  },
  (error: unknown) => {
    process.stderr.write(`${wordsOf(error)}\n`);
    process.exitCode = 1;
  },
);
