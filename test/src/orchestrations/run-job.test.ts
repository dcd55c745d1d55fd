import { runJob } from "../../../src/orchestrations/run-job";
import { replay } from "../../support/replay";

const input = { org: "demo", jobId: "j1" };
const waiting = { ended: false, checkInSeconds: 30 };
const ended = { ended: true, checkInSeconds: 0 };

it("ends when the job is over", async () => {
  const run = await replay(runJob, { input, activities: { advanceJob: [ended] } });

  expect(run.steps).toEqual([{ call: "advanceJob", input }]);
  expect(run.failure).toBeUndefined();
  expect(run.continuedAs).toBeUndefined();
});

it("looks again when it is told, and when the time has come", async () => {
  const script = {
    input,
    activities: { advanceJob: [waiting, waiting, ended] },
    waits: ["raised", "timed out"],
  } as const;

  const run = await replay(runJob, script);

  expect(run.order).toEqual(["call advanceJob", "wait 30", "call advanceJob", "wait 30", "call advanceJob"]);
});

it("continues as new with the same input after six looks, so that replays stay short", async () => {
  const run = await replay(runJob, { input, activities: { advanceJob: [waiting] } });

  expect(run.order.filter((step) => step === "call advanceJob")).toHaveLength(6);
  expect(run.continuedAs).toEqual(input);
});

it("tries a failed activity again by durable timers, and fails when its waits are used up", async () => {
  const run = await replay(runJob, { input, activities: { advanceJob: [new Error("table down")] } });

  expect(run.order.filter((step) => step.startsWith("sleep"))).toEqual([
    "sleep 1",
    "sleep 5",
    "sleep 25",
    "sleep 60",
    "sleep 60",
  ]);
  expect(run.order.filter((step) => step === "call advanceJob")).toHaveLength(6);
  expect(run.failure).toContain("table down");
});

it("goes on as if nothing had been when a later try works", async () => {
  const run = await replay(runJob, { input, activities: { advanceJob: [new Error("once"), ended] } });

  expect(run.order).toEqual(["call advanceJob", "sleep 1", "call advanceJob"]);
  expect(run.failure).toBeUndefined();
});

it("never waits a negative time", async () => {
  const overdue = { ended: false, checkInSeconds: -5 };

  const run = await replay(runJob, { input, activities: { advanceJob: [overdue, ended] } });

  expect(run.order).toEqual(["call advanceJob", "wait 0", "call advanceJob"]);
});
