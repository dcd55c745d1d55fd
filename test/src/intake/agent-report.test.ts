import type { HeartbeatRequest } from "../../../src/contract/agent";
import { AgentReports } from "../../../src/intake/agent-report";
import { WorkIntake } from "../../../src/intake/hand-out-work";
import { AgentSessionTable } from "../../../src/state/agent-session-table";
import { AttemptTable } from "../../../src/state/attempt-table";
import { type JobRow, JobTable } from "../../../src/state/job-table";
import { type MachineRow, MachineTable } from "../../../src/state/machine-table";
import { useTable } from "../../support/azurite";
import { attemptRow, idleMachine, jobRow, organizationRow, sampleJob, sessionRow } from "../../support/sample-rows";

const [machinesTable, sessionsTable, attemptsTable, jobsTable] = [
  useTable("Machines"),
  useTable("AgentSessions"),
  useTable("Attempts"),
  useTable("Jobs"),
];
const machineId = "m000000001";
const lease = { jobId: "j1", attempt: 1, bootId: "boot1" };
const held = { org: "demo", machineId, ...lease };
const succeeded = { outcome: "Succeeded", exitCode: 0, runMs: 1500 } as const;
const stale: [string, object][] = [
  ["boot", { bootId: "boot0" }],
  ["attempt", { attempt: 2 }],
  ["job", { jobId: "j2" }],
  ["machine", { machineId: "m000000002" }],
];

async function setUp(fields: { job?: Partial<JobRow>; machine?: Partial<MachineRow> } = {}) {
  const tables = {
    machines: new MachineTable(machinesTable()),
    sessions: new AgentSessionTable(sessionsTable()),
    attempts: new AttemptTable(attemptsTable()),
    jobs: new JobTable(jobsTable()),
  };
  await tables.machines.insert(idleMachine({ state: "Leased", lease, ...fields.machine }));
  await tables.sessions.insert(sessionRow({ used: false, lastHeartbeatAt: "2020-01-01T00:00:00.000Z" }));
  await tables.attempts.insert(attemptRow({ bootId: "boot1", leasedAt: "2030-01-01T00:00:00.000Z" }));
  await tables.jobs.insert(jobRow({ state: "Starting", attempt: 1, machineId, ...fields.job }));
  const now = async () => ({
    machine: (await tables.machines.find("demo", machineId))?.value,
    session: (await tables.sessions.find("demo", machineId))?.value,
    attempt: (await tables.attempts.find("demo", "j1", 1))?.value,
    job: (await tables.jobs.find("demo", "j1"))?.value,
  });
  return { ...tables, now, reports: new AgentReports(tables), work: new WorkIntake(tables.machines, tables.jobs) };
}

it("notes the start once: the job runs, and a second notice changes nothing", async () => {
  const { reports, now } = await setUp();
  const first = await reports.started(held);
  const { attempt, job } = await now();
  const second = await reports.started(held);

  expect([first, second]).toEqual(["recorded", "recorded"]);
  expect(job?.state).toBe("Running");
  expect((await now()).attempt).toEqual(attempt);
});

it.each(stale)("takes no start of another %s (F42)", async (_what, fields) => {
  const { reports, now } = await setUp();

  expect(await reports.started({ ...held, ...fields })).toBe("stale");
  expect((await now()).job?.state).toBe("Starting");
});

it("writes down the end and frees the machine", async () => {
  const { reports, now } = await setUp();

  expect(await reports.finished(held, succeeded)).toBe("recorded");

  const { attempt, machine } = await now();
  expect(attempt).toMatchObject({ outcome: "Succeeded", exitCode: 0, runMs: 1500 });
  expect(machine).toMatchObject({ state: "Idle", jobsRun: 1 });
  expect(machine?.lease).toBeUndefined();
});

it("answers the same end again with the same, and counts it once (F44)", async () => {
  const { reports, now } = await setUp();
  await reports.finished(held, succeeded);
  const before = await now();

  expect(await reports.finished(held, succeeded)).toBe("recorded");
  expect(await now()).toEqual(before);
});

it("lets the first of two different ends stand (F44 I1)", async () => {
  const { reports, now } = await setUp();
  await reports.finished(held, { outcome: "Failed", exitCode: 3, message: "no", runMs: 1 });

  await reports.finished(held, succeeded);

  expect((await now()).attempt).toMatchObject({ outcome: "Failed", exitCode: 3, message: "no" });
});

it("lets one of two ends stand that come at the same time, and frees the machine once (F44)", async () => {
  const { reports, now } = await setUp();
  const failed = { outcome: "Failed", runMs: 1 } as const;

  await Promise.all([
    reports.finished(held, succeeded),
    reports.finished(held, failed),
    reports.finished(held, succeeded),
  ]);

  const { attempt, machine } = await now();
  expect(["Succeeded", "Failed"]).toContain(attempt?.outcome);
  expect(machine).toMatchObject({ state: "Idle", jobsRun: 1 });
});

it("frees the machine when the first call was cut off after the outcome was written", async () => {
  const { reports, attempts, now } = await setUp();
  const attempt = await attempts.find("demo", "j1", 1);
  if (attempt) await attempts.replace(attempt, { ...attempt.value, outcome: "Succeeded" });

  expect(await reports.finished(held, succeeded)).toBe("recorded");
  expect((await now()).machine?.state).toBe("Idle");
});

