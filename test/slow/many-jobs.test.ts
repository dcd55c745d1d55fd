import { nodeJob, TestStack } from "../e2e/test-stack";

let stack: TestStack;

beforeAll(async () => {
  stack = await TestStack.start({
    quota: { StandardNCASv3_T4Family: 16, lowPriorityCores: 0 },
    settings: { WORK_POLL_SECONDS: "0.25" },
    organization: { idle: { beforeFirstJobSeconds: 20, afterJobSeconds: 3, windowSeconds: 1 } },
  });
}, 120_000);

afterAll(async () => {
  await stack.close();
}, 60_000);

it("runs 200 jobs with a quota for 4 VMs, never on more than 4, and uses machines again", async () => {
  const jobIds = Array.from({ length: 200 }, (_, index) => `many-${index}`);
  let mostVms = 0;

  await stack.send(...jobIds.map((jobId) => nodeJob(jobId, "process.exit(0)", { capacity: "on-demand" })));
  const { jobs, machines } = await stack.until(
    "200 jobs succeed",
    async (snapshot) => {
      mostVms = Math.max(mostVms, (await stack.vms()).length);
      return (
        snapshot.jobs.filter(({ jobId, state }) => jobId.startsWith("many-") && state === "Succeeded").length === 200
      );
    },
    { timeoutMs: 400_000, everyMs: 500 },
  );

  expect(jobs.filter(({ jobId }) => jobId.startsWith("many-")).every(({ attempts }) => attempts.length === 1)).toBe(
    true,
  );
  expect(mostVms).toBeLessThanOrEqual(4);
  expect(machines.length).toBeLessThanOrEqual(8);
  expect(await stack.ledger()).toMatchObject({ terminal: { Succeeded: 200 }, live: 0, differences: [] });
}, 420_000);
