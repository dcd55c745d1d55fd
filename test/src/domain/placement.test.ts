import {
  compareWaiting,
  fits,
  type AvailableMachine,
  type Offering,
  planPlacement,
  type PlacementInput,
  type WaitingJob,
} from "../../../src/domain/placement";

const offering = (vmSize: string, capacity: Offering["capacity"] = "spot", location = "westeurope"): Offering => ({
  subscriptionId: "s1",
  location,
  vmSize,
  capacity,
});
const T4 = "Standard_NC4as_T4_v3";
const T4_BIG = "Standard_NC8as_T4_v3";
const A100 = "Standard_NC24ads_A100_v4";

type JobFields = Partial<Omit<WaitingJob, "needs">> & { readonly needs?: Partial<WaitingJob["needs"]> };

const job = (jobId: string, { needs, ...fields }: JobFields = {}): WaitingJob => ({
  jobId,
  state: "Queued",
  priority: 0,
  queuedAt: "2030-01-01T00:00:00.000Z",
  onDemandOnly: false,
  ...fields,
  needs: { gpus: 1, capacity: "spot-then-on-demand", ...needs },
});

const machine = (
  machineId: string,
  state: AvailableMachine["state"],
  of: Offering = offering(T4),
): AvailableMachine => ({
  machineId,
  state,
  offering: of,
});

function plan(input: Partial<PlacementInput>): ReturnType<typeof planPlacement> {
  return planPlacement({
    subscriptionId: "s1",
    locations: ["westeurope"],
    jobs: [job("j1")],
    machines: [],
    machinesLeft: 10,
    runningJobsLeft: 10,
    blocked: [],
    coresLeft: () => undefined,
    ...input,
  });
}

const blockedT4 = (capacity: Offering["capacity"]) => ({
  location: "westeurope",
  vmSize: T4,
  capacity,
  reason: `no ${capacity}`,
});

it("takes an idle machine before one that is on its way, and that before a new one", () => {
  const idle = machine("m-idle", "Idle");
  const booting = machine("m-boot", "Booting");
  const creating = machine("m-new", "Creating");

  expect(plan({ machines: [creating, booting, idle] })).toEqual([{ kind: "lease", jobId: "j1", machineId: "m-idle" }]);
  expect(plan({ machines: [creating, booting] })).toEqual([{ kind: "await", jobId: "j1", machineId: "m-boot" }]);
  expect(plan({ machines: [creating] })).toEqual([{ kind: "await", jobId: "j1", machineId: "m-new" }]);
  expect(plan({})).toEqual([{ kind: "create", jobId: "j1", offering: offering(T4) }]);
});

it("leaves a job its own machine as long as it is free, so that plans are stable", () => {
  const machines = [machine("m1", "Booting"), machine("m2", "Creating")];

  expect(plan({ machines, jobs: [job("j1", { state: "Placing", machineId: "m2" })] })).toEqual([
    { kind: "await", jobId: "j1", machineId: "m2" },
  ]);
});

it("gives a machine that was made for one job to another of higher priority", () => {
  const owner = job("owner", { state: "Placing", machineId: "m1" });

  expect(plan({ machines: [machine("m1", "Idle")], jobs: [owner, job("urgent", { priority: 1 })] })).toEqual([
    { kind: "lease", jobId: "urgent", machineId: "m1" },
    { kind: "create", jobId: "owner", offering: offering(T4) },
  ]);
});

it("takes the cheapest of the idle machines that fit, and an unknown size never", () => {
  const machines = [
    machine("m-a100", "Idle", offering(A100)),
    machine("m-odd", "Idle", offering("Standard_Unknown")),
    machine("m-t4", "Idle", offering(T4_BIG)),
  ];

  expect(plan({ machines })).toEqual([{ kind: "lease", jobId: "j1", machineId: "m-t4" }]);
});

it.each<[string, JobFields, Offering]>([
  ["the cheapest at all", {}, offering(T4)],
  ["spot only", { needs: { capacity: "spot", gpuTypes: ["A100"] } }, offering(A100)],
  ["on-demand only", { needs: { capacity: "on-demand" } }, offering(T4, "on-demand")],
  ["on-demand after evictions", { onDemandOnly: true }, offering(T4, "on-demand")],
  ["spot for one who insists", { onDemandOnly: true, needs: { capacity: "spot" } }, offering(T4)],
  ["four GPUs", { needs: { gpus: 4 } }, offering("Standard_NC64as_T4_v3")],
  ["a named size", { needs: { vmSizes: [A100] } }, offering(A100)],
  ["no GPU", { needs: { gpus: 0 } }, offering(T4)],
  ["a type among several", { needs: { gpuTypes: ["A100", "H100"] } }, offering(A100)],
])("buys %s", (_what, fields, expected) => {
  expect(plan({ jobs: [job("j1", fields)] })).toEqual([{ kind: "create", jobId: "j1", offering: expected }]);
});

it("prefers the first location at equal prices, and goes where the job wants", () => {
  const locations = ["northeurope", "westeurope"];

  expect(plan({ locations })).toMatchObject([{ offering: { location: "northeurope" } }]);
  expect(plan({ locations, jobs: [job("j1", { needs: { locations: ["westeurope"] } })] })).toMatchObject([
    { offering: { location: "westeurope" } },
  ]);
});

