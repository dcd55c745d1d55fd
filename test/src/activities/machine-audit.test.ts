import { idleMachine, machineRow, organizationRow } from "../../support/sample-rows";
import { useWorld } from "../../support/world";

const world = useWorld();
const ref = { org: "demo", machineId: "m000000001" };
const linesOf = async () =>
  (await world().auditRows.list("demo", { top: 50 })).values.map(({ phase, operation, outcome, code }) =>
    [phase, operation.split("/").at(-1), outcome, code].filter((part) => part !== undefined).join(" "),
  );

beforeEach(async () => {
  await world().organizations.insert(organizationRow());
});

it("has the PUT of a VM between two lines, and gives Azure their correlation id (E14)", async () => {
  const w = world();
  await w.machines.insert(machineRow({ state: "Creating" }));
  await w.machine.createVm(ref, w.instances);
  const { values } = await w.auditRows.list("demo", { top: 10 });

  expect(await linesOf()).toEqual(["intent write", "outcome write succeeded"]);
  expect(values[0]?.correlationId).toBe(w.vms.sent[0]?.correlationId);
});

it("records a PUT whose answer was lost once, as what it was", async () => {
  const w = world();
  await w.machines.insert(machineRow({ state: "Creating" }));
  w.vms.interfere = (stage) => {
    if (stage === "after") throw new Error("cut off");
  };
  await expect(w.machine.createVm(ref, w.instances)).rejects.toThrow("cut off");
  w.vms.interfere = () => undefined;
  await w.machine.createVm(ref, w.instances);

  expect(await linesOf()).toEqual(["intent write", "outcome write succeeded"]);
});

it("creates no VM while the audit cannot be written (T27)", async () => {
  const w = world();
  await w.machines.insert(machineRow({ state: "Creating" }));
  w.auditGate.isDown = true;

  await expect(w.machine.createVm(ref, w.instances)).rejects.toThrow("the audit cannot be written");
  expect(w.vms.sent).toEqual([]);
});

it("stops a VM though the audit cannot be written, and ends its machine only with both lines (F63)", async () => {
  const w = world();
  await w.machines.insert(idleMachine({ state: "Draining", deleteReason: "idle", putSentAt: "2030-01-01T00:00:00Z" }));
  w.vms.vms.set("vm-demo-m000000001", { tags: { "corral:machine": ref.machineId }, resourceGroup: "g", status: {} });
  w.auditGate.isDown = true;
  await w.removal.deleteVm(ref);
  await expect(w.removal.confirmDeleted(ref, w.instances)).rejects.toThrow("the audit cannot be written");
  w.auditGate.isDown = false;
  await w.removal.confirmDeleted(ref, w.instances);

  expect(w.vms.deletions).toEqual(["vm-demo-m000000001"]);
  expect(await linesOf()).toEqual(["intent delete", "outcome delete succeeded"]);
  expect((await w.machines.find("demo", ref.machineId))?.value.state).toBe("Deleted");
});
