import {
  ago,
  attemptRow,
  idleMachine,
  jobRow,
  machineRow,
  organizationRow,
  sampleJob,
  sampleOrganization,
  SUBSCRIPTION,
  T4_SPOT,
} from "../../support/sample-rows";
import { expectConsistent } from "../../support/invariants";
import { useWorld, type World } from "../../support/world";

const world = useWorld();
const scheduler = { subscriptionId: SUBSCRIPTION, epoch: 1 };

async function setUp(settings: object = {}): Promise<World> {
  await world().organizations.insert(organizationRow({ settings: sampleOrganization(settings) }));
  await world().placement.takeScheduler({ subscriptionId: SUBSCRIPTION, holder: "h1" });
  return world();
}

const job = async (w: World, jobId = "j1") => (await w.jobs.find("demo", jobId))?.value;
const machinesOf = async (w: World, org = "demo") => (await w.machines.listLive(org)).map(({ value }) => value);
const pass = (w: World) => w.placement.placeJobs(scheduler);

it("gives each execution that takes over a higher epoch, and the same one the same", async () => {
  const w = await setUp();
  const take = (holder: string) => w.placement.takeScheduler({ subscriptionId: SUBSCRIPTION, holder });

  expect([await take("h1"), await take("h1"), await take("h2"), await take("h2")]).toEqual([1, 1, 2, 2]);
});

it("lets one of several win that take over at the same time (F14)", async () => {
  const w = await setUp();

  const answers = await Promise.allSettled(
    ["a", "b", "c"].map((holder) => w.placement.takeScheduler({ subscriptionId: SUBSCRIPTION, holder })),
  );

  const epochs = answers.flatMap((answer) => (answer.status === "fulfilled" ? [answer.value] : []));
  expect(epochs.length).toBeGreaterThanOrEqual(1);
  expect(new Set(epochs).size).toBe(epochs.length);
});

it("touches nothing for a scheduler that was replaced (F14 I2)", async () => {
  const w = await setUp();
  await w.jobs.insert(jobRow());
  await w.machines.insert(idleMachine());
  await w.placement.takeScheduler({ subscriptionId: SUBSCRIPTION, holder: "h2" });

  expect(await pass(w)).toMatchObject({ fenced: true, machines: [] });
  expect((await job(w))?.state).toBe("Queued");
});

it("leases an idle machine: lease, job and attempt name the same", async () => {
  const w = await setUp();
  await w.jobs.insert(jobRow());
  await w.machines.insert(idleMachine());

  const result = await pass(w);

  expect(result).toMatchObject({ fenced: false, machines: [] });
  expect(await job(w)).toMatchObject({ state: "Starting", attempt: 1, machineId: "m000000001" });
  expect(await machinesOf(w)).toMatchObject([{ state: "Leased", lease: { jobId: "j1", attempt: 1, bootId: "boot1" } }]);
  expect((await w.attempts.find("demo", "j1", 1))?.value).toMatchObject({ bootId: "boot1", reusedMachine: true });
  await expectConsistent(w);
});

it("asks for a machine where none is: its row, the job and the attempt are there before any VM", async () => {
  const w = await setUp();
  await w.jobs.insert(jobRow());

  const { machines } = await pass(w);

  const [machine] = await machinesOf(w);
  expect(machines).toEqual([{ org: "demo", machineId: machine?.machineId }]);
  expect(machine).toMatchObject({ state: "Creating", offering: T4_SPOT, pricePerHour: 0.063 });
  expect(machine?.machineId).toMatch(/^[a-z0-9]{10}$/);
  expect(await job(w)).toMatchObject({ state: "Placing", attempt: 1, machineId: machine?.machineId });
  expect((await w.attempts.find("demo", "j1", 1))?.value.machineId).toBe(machine?.machineId);
  expect(w.vms.sent).toEqual([]);
});

it("names a machine again whose PUT was never sent, and asks for no second one (F11)", async () => {
  const w = await setUp();
  await w.jobs.insert(jobRow());
  const first = await pass(w);
  const second = await pass(w);

  expect(second.machines).toEqual(first.machines);
  expect(await machinesOf(w)).toHaveLength(1);
});

it("starts the run of a machine", async () => {
  const w = await setUp();
  await w.placement.startMachine({ org: "demo", machineId: "m000000001" }, w.instances);

  expect(w.instances.started).toEqual([
    {
      orchestration: "runMachine",
      instanceId: "machine-demo-m000000001",
      input: expect.objectContaining({ org: "demo" }) as object,
    },
  ]);
});

it("says for what a job waits, and writes it once", async () => {
  const w = await setUp({ limits: { machines: 0 } });
  await w.jobs.insert(jobRow());
  const first = await pass(w);
  const before = await w.jobs.find("demo", "j1");
  await pass(w);

  expect(first.nextPassSeconds).toBe(15);
  expect(before?.value).toMatchObject({ state: "Queued", waitingFor: "limit machines", attempt: 0 });
  expect((await w.jobs.find("demo", "j1"))?.etag).toBe(before?.etag);
});