it.each([
  { maxPricePerHour: 0.063, kind: "create" },
  { maxPricePerHour: 0.0629, kind: "wait" },
])("$kind: the cheapest costs 0.063 and the job pays $maxPricePerHour", ({ maxPricePerHour, kind }) => {
  expect(plan({ jobs: [job("j1", { needs: { maxPricePerHour } })] })).toMatchObject([{ kind }]);
});

it("passes over what was refused lately, in favour of the next cheapest (F32)", () => {
  const needs = { vmSizes: [T4] };

  expect(plan({ blocked: [blockedT4("spot")] })).toMatchObject([{ offering: offering(T4_BIG) }]);
  expect(plan({ blocked: [blockedT4("spot")], jobs: [job("j1", { needs })] })).toMatchObject([
    { offering: offering(T4, "on-demand") },
  ]);
  expect(plan({ blocked: [blockedT4("spot"), blockedT4("on-demand")], jobs: [job("j1", { needs })] })).toEqual([
    { kind: "wait", jobId: "j1", waitingFor: "no spot" },
  ]);
});

it("does not take a refusal in one location for one in another", () => {
  const blocked = [{ ...blockedT4("spot"), location: "northeurope" }];

  expect(plan({ blocked })).toMatchObject([{ offering: offering(T4) }]);
});

it.each([
  { row: "lowPriorityCores", capacity: "spot", left: 4, kind: "create" },
  { row: "lowPriorityCores", capacity: "spot", left: 3, kind: "wait" },
  { row: "StandardNCASv3_T4Family", capacity: "on-demand", left: 4, kind: "create" },
  { row: "StandardNCASv3_T4Family", capacity: "on-demand", left: 3, kind: "wait" },
  { row: "cores", capacity: "on-demand", left: 3, kind: "wait" },
] as const)("$kind: $left cores left in $row for 4 cores $capacity (F33)", ({ row, capacity, left, kind }) => {
  const jobs = [job("j1", { needs: { vmSizes: [T4], capacity } })];

  expect(plan({ jobs, coresLeft: (_location, asked) => (asked === row ? left : undefined) })).toMatchObject([{ kind }]);
});

it("says which quota a job waits for, and how much it needs", () => {
  const jobs = [job("j1", { needs: { vmSizes: [T4], capacity: "spot" } })];

  expect(plan({ jobs, coresLeft: () => 0 })).toEqual([
    { kind: "wait", jobId: "j1", waitingFor: "quota lowPriorityCores in westeurope (needs 4 cores)" },
  ]);
});

it("counts what it has planned already against the quota", () => {
  const jobs = ["j1", "j2", "j3"].map((id) => job(id, { needs: { vmSizes: [T4], capacity: "spot" } }));

  expect(plan({ jobs, coresLeft: () => 8 }).map(({ kind }) => kind)).toEqual(["create", "create", "wait"]);
});

it.each([
  { machinesLeft: 1, kinds: ["create", "wait"], waitingFor: "limit machines" },
  { machinesLeft: -1, kinds: ["wait", "wait"], waitingFor: "limit machines" },
])("creates no more machines than are left: $machinesLeft", ({ machinesLeft, kinds, waitingFor }) => {
  const decisions = plan({ jobs: [job("j1"), job("j2")], machinesLeft });

  expect(decisions.map(({ kind }) => kind)).toEqual(kinds);
  expect(decisions.at(-1)).toMatchObject({ waitingFor });
});

it("buys or awaits no machine for a job that may not run yet", () => {
  const jobs = [job("j1"), job("j2"), job("j3")];
  const waits = { kind: "wait", waitingFor: "limit runningJobs" };

  expect(plan({ jobs, runningJobsLeft: 1 })).toMatchObject([{ kind: "create" }, waits, waits]);
  expect(plan({ jobs, runningJobsLeft: 2, machines: [machine("m1", "Idle"), machine("m2", "Booting")] })).toMatchObject(
    [{ kind: "lease" }, { kind: "await" }, waits],
  );
  expect(plan({ jobs, runningJobsLeft: 0, machines: [machine("m1", "Idle")] })).toMatchObject([waits, waits, waits]);
});

it("says that nothing on sale fits", () => {
  expect(plan({ jobs: [job("j1", { needs: { gpus: 64 } })] })).toEqual([
    {
      kind: "wait",
      jobId: "j1",
      waitingFor: "no VM size fits gpus, gpuTypes, vmSizes, locations, capacity and maxPricePerHour",
    },
  ]);
});

it("serves by priority, then by age, then by id", () => {
  const jobs = [
    job("late", { queuedAt: "2030-01-01T00:00:01.000Z" }),
    job("b"),
    job("a"),
    job("a"),
    job("urgent", { priority: 5, queuedAt: "2030-01-02T00:00:00.000Z" }),
  ];

  expect([...jobs].sort(compareWaiting).map(({ jobId }) => jobId)).toEqual(["urgent", "a", "a", "b", "late"]);
  expect(plan({ jobs, machines: [machine("m1", "Idle")] })[0]).toMatchObject({ kind: "lease", jobId: "urgent" });
});

it("does not let a job run on a machine of a size that is not known", () => {
  expect(fits(offering("Standard_Unknown"), job("j1"))).toBe(false);
});
