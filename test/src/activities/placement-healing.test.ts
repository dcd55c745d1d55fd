import { attemptRow, idleMachine, jobRow, organizationRow, sampleJob, SUBSCRIPTION } from "../../support/sample-rows";
import { expectConsistent } from "../../support/invariants";
import { useWorld, type World } from "../../support/world";

const world = useWorld();
const scheduler = { subscriptionId: SUBSCRIPTION, epoch: 1 };
const MOST_WRITES = 14;
const lease = { jobId: "j1", attempt: 1, bootId: "boot1" };

/** Two idle machines and four jobs: two can be leased, one needs a machine of its own, one fits nothing. */
async function setUp(): Promise<World> {
  const w = world();
  await w.organizations.insert(organizationRow());
  await w.placement.takeScheduler({ subscriptionId: SUBSCRIPTION, holder: "h1" });
  for (const machineId of ["m000000001", "m000000002"]) await w.machines.insert(idleMachine({ machineId }));
  for (const jobId of ["j1", "j2"]) await w.jobs.insert(jobRow({ jobId }));
  await w.jobs.insert(jobRow({ jobId: "j3", spec: sampleJob({ jobId: "j3", gpuTypes: ["A100"] }) }));
  await w.jobs.insert(jobRow({ jobId: "j4", spec: sampleJob({ jobId: "j4", gpus: 64 }) }));
  return w;
}

const pass = (w: World) => w.placement.placeJobs(scheduler);

async function statesOf(w: World): Promise<string[]> {
  const { jobs } = await w.jobs.listAll("demo");
  return jobs.map(({ jobId, state, attempt }) => `${jobId} ${state} ${attempt}`);
}

const PLACED = ["j1 Starting 1", "j2 Starting 1", "j3 Placing 1", "j4 Queued 0"];

it("makes no more writes in this scene than the next test cuts at", async () => {
  const w = await setUp();
  w.cut.arm(Number.POSITIVE_INFINITY);
  await pass(w);

  expect(w.cut.seen).toBeGreaterThan(6);
  expect(w.cut.seen).toBeLessThan(MOST_WRITES);
  expect(await statesOf(w)).toEqual(PLACED);
});

it.each(Array.from({ length: MOST_WRITES }, (_, index) => index))(
  "ends the same when the pass was cut off after %i writes (F11 F12 F24 I1 I2)",
  async (passing) => {
    const w = await setUp();
    w.cut.arm(passing);
    await pass(w).catch(() => undefined);
    w.cut.disarm();

    await pass(w);
    const { machines } = await pass(w);

    await expectConsistent(w);
    expect(await statesOf(w)).toEqual(PLACED);
    expect(machines).toHaveLength(1);
    expect(await w.machines.listLive("demo")).toHaveLength(3);
  },
);

it("leases no machine twice when two passes run at once (F13 I2)", async () => {
  const w = await setUp();

  await Promise.allSettled([pass(w), pass(w), pass(w)]);
  await pass(w);
  await pass(w);

  await expectConsistent(w);
  expect((await statesOf(w)).slice(0, 2)).toEqual(["j1 Starting 1", "j2 Starting 1"]);
});

it("starts no job on a machine that clean-up took while it was being leased (F59 I2)", async () => {
  const w = await setUp();
  const insert = w.attempts.insert.bind(w.attempts);
  jest.spyOn(w.attempts, "insert").mockImplementationOnce(async (row) => {
    const idle = await w.machines.find("demo", row.machineId);
    if (idle) await w.machines.replace(idle, { ...idle.value, state: "Draining" });
    return insert(row);
  });
  await pass(w);
  const states = await statesOf(w);
  await pass(w);

  expect(states.slice(0, 2)).toEqual(["j1 Queued 0", "j2 Starting 1"]);
  expect((await statesOf(w))[0]).toBe("j1 Placing 1");
  await expectConsistent(w);
});

async function leasedTo(job: Parameters<typeof jobRow>[0]): Promise<World> {
  const w = world();
  await w.organizations.insert(organizationRow({}));
  await w.placement.takeScheduler({ subscriptionId: SUBSCRIPTION, holder: "h1" });
  await w.machines.insert(idleMachine({ state: "Leased", lease }));
  if (job) await w.jobs.insert(jobRow(job));
  await w.attempts.insert(attemptRow({ bootId: "boot1" }));
  return w;
}

const machine = async (w: World) => (await w.machines.find("demo", "m000000001"))?.value;

it.each<[string, Parameters<typeof jobRow>[0]]>([
  ["is over", { state: "Cancelled", attempt: 1 }],
  ["is not there", undefined],
  ["runs under a later attempt", { state: "Running", attempt: 2, machineId: "m000000009" }],
])("frees a machine whose lease is of a job that %s", async (_what, job) => {
  const w = await leasedTo(job);
  await pass(w);

  expect(await machine(w)).toMatchObject({ state: "Idle", idleSince: expect.any(String) as string });
  expect((await machine(w))?.lease).toBeUndefined();
});

it("frees a machine whose lease is of an attempt that is over, though its job waits again", async () => {
  const w = await leasedTo({ state: "Queued", attempt: 1, spec: sampleJob({ gpus: 64 }) });
  await pass(w);

  expect((await machine(w))?.state).toBe("Idle");
  expect((await machine(w))?.lease).toBeUndefined();
});

it.each<[string, Parameters<typeof jobRow>[0]]>([
  ["queued", { state: "Queued", attempt: 0 }],
  ["placed", { state: "Placing", attempt: 1, machineId: "m000000001" }],
])("completes the lease of a job that is still %s", async (_what, job) => {
  const w = await leasedTo(job);
  await pass(w);

  expect((await w.jobs.find("demo", "j1"))?.value).toMatchObject({
    state: "Starting",
    attempt: 1,
    machineId: "m000000001",
  });
  await expectConsistent(w);
});

it.each(["Starting", "Running"] as const)("leaves the lease of a job alone that is %s", async (state) => {
  const w = await leasedTo({ state, attempt: 1, machineId: "m000000001" });
  await pass(w);

  expect(await machine(w)).toMatchObject({ state: "Leased", lease });
});