it.each(stale)("takes no end of another %s (F42 I2)", async (_what, fields) => {
  const { reports, now } = await setUp();
  const before = await now();

  expect(await reports.finished({ ...held, ...fields }, succeeded)).toBe("stale");
  expect(await now()).toEqual(before);
});

it("takes no end from a machine that was fenced (F41 F42)", async () => {
  const { reports, machines, now } = await setUp();
  const machine = await machines.find("demo", machineId);
  if (machine) {
    const { lease: _taken, ...rest } = machine.value;
    await machines.replace(machine, { ...rest, state: "Failed" });
  }

  expect(await reports.finished(held, succeeded)).toBe("stale");
  expect((await now()).attempt?.outcome).toBeUndefined();
});

it("does not free a machine that has gone on to another job", async () => {
  const { reports, machines, now } = await setUp();
  await reports.finished(held, succeeded);
  const next = { ...lease, jobId: "j2" };
  const machine = await machines.find("demo", machineId);
  if (machine) await machines.replace(machine, { ...machine.value, state: "Leased", lease: next });

  await reports.finished(held, succeeded);

  expect((await now()).machine).toMatchObject({ state: "Leased", lease: next });
});

const beat: HeartbeatRequest = { org: "demo", machineId, bootId: "boot1", session: "s", containers: 1, sshSessions: 0 };

async function heartbeat(world: Awaited<ReturnType<typeof setUp>>, fields: Partial<HeartbeatRequest>) {
  const session = await world.sessions.find("demo", machineId);
  if (!session) throw new Error("no session");
  return world.reports.heartbeat(session, { ...beat, ...fields });
}

it("remembers a heartbeat, and forgets a GPU use that is no longer told", async () => {
  const world = await setUp();
  await heartbeat(world, { gpuUtilizationPercent: 80 });
  const first = (await world.now()).session;
  await heartbeat(world, { containers: 0 });
  const second = (await world.now()).session;

  expect(first).toMatchObject({ gpuUtilizationPercent: 80, containers: 1 });
  expect(Date.parse(first?.lastHeartbeatAt ?? "")).toBeGreaterThan(Date.now() - 60_000);
  expect(second?.gpuUtilizationPercent).toBeUndefined();
  expect(second?.containers).toBe(0);
});

it.each([
  [false, { jobId: "j1", attempt: 1 }, { outcome: "recorded", cancel: false }],
  [true, { jobId: "j1", attempt: 1 }, { outcome: "recorded", cancel: true }],
  [true, {}, { outcome: "recorded", cancel: false }],
  [true, { jobId: "j1", attempt: 2 }, { outcome: "stale", cancel: false }],
  [true, { jobId: "j1", attempt: 1, bootId: "boot0" }, { outcome: "stale", cancel: false }],
])("cancel requested: %s, heartbeat with %j: %j", async (cancelRequested, fields, expected) => {
  const world = await setUp({ job: { cancelRequested } });

  expect(await heartbeat(world, fields)).toEqual(expected);
});

it("hands out the work of a lease, again and again, with its volumes and logs in the data account", async () => {
  const spec = sampleJob({ command: ["a"], env: { A: "1" }, maxDurationMinutes: 2 });
  const { work } = await setUp({ job: { spec } });
  const organization = organizationRow({ dataBlobEndpoint: "https://a.blob.core.windows.net/" });

  const [first, second] = [await work.find(organization, beat), await work.find(organization, beat)];

  expect(second).toEqual(first);
  expect(first).toMatchObject({
    drain: false,
    work: {
      jobId: "j1",
      attempt: 1,
      command: ["a"],
      env: { A: "1" },
      maxDurationSeconds: 120,
      volumes: [{ name: "artifacts", url: "https://a.blob.core.windows.net/artifacts" }],
    },
  });
  expect(first.work?.logsUrl).toMatch(/^https:\/\/a\.blob\.core\.windows\.net\/artifacts\//);
});

it.each<[string, { job?: Partial<JobRow>; machine?: Partial<MachineRow> }, object, object]>([
  ["drain for a machine that is to go", { machine: { state: "Draining" } }, {}, { drain: true }],
  ["drain for a machine that has no row", {}, { machineId: "m000000009" }, { drain: true }],
  ["nothing for another boot", {}, { bootId: "boot0" }, { drain: false }],
  ["nothing before the job's row says so", { job: { state: "Placing" } }, {}, { drain: false }],
  ["nothing for a job that has a later attempt", { job: { attempt: 2 } }, {}, { drain: false }],
])("hands out %s", async (...[_what, fields, request, expected]) => {
  const { work } = await setUp(fields);

  expect(await work.find(organizationRow(), { ...beat, ...request })).toEqual(expected);
});

it("names no place for data where the organization has none", async () => {
  const { work } = await setUp();

  const { work: given } = await work.find(organizationRow(), beat);

  expect(given?.logsUrl).toBeUndefined();
  expect(given?.volumes).toEqual([{ name: "artifacts", path: "/data", access: "read-write" }]);
});