it("looks again soon when machines come up, later when jobs wait, and seldom when nothing does", async () => {
  const w = await setUp();
  const idle = await pass(w);
  await w.jobs.insert(jobRow());
  const coming = await pass(w);

  expect(idle.nextPassSeconds).toBe(300);
  expect(coming.nextPassSeconds).toBe(5);
});

it("keeps to the limit of running jobs", async () => {
  const w = await setUp({ limits: { runningJobs: 1 } });
  await w.jobs.insert(jobRow({ jobId: "j0", state: "Running", attempt: 1, machineId: "m000000009" }));
  await w.jobs.insert(jobRow());
  await w.machines.insert(idleMachine());

  await pass(w);

  expect(await job(w)).toMatchObject({ state: "Queued", waitingFor: "limit runningJobs" });
});

it("does not wait for an offering that was refused lately, and buys another (F32)", async () => {
  const w = await setUp();
  await w.jobs.insert(jobRow({ spec: sampleJob({ vmSizes: [T4_SPOT.vmSize] }) }));
  await w.offerings.block(T4_SPOT, "no capacity", new Date(Date.now() + 60_000));

  await pass(w);

  expect(await machinesOf(w)).toMatchObject([{ offering: { capacity: "on-demand" } }]);
});

it("counts its own machines that Azure does not count yet against the quota (F33 I10)", async () => {
  const w = await setUp();
  w.vms.usages = [{ name: "lowPriorityCores", used: 0, limit: 8 }];
  for (const jobId of ["j1", "j2", "j3"])
    await w.jobs.insert(jobRow({ jobId, spec: sampleJob({ jobId, capacity: "spot" }) }));
  await pass(w);
  await pass(w);

  expect(await machinesOf(w)).toHaveLength(2);
  expect((await job(w, "j3"))?.waitingFor).toContain("quota lowPriorityCores");
});

it("serves every organization of its subscription, and none of another", async () => {
  const w = await setUp();
  const other = sampleOrganization({ org: "other", subscriptionId: SUBSCRIPTION.replace("5a1e", "5a1f") });
  await w.organizations.insert(organizationRow({ settings: sampleOrganization({ org: "demo2" }) }));
  await w.organizations.insert(organizationRow({ settings: other }));
  for (const org of ["demo", "demo2", "other"]) await w.jobs.insert(jobRow({ org, spec: sampleJob({ org }) }));

  const { machines } = await pass(w);

  expect(machines.map(({ org }) => org)).toEqual(["demo", "demo2"]);
  expect(await machinesOf(w, "other")).toEqual([]);
});

it("gives a machine that came up to the job that waits for it, under the same attempt", async () => {
  const w = await setUp();
  await w.jobs.insert(jobRow());
  await pass(w);
  const [coming] = await w.machines.listLive("demo");
  if (coming) await w.machines.replace(coming, idleMachine({ machineId: coming.value.machineId, putSentAt: ago(-1) }));

  await pass(w);

  expect(await job(w)).toMatchObject({ state: "Starting", attempt: 1 });
  expect((await w.attempts.find("demo", "j1", 1))?.value).toMatchObject({ bootId: "boot1", reusedMachine: false });
  await expectConsistent(w);
});

it("leaves a job alone whose machine failed to boot, until that was counted (I10)", async () => {
  const w = await setUp();
  const failure = { kind: "boot", reason: "too late" } as const;
  await w.jobs.insert(
    jobRow({ state: "Placing", attempt: 1, machineId: "m000000001", spec: sampleJob({ retry: { boots: 0 } }) }),
  );
  await w.attempts.insert(attemptRow());
  await w.machines.insert(machineRow({ state: "Failed", failure, putSentAt: ago(30) }));
  await pass(w);
  const untouched = await job(w);
  await w.job.advanceJob({ org: "demo", jobId: "j1" }, w.instances);

  expect(untouched).toMatchObject({ state: "Placing", attempt: 1, machineId: "m000000001" });
  expect(await job(w)).toMatchObject({ state: "Failed", outcome: "BootFailed" });
});

it("leaves a job alone whose failed machine is deleted already, until that was counted (I10)", async () => {
  const w = await setUp();
  const failure = { kind: "boot", reason: "too late" } as const;
  await w.jobs.insert(jobRow({ state: "Placing", attempt: 1, machineId: "m000000001" }));
  await w.attempts.insert(attemptRow());
  await w.machines.insert(machineRow({ state: "Deleting", failure, putSentAt: ago(30) }));
  const deleting = await w.machines.find("demo", "m000000001");
  if (deleting) await w.machines.replace(deleting, { ...deleting.value, state: "Deleted" });
  await pass(w);
  await w.job.advanceJob({ org: "demo", jobId: "j1" }, w.instances);

  expect(await machinesOf(w)).toEqual([]);
  expect(await job(w)).toMatchObject({ state: "Queued", attempt: 1, used: { boots: 1 } });
});
