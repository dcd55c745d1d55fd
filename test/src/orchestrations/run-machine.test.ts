import { runMachine } from "../../../src/orchestrations/run-machine";
import { replay } from "../../support/replay";

const input = { org: "demo", machineId: "m000000001" };
const at = (state: string, checkInSeconds = 60) => ({ state, checkInSeconds });
const unanswered = new Error("ARM did not answer");

it("creates, waits for the boot, serves, and deletes until everything is gone", async () => {
  const run = await replay(runMachine, {
    input,
    activities: {
      createVm: [at("Creating", 600)],
      readMachine: [at("Idle", 900), at("Draining")],
      deleteVm: [at("Deleting", 7)],
      confirmDeleted: [at("Deleting", 5), at("Deleted")],
    },
    waits: ["raised", "raised"],
  });

  expect(run.order).toEqual([
    ...["call createVm", "wait 600", "call readMachine", "wait 900", "call readMachine"],
    ...["call deleteVm", "sleep 7", "call confirmDeleted", "sleep 5", "call confirmDeleted"],
  ]);
  expect(run.continuedAs).toBeUndefined();
});

it("gives a machine up that did not come up by its deadline, and removes it (F29 I3)", async () => {
  const run = await replay(runMachine, {
    input,
    activities: {
      createVm: [at("Booting", 300)],
      failMachine: [at("Failed")],
      deleteVm: [at("Deleting", 0)],
      confirmDeleted: [at("Deleted")],
    },
  });

  expect(run.order.slice(0, 4)).toEqual(["call createVm", "wait 300", "call failMachine", "call deleteVm"]);
  expect(run.steps).toContainEqual({
    call: "failMachine",
    input: { ...input, reason: "the VM did not come up in time (Booting)" },
  });
});

it("goes on with a machine that came up while it was given up", async () => {
  const run = await replay(runMachine, {
    input,
    activities: { createVm: [at("Creating", 10)], failMachine: [at("Idle", 900)], readMachine: [at("Idle", 900)] },
  });

  expect(run.order).toContain("wait 900");
  expect(run.order).not.toContain("call deleteVm");
  expect(run.continuedAs).toEqual(input);
});

it("gives a machine up whose create was not answered however often, and removes what may be there (F27)", async () => {
  const run = await replay(runMachine, {
    input,
    activities: {
      createVm: [unanswered],
      failMachine: [at("Failed")],
      deleteVm: [at("Deleting", 0)],
      confirmDeleted: [at("Deleted")],
    },
  });

  expect(run.order).toEqual([
    ...["call createVm", "sleep 1", "call createVm", "sleep 5", "call createVm", "sleep 25", "call createVm"],
    ...["call failMachine", "call deleteVm", "sleep 0", "call confirmDeleted"],
  ]);
  expect(run.steps).toContainEqual({
    call: "failMachine",
    input: { ...input, reason: "Azure did not answer the create" },
  });
});

it.each(["Draining", "Failed", "Evicted"])(
  "removes a machine that is %s when its run starts again (F60)",
  async (state) => {
    const run = await replay(runMachine, {
      input,
      activities: { createVm: [at(state)], deleteVm: [at("Deleting", 0)], confirmDeleted: [at("Deleted")] },
    });

    expect(run.order).toEqual(["call createVm", "call deleteVm", "sleep 0", "call confirmDeleted"]);
  },
);

it("ends at once for a machine that is deleted", async () => {
  const run = await replay(runMachine, { input, activities: { createVm: [at("Deleted")] } });

  expect(run.order).toEqual(["call createVm"]);
  expect(run.continuedAs).toBeUndefined();
});

it.each(["Idle", "Leased", "Deallocated"])(
  "continues as new after six looks at a machine that stays %s",
  async (state) => {
    const run = await replay(runMachine, { input, activities: { createVm: [at(state)], readMachine: [at(state)] } });

    expect(run.order.filter((step) => step === "call readMachine")).toHaveLength(6);
    expect(run.continuedAs).toEqual(input);
  },
);
