import { confirmEstate } from "../../../src/orchestrations/confirm-estate";
import { sweep } from "../../../src/orchestrations/sweep";
import { replay } from "../../support/replay";

const machines = ["a", "b"].map((machineId) => ({ org: "demo", machineId }));

it("plans, drains each machine, and starts again what stands still", async () => {
  const activities = { planSweep: [{ drain: machines }], drainMachine: [null], redrive: [null] };

  const run = await replay(sweep, { input: {}, activities });

  expect(run.steps).toEqual([
    { call: "planSweep", input: {} },
    ...machines.map((input) => ({ call: "drainMachine", input })),
    { call: "redrive", input: {} },
  ]);
});

it("drains nothing where nothing is to go", async () => {
  const run = await replay(sweep, { input: {}, activities: { planSweep: [{ drain: [] }], redrive: [null] } });

  expect(run.order).toEqual(["call planSweep", "call redrive"]);
});

it("tries the one again that failed, and no other", async () => {
  const activities = { planSweep: [{ drain: machines }], drainMachine: [new Error("busy"), null], redrive: [null] };

  const run = await replay(sweep, { input: {}, activities });

  const drained = run.steps.flatMap((step) => ("call" in step && step.call === "drainMachine" ? [step.input] : []));
  expect(drained).toEqual([machines[0], machines[1], machines[0]]);
  expect(run.order.at(-1)).toBe("call redrive");
  expect(run.failure).toBeUndefined();
});

it("fails in the open when a machine can never be drained", async () => {
  const activities = { planSweep: [{ drain: machines }], drainMachine: [new Error("broken")] };

  const run = await replay(sweep, { input: {}, activities });

  expect(run.failure).toContain("broken");
});

it("confirms an estate by one activity, tried again while it fails", async () => {
  const activities = { confirmEstateOf: [new Error("its row changed"), null] };

  const run = await replay(confirmEstate, { input: { org: "demo" }, activities });

  expect(run.order).toEqual(["call confirmEstateOf", "sleep 1", "call confirmEstateOf"]);
  expect(run.steps[0]).toEqual({ call: "confirmEstateOf", input: { org: "demo" } });
});
