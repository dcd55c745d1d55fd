import fc from "fast-check";
import { GPU_SIZES, gpuSizeOf } from "../../../src/domain/gpu-sizes";
import {
  type AvailableMachine,
  fits,
  type Offering,
  planPlacement,
  type PlacementDecision,
  type PlacementInput,
  quotaRowsOf,
  type WaitingJob,
} from "../../../src/domain/placement";

const LOCATIONS = ["westeurope", "northeurope"];
const capacity = fc.constantFrom<Offering["capacity"]>("spot", "on-demand");
const location = fc.constantFrom(...LOCATIONS);
const vmSize = fc.constantFrom(...GPU_SIZES.map((size) => size.vmSize));
const offering = fc.record({ subscriptionId: fc.constant("s1"), location, vmSize, capacity });

const needs = fc.record({
  gpus: fc.integer({ min: 0, max: 4 }),
  capacity: fc.constantFrom("spot", "on-demand", "spot-then-on-demand"),
  gpuTypes: fc.option(fc.constantFrom(["T4" as const], ["A100" as const, "H100" as const]), { nil: undefined }),
  vmSizes: fc.option(fc.array(vmSize, { minLength: 1, maxLength: 3 }), { nil: undefined }),
  locations: fc.option(fc.constant(["northeurope"]), { nil: undefined }),
  maxPricePerHour: fc.option(fc.double({ min: 0.05, max: 40, noNaN: true }), { nil: undefined }),
}) as fc.Arbitrary<WaitingJob["needs"]>;

const jobs: fc.Arbitrary<WaitingJob[]> = fc.uniqueArray(
  fc.record({
    jobId: fc.integer({ min: 0, max: 99 }).map((id) => `j${id}`),
    state: fc.constantFrom<WaitingJob["state"]>("Queued", "Placing"),
    priority: fc.integer({ min: -2, max: 2 }),
    queuedAt: fc.constantFrom("2030-01-01T00:00:00.000Z", "2030-01-01T00:00:01.000Z"),
    needs,
    onDemandOnly: fc.boolean(),
    machineId: fc.option(
      fc.integer({ min: 0, max: 9 }).map((id) => `m${id}`),
      { nil: undefined },
    ),
  }),
  { selector: ({ jobId }) => jobId, maxLength: 20 },
);

const machines: fc.Arbitrary<AvailableMachine[]> = fc.uniqueArray(
  fc.record({
    machineId: fc.integer({ min: 0, max: 9 }).map((id) => `m${id}`),
    state: fc.constantFrom<AvailableMachine["state"]>("Creating", "Booting", "Idle"),
    offering,
  }),
  { selector: ({ machineId }) => machineId, maxLength: 10 },
);

const input: fc.Arbitrary<PlacementInput> = fc
  .record({
    jobs,
    machines,
    machinesLeft: fc.integer({ min: -1, max: 12 }),
    runningJobsLeft: fc.integer({ min: -1, max: 12 }),
    blocked: fc.array(fc.record({ location, vmSize, capacity, reason: fc.constant("blocked") }), { maxLength: 10 }),
    quota: fc.dictionary(fc.constantFrom("lowPriorityCores", "cores", "StandardNCASv3_T4Family"), fc.nat(200)),
  })
  .map(({ quota, ...rest }) => ({
    ...rest,
    subscriptionId: "s1",
    locations: LOCATIONS,
    coresLeft: (_location: string, row: string) => quota[row],
  }));

function holds(property: (plan: readonly PlacementDecision[], input: PlacementInput) => void): void {
  fc.assert(
    fc.property(input, (given) => property(planPlacement(given), given)),
    { numRuns: 300 },
  );
}

const created = (plan: readonly PlacementDecision[]): Offering[] =>
  plan.flatMap((decision) => (decision.kind === "create" ? [decision.offering] : []));

it("decides exactly once about every waiting job (I1)", () => {
  holds((plan, given) => {
    expect(plan.map(({ jobId }) => jobId).sort()).toEqual(given.jobs.map(({ jobId }) => jobId).sort());
  });
});

it("never gives one machine to two jobs (I2)", () => {
  holds((plan) => {
    const given = plan.flatMap((decision) => ("machineId" in decision ? [decision.machineId] : []));

    expect(new Set(given).size).toBe(given.length);
  });
});

it("leases only idle machines, awaits only coming ones, and only those that fit", () => {
  holds((plan, given) => {
    for (const decision of plan) {
      if (!("machineId" in decision)) continue;
      const machine = given.machines.find(({ machineId }) => machineId === decision.machineId);
      const job = given.jobs.find(({ jobId }) => jobId === decision.jobId);

      expect(machine?.state === "Idle").toBe(decision.kind === "lease");
      expect(machine && job && fits(machine.offering, job)).toBe(true);
    }
  });
});

it("never plans more cores than are left in any row of the quota (I10)", () => {
  holds((plan, given) => {
    const planned = new Map<string, number>();
    for (const { location: at, vmSize: name, capacity: terms } of created(plan)) {
      const size = gpuSizeOf(name);
      for (const row of size ? quotaRowsOf(size, terms) : [])
        planned.set(`${at}/${row}`, (planned.get(`${at}/${row}`) ?? 0) + (size?.vcpus ?? 0));
    }

    for (const [key, cores] of planned) {
      const [at = "", row = ""] = key.split("/");
      expect(cores).toBeLessThanOrEqual(given.coresLeft(at, row) ?? Number.POSITIVE_INFINITY);
    }
  });
});

it("keeps both limits, and buys nothing that was refused lately (I10)", () => {
  holds((plan, given) => {
    const bought = created(plan);
    const placed = plan.filter(({ kind }) => kind !== "wait");
    const isBlocked = (each: Offering) =>
      given.blocked.some(
        (b) => b.location === each.location && b.vmSize === each.vmSize && b.capacity === each.capacity,
      );

    expect(bought.length).toBeLessThanOrEqual(Math.max(0, given.machinesLeft));
    expect(placed.length).toBeLessThanOrEqual(Math.max(0, given.runningJobsLeft));
    expect(bought.filter(isBlocked)).toEqual([]);
  });
});

it("buys only what fits the job", () => {
  holds((plan, given) => {
    for (const decision of plan) {
      const job = given.jobs.find(({ jobId }) => jobId === decision.jobId);
      if (decision.kind === "create") expect(job && fits(decision.offering, job)).toBe(true);
    }
  });
});
