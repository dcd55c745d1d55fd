import fc from "fast-check";
import type { MachineState } from "../../../src/contract/machine";
import { decideCleanup, type MachineFacts } from "../../../src/domain/cleanup";

const now = new Date("2030-01-01T12:00:00Z");
const before = (seconds: number): string => new Date(now.getTime() - seconds * 1000).toISOString();
const idle = {
  beforeFirstJobSeconds: 600,
  afterJobSeconds: 300,
  gpuUtilizationPercent: 5,
  windowSeconds: 300,
  maxLifetimeHours: 168,
  onIdle: "delete",
  deallocatedHours: 24,
} as const;
const limits = { idle, silentSeconds: 90 };

function decide(facts: Partial<MachineFacts>): ReturnType<typeof decideCleanup> {
  const usual: MachineFacts = {
    state: "Idle",
    createdAt: before(7200),
    idleSince: before(3600),
    jobsRun: 1,
    lastHeartbeatAt: before(5),
  };
  return decideCleanup({ ...usual, ...facts }, limits, now);
}

it.each([
  { jobsRun: 0, idleSeconds: 599.999, action: "keep" },
  { jobsRun: 0, idleSeconds: 600, action: "drain" },
  { jobsRun: 1, idleSeconds: 299.999, action: "keep" },
  { jobsRun: 1, idleSeconds: 300, action: "drain" },
])("$action: $jobsRun jobs run, idle for $idleSeconds s", ({ jobsRun, idleSeconds, action }) => {
  expect(decide({ jobsRun, idleSince: before(idleSeconds) }).action).toBe(action);
});

it.each([
  { silentSeconds: 90, action: "keep" },
  { silentSeconds: 90.001, action: "replace" },
])("$action: idle for a second and silent for $silentSeconds s", ({ silentSeconds, action }) => {
  expect(decide({ idleSince: before(1), lastHeartbeatAt: before(silentSeconds) }).action).toBe(action);
});

it("takes the moment it became idle for the last sign of a machine that was never heard", () => {
  expect(decide({ idleSince: before(90), lastHeartbeatAt: undefined }).action).toBe("keep");
  expect(decide({ idleSince: before(91), lastHeartbeatAt: undefined }).action).toBe("replace");
});

it.each([
  { hours: 167.999, action: "keep" },
  { hours: 168, action: "drain" },
])("$action: $hours hours old and idle for a second", ({ hours, action }) => {
  expect(decide({ createdAt: before(hours * 3600), idleSince: before(1) }).action).toBe(action);
});

it.each<[Partial<MachineFacts>, string]>([
  [{ containers: 1 }, "keep"],
  [{ containers: 0 }, "drain"],
  [{ sshSessions: 1 }, "keep"],
  [{ sshSessions: 0 }, "drain"],
  [{ gpuUtilizationPercent: 5 }, "keep"],
  [{ gpuUtilizationPercent: 4.9 }, "drain"],
  [{ gpuUtilizationPercent: undefined }, "drain"],
  [{ idleSince: undefined }, "keep"],
])("an idle machine past its limit with %j: %s", (facts, action) => {
  expect(decide(facts).action).toBe(action);
});

const STATES: readonly MachineState[] = [
  ...([
    "Creating",
    "Booting",
    "Leased",
    "Draining",
    "Deallocated",
    "Deleting",
    "Deleted",
    "Failed",
    "Evicted",
  ] as const),
  "Idle",
];
const seconds = fc.integer({ min: -100, max: 10 ** 6 }).map(before);
const facts = fc.record({
  state: fc.constantFrom(...STATES),
  createdAt: seconds,
  idleSince: fc.option(seconds, { nil: undefined }),
  jobsRun: fc.nat(3),
  lastHeartbeatAt: fc.option(seconds, { nil: undefined }),
  gpuUtilizationPercent: fc.option(fc.integer({ min: 0, max: 100 }), { nil: undefined }),
  containers: fc.option(fc.nat(2), { nil: undefined }),
  sshSessions: fc.option(fc.nat(2), { nil: undefined }),
});

it("never takes a machine that is not Idle (I4)", () => {
  fc.assert(
    fc.property(facts, (machine) => {
      fc.pre(machine.state !== "Idle");

      expect(decideCleanup(machine, limits, now).action).toBe("keep");
    }),
  );
});

it("never drains a machine that is younger than its lifetime and has containers or sessions (I4)", () => {
  fc.assert(
    fc.property(facts, (machine) => {
      const isYoung = now.getTime() - Date.parse(machine.createdAt) < idle.maxLifetimeHours * 3_600_000;
      fc.pre(isYoung && (machine.containers ?? 0) + (machine.sshSessions ?? 0) > 0);

      expect(decideCleanup(machine, limits, now).action).not.toBe("drain");
    }),
  );
});

it("gives the reason in words with the limit that was reached", () => {
  expect(decide({})).toEqual({ action: "drain", reason: "idle for 300 s or more" });
  expect(decide({ state: "Leased" })).toEqual({ action: "keep", reason: "state Leased" });
});
