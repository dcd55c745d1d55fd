import type { MachineRow } from "../../../src/state/machine-table";
import {
  ago,
  idleMachine,
  jobRow,
  machineRow,
  organizationRow,
  sessionRow,
  SUBSCRIPTION,
} from "../../support/sample-rows";
import { useWorld, type World } from "../../support/world";

const world = useWorld();
const ref = { org: "demo", machineId: "m000000001" };
const pastLimit: Partial<MachineRow> = { idleSince: ago(700), createdAt: ago(1000) };

async function setUp(machine: Partial<MachineRow> = pastLimit): Promise<World> {
  const w = world();
  await w.organizations.insert(organizationRow());
  await w.machines.insert(idleMachine(machine));
  await w.sessions.insert(sessionRow());
  return w;
}

const row = async (w: World) => (await w.machines.find("demo", ref.machineId))?.value;

it("drains a machine that was idle too long, with the reason", async () => {
  const w = await setUp();
  const { drain } = await w.sweep.planSweep();
  await w.sweep.drainMachine(ref, w.instances);

  expect(drain).toEqual([ref]);
  expect(await row(w)).toMatchObject({ state: "Draining", deleteReason: "idle for 600 s or more" });
  expect(w.instances.woken).toEqual(["machine-demo-m000000001"]);
});

it("can be run twice, and goes on where a run was cut off (F60)", async () => {
  const w = await setUp();
  await w.sweep.drainMachine(ref, w.instances);
  const before = await row(w);
  await w.sweep.drainMachine(ref, w.instances);

  expect(await row(w)).toEqual(before);
  expect(w.instances.raised).toEqual(["machine-demo-m000000001"]);
});

it("plans nothing for machines that are busy, young or in use (I4)", async () => {
  const w = await setUp({ idleSince: ago(10) });
  const lease = { jobId: "j1", attempt: 1, bootId: "boot1" };
  await w.machines.insert(idleMachine({ ...pastLimit, machineId: "m000000002", state: "Leased", lease }));
  await w.machines.insert(idleMachine({ ...pastLimit, machineId: "m000000003" }));
  await w.sessions.insert(sessionRow({ machineId: "m000000003", containers: 1 }));
  await w.machines.insert(machineRow({ machineId: "m000000004", createdAt: ago(9999) }));

  expect(await w.sweep.planSweep()).toEqual({ drain: [] });
});

it("keeps a machine that was leased between the plan and the drain (F59 I4)", async () => {
  const w = await setUp();
  await w.sweep.planSweep();
  const before = await w.machines.find("demo", ref.machineId);
  const lease = { jobId: "j1", attempt: 1, bootId: "boot1" };
  if (before) await w.machines.replace(before, { ...before.value, state: "Leased", lease });

  await w.sweep.drainMachine(ref, w.instances);

  expect(await row(w)).toMatchObject({ state: "Leased", lease });
});

it("keeps a machine that had a job between the plan and the drain and is idle again", async () => {
  const w = await setUp();
  await w.sweep.planSweep();
  const before = await w.machines.find("demo", ref.machineId);
  if (before) await w.machines.replace(before, { ...before.value, idleSince: ago(1), jobsRun: 1 });

  await w.sweep.drainMachine(ref, w.instances);

  expect((await row(w))?.state).toBe("Idle");
});

it("replaces a machine that fell silent while idle", async () => {
  const w = await setUp({ idleSince: ago(100) });
  const session = await w.sessions.find("demo", ref.machineId);
  if (session) await w.sessions.replace(session, { ...session.value, lastHeartbeatAt: ago(100) });
  await w.sweep.drainMachine(ref, w.instances);

  expect(await row(w)).toMatchObject({ state: "Draining", deleteReason: "silent for more than 90 s while idle" });
});

it("has nothing to do for a machine or an organization that is gone", async () => {
  await world().sweep.drainMachine(ref, world().instances);

  expect(world().instances.woken).toEqual([]);
});

it("starts again what has a row and should be moving, and nothing else (F15 F16)", async () => {
  const w = await setUp({ createdAt: ago(1000) });
  const old = { createdAt: ago(121) };
  await w.machines.insert(machineRow({ machineId: "m-creating0", ...old }));
  await w.machines.insert(machineRow({ machineId: "m-young0000", createdAt: ago(100) }));
  await w.machines.insert(idleMachine({ machineId: "m-deleting0", state: "Deleting", deletingAt: ago(121) }));
  await w.machines.insert(idleMachine({ machineId: "m-justnow00", state: "Deleting", deletingAt: ago(10), ...old }));
  await w.jobs.insert(jobRow({ queuedAt: ago(121) }));
  await w.jobs.insert(jobRow({ jobId: "j2", queuedAt: ago(100) }));

  await w.sweep.redrive({}, w.instances);

  expect(w.instances.woken).toEqual([
    "job-demo-j1",
    "machine-demo-m-creating0",
    "machine-demo-m-deleting0",
    `scheduler-${SUBSCRIPTION}`,
  ]);
});

it("leaves the scheduler alone where nothing has waited long", async () => {
  const w = await setUp();
  await w.jobs.insert(jobRow({ queuedAt: ago(10) }));

  await w.sweep.redrive({}, w.instances);

  expect(w.instances.woken).toEqual([]);
});
