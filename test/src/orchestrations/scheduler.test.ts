import { scheduler } from "../../../src/orchestrations/scheduler";
import { replay } from "../../support/replay";

const input = { subscriptionId: "s1" };
const machine = { org: "demo", machineId: "m000000001" };
const pass = (fields: object = {}) => ({ fenced: false, machines: [], observe: false, nextPassSeconds: 15, ...fields });

it("takes the epoch and makes a pass before it waits for anything", async () => {
  const run = await replay(scheduler, { input, activities: { takeScheduler: [3], placeJobs: [pass()] } });

  expect(run.order.slice(0, 3)).toEqual(["call takeScheduler", "call placeJobs", "wait 15"]);
  expect(run.steps[1]).toEqual({ call: "placeJobs", input: { subscriptionId: "s1", epoch: 3 } });
});

it("keeps its epoch when it continues as new after a wait without news", async () => {
  const run = await replay(scheduler, { input: { ...input, epoch: 3 }, activities: { placeJobs: [pass()] } });

  expect(run.order).toEqual(["call placeJobs", "wait 15"]);
  expect(run.continuedAs).toEqual({ subscriptionId: "s1", epoch: 3 });
});

it("gives the same execution the same holder in each replay, and another execution another", async () => {
  const holderOf = async (subscriptionId: string) => {
    const activities = { takeScheduler: [new Error("once"), 1], placeJobs: [pass()] };
    const { steps } = await replay(scheduler, { input: { subscriptionId }, activities });
    return steps.flatMap((step) => ("call" in step && step.call === "takeScheduler" ? [step.input] : []));
  };
  const [first, second] = await holderOf("s1");

  expect(first).toEqual({ subscriptionId: "s1", holder: expect.stringMatching(/^[0-9a-f-]{36}$/) as string });
  expect(second).toEqual(first);
});

it("ends when another scheduler has taken over (F14)", async () => {
  const run = await replay(scheduler, {
    input,
    activities: { takeScheduler: [3], placeJobs: [pass({ fenced: true })] },
  });

  expect(run.order).toEqual(["call takeScheduler", "call placeJobs"]);
  expect(run.continuedAs).toBeUndefined();
});

it("starts the runs of all machines at once, and then looks how VMs get on", async () => {
  const machines = ["a", "b", "c"].map((machineId) => ({ ...machine, machineId }));
  const activities = { placeJobs: [pass({ machines, observe: true })], startMachine: [null], observeMachines: [null] };

  const run = await replay(scheduler, { input: { ...input, epoch: 1 }, activities });

  expect(run.order).toEqual([
    ...["call placeJobs", "call startMachine", "call startMachine", "call startMachine"],
    ...["call observeMachines", "wait 15"],
  ]);
  expect(run.steps.slice(1, 4).map((step) => "input" in step && step.input)).toEqual(machines);
  expect(run.mostAtOnce).toBe(3);
});

it("passes again for each event, four times, and then continues as new", async () => {
  const run = await replay(scheduler, {
    input: { ...input, epoch: 1 },
    activities: { placeJobs: [pass()] },
    waits: ["raised", "raised", "raised", "raised", "raised"],
  });

  expect(run.order.filter((step) => step === "call placeJobs")).toHaveLength(4);
  expect(run.continuedAs).toEqual({ subscriptionId: "s1", epoch: 1 });
});
