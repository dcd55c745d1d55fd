import { nodeJob, TestStack } from "./test-stack";

let stack: TestStack;

beforeAll(async () => {
  stack = await TestStack.start({ quota: { StandardNCASv3_T4Family: 8, lowPriorityCores: 0 } });
}, 120_000);

afterAll(async () => {
  await stack.close();
}, 60_000);

it("makes one job with one VM of the same message sent 50 times at once", async () => {
  const job = nodeJob("same-message", "process.exit(0)");

  await stack.send(...Array.from({ length: 50 }, () => job));
  const [ended] = await stack.settled(["same-message"]);
  const { machines } = await stack.look();

  expect(ended).toMatchObject({ state: "Succeeded", attempts: [{ attempt: 1, outcome: "Succeeded" }] });
  expect(machines).toHaveLength(1);
  expect(await stack.ledger()).toMatchObject({ accepted: 1, terminal: { Succeeded: 1 }, differences: [] });
});

it("queues what the quota does not allow, says so, and uses machines again", async () => {
  const jobIds = Array.from({ length: 8 }, (_, index) => `queued-${index}`);
  const script = "setTimeout(() => undefined, 500)";

  await stack.send(...jobIds.map((jobId) => nodeJob(jobId, script, { capacity: "on-demand" })));
  const waiting = await stack.until("a job waits for quota", ({ jobs }) =>
    jobs.some(({ waitingFor }) => waitingFor?.includes("quota StandardNCASv3_T4Family") ?? false),
  );
  const ended = await stack.settled(jobIds);

  expect(waiting.machines.filter(({ state }) => state !== "Deleted").length).toBeLessThanOrEqual(2);
  expect(ended.map(({ state }) => state)).toEqual(jobIds.map(() => "Succeeded"));
  expect(await stack.machineParts()).toEqual([]);
});
