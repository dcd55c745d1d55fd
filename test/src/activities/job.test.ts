import type { AttemptRow } from "../../../src/state/attempt-table";
import type { JobRow } from "../../../src/state/job-table";
import type { MachineRow } from "../../../src/state/machine-table";
import { expectConsistent } from "../../support/invariants";
import {
  ago,
  attemptRow,
  idleMachine,
  jobRow,
  machineRow,
  organizationRow,
  sampleJob,
  sessionRow,
  SUBSCRIPTION,
} from "../../support/sample-rows";
import { useWorld, type World } from "../../support/world";

const world = useWorld();
const ref = { org: "demo", jobId: "j1" };
const machineId = "m000000001";
const lease = { jobId: "j1", attempt: 1, bootId: "boot1" };

interface Scene {
  readonly job?: Partial<JobRow>;
  readonly attempt?: Partial<AttemptRow>;
  readonly machine?: Partial<MachineRow>;
  readonly heardSecondsAgo?: number;
}

/** A job that runs on its machine, unless the scene says otherwise. */
async function setUp({ job, attempt, machine, heardSecondsAgo = 5 }: Scene = {}): Promise<World> {
  const w = world();
  await w.organizations.insert(organizationRow());
  await w.jobs.insert(jobRow({ state: "Running", attempt: 1, machineId, ...job }));
  await w.attempts.insert(attemptRow({ bootId: "boot1", leasedAt: ago(40), ...attempt }));
  await w.machines.insert(idleMachine({ state: "Leased", lease, ...machine }));
  await w.sessions.insert(sessionRow({ lastHeartbeatAt: ago(heardSecondsAgo) }));
  return w;
}

const advance = (w: World) => w.job.advanceJob(ref, w.instances);
const job = async (w: World) => (await w.jobs.find("demo", "j1"))?.value;
const attempt = async (w: World) => (await w.attempts.find("demo", "j1", 1))?.value;
const machine = async (w: World) => (await w.machines.find("demo", machineId))?.value;
const schedulerId = `scheduler-${SUBSCRIPTION}`;

it("waits while the machine is heard, until it would be silent", async () => {
  const w = await setUp();

  const { ended, checkInSeconds } = await advance(w);

  expect(ended).toBe(false);
  expect(checkInSeconds).toBeGreaterThan(30);
  expect(checkInSeconds).toBeLessThanOrEqual(85);
});

it("ends the job as the agent said, and stays ended (I1)", async () => {
  const w = await setUp({ attempt: { outcome: "Succeeded", exitCode: 0, endedAt: "2030-01-01T00:00:00.000Z" } });
  const first = await advance(w);
  const ended = await job(w);
  const second = await advance(w);

  expect([first, second]).toEqual([
    { ended: true, checkInSeconds: 0 },
    { ended: true, checkInSeconds: 0 },
  ]);
  expect(ended).toMatchObject({
    state: "Succeeded",
    outcome: "Succeeded",
    exitCode: 0,
    endedAt: "2030-01-01T00:00:00.000Z",
  });
  expect(await job(w)).toEqual(ended);
  expect(await w.jobs.listLive("demo")).toEqual([]);
});

it.each([
  { failures: 0, state: "Failed", used: 0 },
  { failures: 1, state: "Queued", used: 1 },
])("after a failure with $failures retries the job is $state", async ({ failures, state, used }) => {
  const w = await setUp({
    job: { spec: sampleJob({ retry: { failures } }) },
    attempt: { outcome: "Failed", exitCode: 1 },
  });
  await advance(w);

  expect(await job(w)).toMatchObject({ state, used: { failures: used }, attempt: 1 });
});

it("goes back into the queue after a lost attempt with its wait so far, and has the scheduler look", async () => {
  const w = await setUp({ job: { waitedMs: 5000, queuedAt: ago(9999) }, heardSecondsAgo: 91 });

  const { ended } = await advance(w);

  const row = await job(w);
  expect(ended).toBe(false);
  expect(row).toMatchObject({ state: "Queued", attempt: 1, waitedMs: 5000, used: { evictions: 1 } });
  expect(row?.machineId).toBeUndefined();
  expect(Date.parse(row?.queuedAt ?? "")).toBeGreaterThan(Date.now() - 60_000);
  expect(w.instances.woken).toContain(schedulerId);
});

it("fences a silent machine before its job may run elsewhere (F41 I2)", async () => {
  const w = await setUp({ heardSecondsAgo: 91 });
  await advance(w);

  expect(await attempt(w)).toMatchObject({ outcome: "Lost", endedAt: expect.any(String) as string });
  expect(await machine(w)).toMatchObject({ state: "Failed", failure: { kind: "lost" } });
  expect((await machine(w))?.lease).toBeUndefined();
  expect(w.instances.woken).toContain(`machine-demo-${machineId}`);
  await expectConsistent(w);
});

