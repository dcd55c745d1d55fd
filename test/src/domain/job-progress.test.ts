import type { MachineState } from "../../../src/contract/machine";
import { decideJob, type JobFacts } from "../../../src/domain/job-progress";

const now = new Date("2030-01-01T12:00:00Z");
const before = (seconds: number): string => new Date(now.getTime() - seconds * 1000).toISOString();
const SILENT_SECONDS = 90;
const lease = { jobId: "j1", attempt: 2, bootId: "b1" };

function decide(job: Partial<JobFacts["job"]>, facts: Omit<JobFacts, "job"> = {}): ReturnType<typeof decideJob> {
  const usual: JobFacts["job"] = {
    state: "Queued",
    jobId: "j1",
    attempt: 2,
    queuedAt: before(0),
    waitedMs: 0,
    queueDeadlineMinutes: 60,
    cancelRequested: false,
  };
  return decideJob({ job: { ...usual, ...job }, ...facts }, SILENT_SECONDS, now);
}

const running = (facts: Omit<JobFacts, "job"> = {}) =>
  decide(
    { state: "Running" },
    { attempt: { bootId: "b1" }, machine: { state: "Leased", lease }, heardAt: before(0), ...facts },
  );

it.each(["Succeeded", "Failed", "Cancelled", "Expired"] as const)("does nothing about a job that is %s", (state) => {
  expect(decide({ state, cancelRequested: true })).toEqual({ kind: "ended" });
});

it.each([
  { waitedMs: 0, seconds: 3599.999, kind: "wait" },
  { waitedMs: 0, seconds: 3600, kind: "expire" },
  { waitedMs: 3_000_000, seconds: 599.999, kind: "wait" },
  { waitedMs: 3_000_000, seconds: 600, kind: "expire" },
])("$kind: waits $seconds s now and had waited $waitedMs ms, of an hour", ({ waitedMs, seconds, kind }) => {
  expect(decide({ waitedMs, queuedAt: before(seconds) }).kind).toBe(kind);
  expect(decide({ waitedMs, queuedAt: before(seconds), state: "Placing" }).kind).toBe(kind);
});

it("looks again when the deadline comes, at the latest after a quarter of an hour", () => {
  expect(decide({ queuedAt: before(3590) })).toEqual({ kind: "wait", seconds: 10 });
  expect(decide({})).toEqual({ kind: "wait", seconds: 900 });
});

it.each(["Queued", "Placing"] as const)("cancels a job that is %s, also when its deadline has passed", (state) => {
  expect(decide({ state, cancelRequested: true, queuedAt: before(9999) })).toEqual({ kind: "cancel" });
});

it.each<MachineState>(["Draining", "Deallocated", "Deleting", "Deleted", "Failed", "Evicted"])(
  "lets go of a machine that is %s",
  (state) => {
    expect(decide({ state: "Placing" }, { machine: { state } })).toEqual({
      kind: "unplace",
      reason: `the machine is ${state}`,
    });
    expect(decide({ state: "Queued" }, { machine: { state } }).kind).toBe("wait");
  },
);

it.each<MachineState>(["Creating", "Booting", "Idle", "Leased"])("waits for a machine that is %s", (state) => {
  expect(decide({ state: "Placing" }, { machine: { state } }).kind).toBe("wait");
});

it("counts a boot failure as an attempt, a refusal of capacity not", () => {
  const failed = (kind: "capacity" | "boot" | "lost") =>
    decide({ state: "Placing" }, { machine: { state: "Failed", failure: { kind, reason: "why" } } });

  expect(failed("boot")).toEqual({ kind: "end-attempt", outcome: "BootFailed" });
  expect(failed("capacity")).toEqual({ kind: "unplace", reason: "why" });
  expect(failed("lost")).toEqual({ kind: "unplace", reason: "why" });
});

it("ends the attempt as the agent said, whatever the machine is by now", () => {
  expect(running({ attempt: { outcome: "Succeeded", bootId: "b1" }, machine: undefined })).toEqual({
    kind: "end-attempt",
    outcome: "Succeeded",
  });
});

it.each<[string, JobFacts["machine"]]>([
  ["the machine is gone", undefined],
  ["the lease is gone", { state: "Idle" }],
  ["the lease is another job's", { state: "Leased", lease: { ...lease, jobId: "j2" } }],
  ["the lease is another attempt's", { state: "Leased", lease: { ...lease, attempt: 1 } }],
  ["the lease is another boot's", { state: "Leased", lease: { ...lease, bootId: "b0" } }],
])("calls an attempt lost when %s (I2)", (_why, machine) => {
  expect(running({ machine })).toEqual({ kind: "end-attempt", outcome: "Lost" });
});

it("calls an attempt evicted when its machine was", () => {
  expect(running({ machine: { state: "Evicted" } })).toEqual({ kind: "end-attempt", outcome: "Evicted" });
});

it.each([
  { seconds: 89.999, kind: "wait" },
  { seconds: 90, kind: "end-attempt" },
])("$kind: not heard for $seconds s (F41)", ({ seconds, kind }) => {
  expect(running({ heardAt: before(seconds) }).kind).toBe(kind);
});

it("looks again when the silence would be too long, at the earliest after a second", () => {
  expect(running({ heardAt: before(30) })).toEqual({ kind: "wait", seconds: 60 });
  expect(running({ heardAt: before(89.9) })).toEqual({ kind: "wait", seconds: 1 });
  expect(running({ heardAt: undefined })).toEqual({ kind: "wait", seconds: 90 });
});

it("leaves the cancelling of what runs to the agent's next heartbeat", () => {
  const facts = { attempt: { bootId: "b1" }, machine: { state: "Leased", lease }, heardAt: before(0) } as const;

  expect(decide({ state: "Starting", cancelRequested: true }, facts).kind).toBe("wait");
});
