import { existsSync, readFileSync, watch } from "node:fs";
import { join } from "node:path";
import { type FaultRule, nodeJob, TestStack } from "./test-stack";

const hold = (service: string, operation: string, at: Partial<FaultRule> = {}): FaultRule => ({
  service,
  operation,
  stage: "before",
  action: { kind: "hold" },
  ...at,
});

/** The cloud holds a request, or its answer, and the host is killed meanwhile. */
const MOMENTS: readonly (readonly [string, FaultRule])[] = [
  ["before a message is received", hold("service-bus", "^deliver jobs$")],
  ["after a message is received", hold("storage", "^get Organizations$")],
  ["before its row is written", hold("storage", "^insert Jobs$")],
  ["after its row is written", hold("storage", "^insert Jobs$", { stage: "after" })],
  ["before the PUT is sent", hold("storage", "^update Machines$")],
  ["after the PUT is sent", hold("arm", "^PUT Microsoft.Compute/virtualMachines$")],
  ["before the PUT is answered", hold("arm", "^PUT Microsoft.Compute/virtualMachines$", { stage: "after" })],
  ["after the PUT is answered", hold("storage", "^update Machines$", { skip: 1 })],
  ["before an agent's registration is received", hold("front-door", "/agent/v1/register$")],
  ["after an agent has registered", hold("front-door", "/agent/v1/register$", { stage: "after" })],
  ["before a finish is received", hold("front-door", "/agent/v1/finish$")],
  ["after a finish is received", hold("front-door", "/agent/v1/finish$", { stage: "after" })],
];

let stack: TestStack;
let runsFile: string;

beforeAll(async () => {
  stack = await TestStack.start();
  runsFile = join(stack.folder, "runs");
}, 120_000);

afterAll(async () => {
  await stack.close();
}, 60_000);

/** The job leaves a line behind for each time that it really ran. */
const countingJob = (jobId: string) =>
  nodeJob(jobId, `require("node:fs").appendFileSync(${JSON.stringify(runsFile)}, ${JSON.stringify(`${jobId}\n`)})`);

const runsOf = (jobId: string): number =>
  existsSync(runsFile)
    ? readFileSync(runsFile, "utf8")
        .split("\n")
        .filter((line) => line === jobId).length
    : 0;

async function expectOneCleanRun(jobId: string, machinesBefore: number): Promise<void> {
  const [job] = await stack.settled([jobId]);
  const { machines } = await stack.look();

  expect(job).toMatchObject({ state: "Succeeded", attempts: [{ outcome: "Succeeded", exitCode: 0 }] });
  expect(runsOf(jobId)).toBe(1);
  expect(machines.length - machinesBefore).toBe(1);
  expect(await stack.machineParts()).toEqual([]);
  expect(await stack.ledger()).toMatchObject({ live: 0, differences: [] });
}

it.each(MOMENTS)("runs a job once and leaves nothing when the host is killed %s", async (moment, rule) => {
  const jobId = moment.replaceAll(/[^a-z]+/g, "-");
  const { machines } = await stack.look();
  const ruleId = await stack.arm(rule);

  await stack.send(countingJob(jobId));
  await stack.hit(ruleId);
  await stack.stack.killHost();
  await stack.disarm(ruleId);
  await stack.stack.startHost();

  await expectOneCleanRun(jobId, machines.length);
});

it("runs a job once and leaves nothing when the host is killed while its journal is flushed", async () => {
  const { machines } = await stack.look();
  const journal = join(stack.folder, "host", "durable.sqlite-wal");
  let flushes = 0;
  const flushing = new Promise<void>((resolve) => {
    const watcher = watch(journal, () => {
      flushes += 1;
      if (flushes < 7) return;
      watcher.close();
      resolve();
    });
  });

  await stack.send(countingJob("while-flushing"));
  await flushing;
  await stack.stack.killHost();
  await stack.stack.startHost();

  await expectOneCleanRun("while-flushing", machines.length);
});