it.each([0, 1, 2, 3])(
  "never lets a job run elsewhere with its machine unfenced, cut off after %i writes (F11 F41 I2)",
  async (passing) => {
    const w = await setUp({ heardSecondsAgo: 91 });
    w.cut.arm(passing);
    await advance(w).catch(() => undefined);
    w.cut.disarm();
    const between = { job: await job(w), machine: await machine(w) };
    await advance(w);

    expect(between.job?.state === "Running" || between.machine?.state === "Failed").toBe(true);
    expect(await job(w)).toMatchObject({ state: "Queued", used: { evictions: 1 } });
    expect(await attempt(w)).toMatchObject({ outcome: "Lost" });
    await expectConsistent(w);
  },
);

it("lets the agent's end stand that came before the machine was found silent", async () => {
  const w = await setUp({ heardSecondsAgo: 91, attempt: { outcome: "Succeeded" } });
  await advance(w);

  expect((await job(w))?.state).toBe("Succeeded");
  expect((await attempt(w))?.outcome).toBe("Succeeded");
});

it("takes an attempt for lost whose machine was rebooted, and lets the machine go on", async () => {
  const w = await setUp({
    machine: { state: "Leased", bootId: "boot2", lease: { jobId: "j2", attempt: 1, bootId: "boot2" } },
  });
  await w.jobs.insert(jobRow({ jobId: "j2", state: "Running", attempt: 1, machineId }));
  await w.attempts.insert(attemptRow({ jobId: "j2", bootId: "boot2" }));
  await advance(w);

  expect(await job(w)).toMatchObject({ state: "Queued", used: { evictions: 1 } });
  expect(await machine(w)).toMatchObject({ state: "Leased", lease: { jobId: "j2" } });
  await expectConsistent(w);
});

it("runs on demand after the last permitted eviction but one, for good", async () => {
  const w = await setUp({ heardSecondsAgo: 91, job: { spec: sampleJob({ retry: { evictions: 1 } }) } });
  await advance(w);

  expect(await job(w)).toMatchObject({ state: "Queued", onDemandOnly: true, used: { evictions: 1 } });
});

it("fails when every permitted eviction is used up", async () => {
  const used = { failures: 0, evictions: 1, boots: 0 };
  const w = await setUp({ heardSecondsAgo: 91, job: { spec: sampleJob({ retry: { evictions: 1 } }), used } });
  await advance(w);

  expect(await job(w)).toMatchObject({ state: "Failed", outcome: "Lost" });
});

const bootFailed = machineRow({ state: "Failed", failure: { kind: "boot", reason: "too late" } });

it("counts a boot failure, and the time that was waited for it", async () => {
  const w = await setUp({ job: { state: "Placing", queuedAt: ago(100), waitedMs: 1000 }, machine: bootFailed });
  await advance(w);

  const row = await job(w);
  expect(row).toMatchObject({ state: "Queued", attempt: 1, used: { boots: 1 } });
  expect(row?.waitedMs).toBeGreaterThanOrEqual(101_000);
  expect(await attempt(w)).toMatchObject({ outcome: "BootFailed" });
});

it("counts one boot failure when two runs find it at the same time (F13)", async () => {
  const w = await setUp({ job: { state: "Placing" }, machine: bootFailed });
  await Promise.allSettled([advance(w), advance(w)]);
  await advance(w);

  expect(await job(w)).toMatchObject({ state: "Queued", used: { boots: 1 } });
});

it("counts nothing for a refusal of capacity, and says why it waits", async () => {
  const failure = { kind: "capacity", reason: "SkuNotAvailable" } as const;
  const w = await setUp({ job: { state: "Placing" }, machine: machineRow({ state: "Failed", failure }) });
  await advance(w);

  expect(await job(w)).toMatchObject({
    state: "Queued",
    attempt: 0,
    waitingFor: "SkuNotAvailable",
    used: { boots: 0, evictions: 0, failures: 0 },
  });
  expect(w.instances.woken).toContain(schedulerId);
});

it.each([
  [{ state: "Queued", attempt: 0, queuedAt: ago(61) }, "Expired"],
  [{ state: "Placing", queuedAt: ago(30), waitedMs: 31_000 }, "Expired"],
  [{ state: "Queued", cancelRequested: true }, "Cancelled"],
  [{ state: "Placing", cancelRequested: true }, "Cancelled"],
] as const)("ends a waiting job %j as %s", async (fields, state) => {
  const spec = sampleJob({ queueDeadlineMinutes: 1 });
  const w = await setUp({ job: { spec, ...fields }, machine: machineRow() });

  expect(await advance(w)).toEqual({ ended: true, checkInSeconds: 0 });
  expect(await job(w)).toMatchObject({ state, endedAt: expect.any(String) as string });
});

it("is over for a job without a row", async () => {
  expect(await world().job.advanceJob(ref, world().instances)).toEqual({ ended: true, checkInSeconds: 0 });
});
