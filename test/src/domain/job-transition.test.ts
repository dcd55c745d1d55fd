import { placingJob, startingJob, unplacedJob, waitedMsOf } from "../../../src/domain/job-transition";

const now = new Date("2030-01-01T12:00:00Z");
const queued = {
  state: "Queued",
  attempt: 1,
  waitingFor: "quota",
  queuedAt: "2030-01-01T11:59:00.000Z",
  waitedMs: 500,
  kept: 1,
};
const placing = {
  state: "Placing",
  attempt: 2,
  machineId: "m1",
  queuedAt: "2030-01-01T11:59:00.000Z",
  waitedMs: 500,
  kept: 1,
};

it("gives a queued job its next attempt when it is placed", () => {
  expect(placingJob(queued, "m1")).toEqual({ ...placing });
});

it("keeps the attempt of a job that changes the machine it waits for", () => {
  expect(placingJob(placing, "m2")).toEqual({ ...placing, machineId: "m2" });
});

it("takes back the attempt of a placed job that no VM ran for", () => {
  const { machineId: _gone, ...rest } = placing;

  expect(unplacedJob(placing, "capacity")).toEqual({ ...rest, state: "Queued", attempt: 1, waitingFor: "capacity" });
});

it("changes only the reason of a job that waits already", () => {
  expect(unplacedJob(queued, "limit machines")).toEqual({ ...queued, waitingFor: "limit machines" });
});

it.each([
  [queued, 2],
  [placing, 2],
])("adds the wait to what was waited before when a job starts", (job, attempt) => {
  const { waitingFor: _over, ...rest } = { waitingFor: undefined, ...job };

  expect(startingJob(job, "m1", now)).toEqual({
    ...rest,
    state: "Starting",
    machineId: "m1",
    attempt,
    waitedMs: 60_500,
  });
});

it.each([
  ["Queued", 60_500],
  ["Placing", 60_500],
  ["Starting", 500],
  ["Running", 500],
])("a job that is %s has waited %i ms", (state, waited) => {
  expect(waitedMsOf({ ...queued, state }, now)).toBe(waited);
});
