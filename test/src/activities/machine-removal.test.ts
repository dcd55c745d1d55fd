import { nicIdOf } from "../../support/memory-azure";
import { idleMachine, organizationRow, sessionRow, SUBSCRIPTION } from "../../support/sample-rows";
import type { MachineRow } from "../../../src/state/machine-table";
import { useWorld, type World } from "../../support/world";

const world = useWorld();
const ref = { org: "demo", machineId: "m000000001" };
const vmName = "vm-demo-m000000001";
const disk = "osdisk-demo-m000000001";
const diskId = `/subscriptions/${SUBSCRIPTION}/resourceGroups/corral-demo/providers/Microsoft.Compute/disks/${disk}`;
const nicId = nicIdOf(vmName);

async function setUp(machine: Partial<MachineRow> = {}): Promise<World> {
  const w = world();
  await w.organizations.insert(organizationRow());
  await w.machines.insert(idleMachine({ state: "Draining", ...machine }));
  w.vms.vms.set(vmName, { tags: { "corral:machine": ref.machineId }, resourceGroup: "corral-demo", status: {} });
  return w;
}

const row = async (w: World) => (await w.machines.find("demo", ref.machineId))?.value;
const confirm = (w: World) => w.removal.confirmDeleted(ref, w.instances);

it("deletes the VM, reads back that VM, NIC and disk are gone, and only then calls it deleted", async () => {
  const w = await setUp();
  await w.sessions.insert(sessionRow());
  const asked = await w.removal.deleteVm(ref);
  const during = await row(w);
  const done = await confirm(w);

  expect(asked).toEqual({ state: "Deleting", checkInSeconds: 7 });
  expect(during).toMatchObject({ state: "Deleting", nicId, deletingAt: expect.any(String) as string });
  expect(done).toEqual({ state: "Deleted", checkInSeconds: 0 });
  expect(await row(w)).toMatchObject({ state: "Deleted", deletedAt: expect.any(String) as string });
  expect(await w.sessions.find("demo", ref.machineId)).toBeUndefined();
  expect(w.instances.woken).toEqual([`scheduler-${SUBSCRIPTION}`]);
});

it("can be run twice, as Durable Functions may (F12)", async () => {
  const w = await setUp();
  await w.removal.deleteVm(ref);
  const before = await row(w);
  await w.removal.deleteVm(ref);
  await confirm(w);
  const again = await confirm(w);

  expect(before?.deletingAt).toBeDefined();
  expect(again.state).toBe("Deleted");
  expect(await w.machines.listEnded("demo")).toHaveLength(1);
});

it("ends a machine that no agent ever registered on", async () => {
  const w = await setUp({ state: "Failed" });
  w.vms.vms.clear();
  const asked = await w.removal.deleteVm(ref);
  const done = await confirm(w);

  expect(asked).toEqual({ state: "Deleting", checkInSeconds: 0 });
  expect(done.state).toBe("Deleted");
});

it.each([0, 1, 2])("ends a machine whose end was cut off at write %i (F60)", async (passing) => {
  const w = await setUp();
  await w.sessions.insert(sessionRow());
  await w.removal.deleteVm(ref);
  w.cut.arm(passing);
  await expect(confirm(w)).rejects.toThrow("cut");
  w.cut.disarm();

  expect((await confirm(w)).state).toBe("Deleted");
  expect(await w.machines.listLive("demo")).toEqual([]);
});

it.each(["Creating", "Booting", "Idle", "Leased", "Deallocated"] as const)(
  "never deletes a machine that is %s (I4)",
  async (state) => {
    const w = await setUp({ state });
    const before = await row(w);

    expect((await w.removal.deleteVm(ref)).state).toBe(state);
    expect((await confirm(w)).state).toBe(state);
    expect(await row(w)).toEqual(before);
    expect(w.vms.deletions).toEqual([]);
  },
);

it.each(["Draining", "Failed", "Evicted"] as const)("deletes a machine that is %s", async (state) => {
  const w = await setUp({ state });

  await w.removal.deleteVm(ref);

  expect(w.vms.deletions).toEqual([vmName]);
});

it("asks again when the VM is still there", async () => {
  const w = await setUp({ state: "Deleting" });

  expect(await confirm(w)).toEqual({ state: "Deleting", checkInSeconds: 7 });
  expect(w.vms.deletions).toEqual([vmName]);
});

it("deletes what Azure left behind, and waits until that is gone too (F30 I3)", async () => {
  const w = await setUp();
  w.vms.disks.add(disk);
  w.resources.present.add(nicId).add(diskId);
  await w.removal.deleteVm(ref);
  const first = await confirm(w);
  w.vms.disks.delete(disk);
  const second = await confirm(w);

  expect(first).toEqual({ state: "Deleting", checkInSeconds: 5 });
  expect(w.resources.deletions).toEqual([nicId, diskId]);
  expect(second.state).toBe("Deleted");
});

it("never touches a VM of that name that is not Corral's, nor its NIC (F31 I5)", async () => {
  const w = await setUp({ state: "Failed" });
  w.vms.vms.set(vmName, { tags: { owner: "someone" }, resourceGroup: "corral-demo", status: {} });
  w.resources.present.add(nicId);
  w.vms.disks.add(disk);
  await w.removal.deleteVm(ref);
  const done = await confirm(w);

  expect(w.vms.deletions).toEqual([]);
  expect(w.resources.deletions).toEqual([]);
  expect(done.state).toBe("Deleted");
  expect(w.vms.vms.has(vmName)).toBe(true);
});

it("has nothing to do for a machine without a row", async () => {
  expect(await world().removal.deleteVm(ref)).toEqual({ state: "Deleted", checkInSeconds: 0 });
});
