// `npm start`: the whole system on one machine. Starts the embedded stack, runs the examples, shows them live, and stays up or ends.
import { dirname, join, resolve } from "node:path";
import { parseArgs } from "node:util";
import { prepareDemoOrganization } from "./stack/demo-organization";
import { type Example, readExamples, sendExamples } from "./stack/examples";
import { DEMO_QUOTA, setQuota } from "./stack/quota";
import { StackSession } from "./stack/session";
import { Stack } from "./stack/stack";
import { isStackAlive, removeStackFile, writeStackFile } from "./stack/stack-file";
import { complaintsOf, lastRejection, readSummary, type Summary } from "./stack/summary";
import { type Snapshot, TERMINAL, Watch } from "./stack/watch";

const BUILD_FOLDER = resolve(__dirname, "..");
const ROOT = dirname(BUILD_FOLDER);
const DEFAULT_DATA = join(ROOT, ".corral");
const LOOK_EVERY_MS = 250;
/** A run that hangs is a failure that has to be seen. */
const PATIENCE_MS = 15 * 60_000;

interface Options {
  readonly exit: boolean;
  readonly json: boolean;
  readonly port: number;
  readonly speed: number;
  readonly data: string;
}

const USAGE = `npm start -- [--exit] [--json] [--port N] [--speed N] [--data DIR]
  --exit      end when all examples are done and the clean-up has deleted the last machine
  --json      print the summary as one line of JSON at the end
  --port N    port of the API; a free one by default
  --speed N   how many times faster than Azure the simulated latencies are (20)
  --data DIR  where state is kept (.corral)`;

const say = (line: string): void => {
  process.stderr.write(`${line}\n`);
};

const pause = (milliseconds: number): Promise<void> => new Promise((done) => setTimeout(done, milliseconds));

function readOptions(): Options {
  const { values } = parseArgs({
    options: {
      exit: { type: "boolean", default: false },
      json: { type: "boolean", default: false },
      port: { type: "string", default: "0" },
      speed: { type: "string", default: "20" },
      data: { type: "string", default: DEFAULT_DATA },
    },
  });
  const port = Number(values.port);
  const speed = Number(values.speed);
  if (!Number.isInteger(port) || port < 0 || port > 65_535)
    throw new Error(`--port must be 0 to 65535, not ${values.port}\n${USAGE}`);
  if (!(speed > 0)) throw new Error(`--speed must be above 0, not ${values.speed}\n${USAGE}`);
  return { exit: values.exit, json: values.json, port, speed, data: resolve(values.data) };
}

/** Every job terminal and every machine deleted, and every message either a job or rejected. */
function isOver({ jobs, machines }: Snapshot, examples: readonly Example[]): boolean {
  const wanted = new Set(examples.filter(({ expected }) => expected.rejected === undefined).map(({ jobId }) => jobId));
  const done = jobs.filter(({ jobId, state }) => wanted.has(jobId) && TERMINAL.has(state)).length;
  return done === wanted.size && machines.every(({ state }) => state === "Deleted");
}

async function watchUntilOver(watch: Watch, examples: readonly Example[]): Promise<Snapshot> {
  const endsAt = Date.now() + PATIENCE_MS;
  for (;;) {
    const snapshot = await watch.look();
    if (isOver(snapshot, examples)) return snapshot;
    if (Date.now() > endsAt) {
      say(`gave up after ${PATIENCE_MS / 60_000} minutes`);
      return snapshot;
    }
    await pause(LOOK_EVERY_MS);
  }
}

function printTable({ jobs, rejected, machines, seconds }: Summary): void {
  say("");
  say("job                       state      exit  attempts  queued  placed  create    boot  dispatch     run  (ms)");
  for (const { jobId, state, exitCode, attempts, phases } of jobs) {
    const times = (["queuedMs", "placedMs", "createMs", "bootMs", "dispatchMs", "runMs"] as const).map((name) =>
      String(phases[name] ?? 0),
    );
    const [queued = "", placed = "", create = "", boot = "", dispatch = "", run = ""] = times;
    say(
      `${jobId.padEnd(24)}  ${state.padEnd(9)}  ${String(exitCode ?? "").padStart(4)}  ${String(attempts).padStart(8)}  ` +
        `${queued.padStart(6)}  ${placed.padStart(6)}  ${create.padStart(6)}  ${boot.padStart(6)}  ${dispatch.padStart(8)}  ${run.padStart(6)}`,
    );
  }
  for (const { reason, description } of rejected) say(`rejected: ${reason}: ${description}`);
  say(
    `machines: ${machines.created} created, ${machines.deleted} deleted, ${machines.remaining} remaining; ${seconds.toFixed(1)} s`,
  );
}

async function runExamples(stack: Stack, session: StackSession, options: Options): Promise<number> {
  const startedAt = Date.now();
  const { facts } = stack;
  say("preparing the demo organization");
  await setQuota(session.http, facts, DEMO_QUOTA);
  const { artifactsUrl } = await prepareDemoOrganization(session, { appFolder: ROOT, facts });
  const examples = readExamples(join(ROOT, "examples", "jobs"));
  const rejectedBefore = await lastRejection(facts);
  say(`sending ${examples.length} messages from examples/jobs`);
  await sendExamples(facts, session, examples);
  const snapshot = await watchUntilOver(new Watch(session, say), examples);
  const summary: Summary = {
    ...(await readSummary(facts, session, { ...snapshot, rejectedBefore })),
    seconds: (Date.now() - startedAt) / 1000,
  };
  printTable(summary);
  for (const { name, bytes } of await session.listBlobs(artifactsUrl)) say(`artifacts/${name}  ${bytes} bytes`);
  const complaints = complaintsOf(summary, examples);
  for (const complaint of complaints) say(`NOT AS EXPECTED: ${complaint}`);
  if (options.json) process.stdout.write(`${JSON.stringify(summary)}\n`);
  return complaints.length === 0 ? 0 : 1;
}

async function main(): Promise<void> {
  const options = readOptions();
  say(`starting the embedded stack (state in ${options.data})`);
  const stack = await Stack.start({
    buildFolder: BUILD_FOLDER,
    appFolder: ROOT,
    dataFolder: options.data,
    speed: options.speed,
    port: options.port,
    log: say,
  });
  // Clients look in the default place; a stack that is there already keeps it.
  const folders = isStackAlive(DEFAULT_DATA) ? [options.data] : [...new Set([options.data, DEFAULT_DATA])];
  const files = folders.map((folder) => writeStackFile(folder, stack));
  const { cloud } = stack.pids;
  const session = new StackSession(stack.facts);
  let stopping: Promise<void> | undefined;
  const stop = async (code: number): Promise<void> => {
    stopping ??= (async () => {
      session.close();
      await stack.close();
      for (const file of files) removeStackFile(file, cloud);
    })();
    await stopping;
    process.exit(code);
  };
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) process.on(signal, () => void stop(130));
  void stack.cloudEnded.then((how) => {
    if (stopping) return;
    say(`the cloud process ended (${how}); its log: ${join(options.data, "cloud.log")}`);
    void stop(1);
  });
  try {
    const code = await runExamples(stack, session, options);
    if (options.exit) await stop(code);
  } catch (error) {
    say(error instanceof Error ? error.message : String(error));
    await stop(1);
  }
  say(
    `\nThe stack stays up; Ctrl-C ends it.\n  API    ${stack.facts.apiUrl}\n  state  ${options.data}\n  try    npm run cli -- submit FILE`,
  );
}

main().catch((error: unknown) => {
  say(error instanceof Error ? error.message : String(error));
  process.exit(1);
});
