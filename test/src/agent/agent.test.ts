import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { processesOf } from "../../../local/vm/processes";
import { eventually, gpuVm } from "../../local/vm/test-fleet";
import { IGNORES_TERM, SLEEPS, openAgentOnVm, reportOf, type AgentOnVm } from "./agent-on-vm";
import { job, type FakeService } from "./fake-service";

let on: AgentOnVm;
let service: FakeService;
beforeEach(async () => {
  on = await openAgentOnVm();
  service = on.service;
});
afterEach(() => on.close());

it("registers with the nonce and a token of the machine identity for the service", async () => {
  await on.powerOn();

  const call = await service.heard("register");

  expect(call.authorization).toBe("Bearer client-machine for api://corral");
  expect(call.body).toMatchObject({
    org: "contoso",
    machineId: "machine001",
    bootNonce: "nonce-1",
    vmId: gpuVm("x").vmId,
  });
});

it("runs a job, says that it started, and reports its success", async () => {
  service.jobs.push(
    job("j1", { command: ["node", "-e", "console.log('hello ' + process.env.WHO)"], env: { WHO: "gpu" } }),
  );
  await on.powerOn();

  const started = await service.heard("notice");
  const finish = await service.heard("finish");

  expect(started.body).toMatchObject({
    kind: "started",
    jobId: "j1",
    attempt: 1,
    bootId: "boot-1",
    session: "session-1",
  });
  expect(reportOf(finish)).toEqual({ outcome: "Succeeded", exitCode: 0, runMs: expect.any(Number) as number });
  expect(on.logOf("j1")).toBe("hello gpu\n");
});

it("runs the next job when one is acknowledged, and leaves nothing of the first but its log", async () => {
  service.jobs.push(job("j1", { volumes: [{ name: "data", path: "/data", access: "read-write" }] }), job("j2"));
  await on.powerOn();

  await service.heard("finish", ({ jobId }) => jobId === "j2");

  const { folder } = on.member();
  await eventually(() => readdirSync(join(folder, "containers")).length === 0);
  await eventually(() => readdirSync(join(folder, "state", "volumes")).length === 0);
  await eventually(() => !existsSync(join(folder, "state", "attempt.json")));
});

it.each([
  {
    what: "its exit code",
    change: { command: ["node", "-e", "process.exit(3)"] },
    report: { outcome: "Failed", exitCode: 3 },
  },
  {
    what: "a program that is not there",
    change: { command: ["no-such-program"] },
    report: { outcome: "Failed", exitCode: 127 },
  },
  {
    what: "an unknown image",
    change: { image: "contoso.azurecr.io/train:does-not-exist" },
    report: { outcome: "ImageError" },
  },
  {
    what: "a registry that throttles for good",
    change: { image: "contoso.azurecr.io/throttled" },
    report: { outcome: "ImageError" },
  },
  { what: "an option in place of an image", change: { image: "--privileged" }, report: { outcome: "ImageError" } },
  {
    what: "a volume path with a colon",
    change: { volumes: [{ name: "v", path: "/d:/etc", access: "read" as const }] },
    report: { outcome: "VolumeError" },
  },
  {
    what: "a full disk",
    change: { command: ["sh", "-c", "echo 'No space left on device' >&2; exit 1"] },
    report: { outcome: "DiskFull", exitCode: 1 },
  },
  {
    what: "a run that takes too long",
    change: { command: SLEEPS, maxDurationSeconds: 1 },
    report: { outcome: "TimedOut" },
  },
])("reports $what", async ({ change, report }) => {
  service.jobs.push(job("j1", change));
  await on.powerOn();

  const finish = await service.heard("finish");

  expect(reportOf(finish)).toMatchObject(report);
});

it("kills a program that outlasts the grace time after a cancel", async () => {
  service.jobs.push(job("j1", { command: IGNORES_TERM }));
  await on.powerOn();
  await service.heard("notice");

  service.cancel = true;
  const finish = await service.heard("finish");

  expect(reportOf(finish)).toMatchObject({ outcome: "Cancelled", exitCode: 137 });
});

it("kills the container and says nothing more about it when its lease is stale", async () => {
  service.jobs.push(job("j1", { command: IGNORES_TERM }));
  await on.powerOn();
  await service.heard("notice");
  service.interfere = ({ operation, body }) =>
    operation === "heartbeat" && body["jobId"] === "j1" ? { status: 409, code: "StaleLease" } : undefined;

  service.jobs.push(job("j2"));
  await service.heard("finish", ({ jobId }) => jobId === "j2");

  expect(service.calls.filter(({ operation, body }) => operation === "finish" && body["jobId"] === "j1")).toEqual([]);
});

it("repeats the same report until the service has taken it, also when only the answer was lost", async () => {
  let answers = 0;
  service.interfere = ({ operation }) => {
    if (operation !== "finish") return undefined;
    answers += 1;
    if (answers === 4) return "drop-after";
    return answers < 4 ? { status: 503, code: "ServiceUnavailable" } : undefined;
  };
  service.jobs.push(job("j1", { command: ["node", "-e", "process.exit(3)"] }), job("j2"));
  await on.powerOn();

  await service.heard("finish", ({ jobId }) => jobId === "j2");

  const reports = service.calls.filter(({ operation, body }) => operation === "finish" && body["jobId"] === "j1");
  expect(reports).toHaveLength(5);
  expect(new Set(reports.map(({ body }) => JSON.stringify(body))).size).toBe(1);
});

it("waits as long as Retry-After says", async () => {
  const times: number[] = [];
  service.interfere = ({ operation }) => {
    if (operation !== "finish") return undefined;
    times.push(Date.now());
    return times.length === 1 ? { status: 429, code: "TooManyRequests", headers: { "retry-after": "1" } } : undefined;
  };
  service.jobs.push(job("j1"), job("j2"));
  await on.powerOn();

  await service.heard("finish", ({ jobId }) => jobId === "j2");

  expect((times[1] ?? 0) - (times[0] ?? 0)).toBeGreaterThanOrEqual(990);
});

it("stops the job and reports an eviction that Scheduled Events announce", async () => {
  service.jobs.push(job("j1", { command: SLEEPS }));
  await on.powerOn();
  await service.heard("notice", ({ kind }) => kind === "started");

  await on.vms.fleet.announcePreemption(on.member().resourceId, 30);
  await service.heard("notice", ({ kind }) => kind === "evicting");
  const finish = await service.heard("finish");

  expect(reportOf(finish)).toMatchObject({ outcome: "Evicted" });
});

it("tells by heartbeats what runs on the machine", async () => {
  service.jobs.push(job("j1", { command: SLEEPS }));
  await on.powerOn();

  const busy = await service.heard(
    "heartbeat",
    ({ containers, gpuUtilizationPercent }) => containers === 1 && gpuUtilizationPercent === 97,
  );
  const idle = service.calls.find(({ operation }) => operation === "heartbeat");

  expect(busy.body).toMatchObject({ jobId: "j1", attempt: 1, sshSessions: 0 });
  expect(idle).toBeDefined();
});

/** None of a process that has ended since it was listed: the agent's calls of `docker` live for some milliseconds. */
function argumentsOf(pid: number): string[] {
  try {
    return [readFileSync(`/proc/${pid}/cmdline`, "utf8")];
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === "ENOENT" || code === "ESRCH") return [];
    throw error;
  }
}

it("keeps a job's secrets out of every process's arguments", async () => {
  const env = { API_KEY: "secret-value", DOCKER_CONFIG: "/data/evil", MULTI: "one\ntwo" };
  service.jobs.push(
    job("j1", {
      command: ["node", "-e", "console.log(JSON.stringify(process.env)); setInterval(() => {}, 1000)"],
      env,
    }),
  );
  await on.powerOn();
  await service.heard("notice");
  await eventually(() => on.logOf("j1").includes("secret-value"));

  const lines = processesOf(on.member().folder).flatMap(argumentsOf);

  expect(lines.length).toBeGreaterThan(1);
  expect(lines.join("")).not.toContain("secret-value");
  expect(JSON.parse(on.logOf("j1"))).toMatchObject(env);
  expect(readdirSync(join(on.member().folder, "state"))).not.toContain("container.env");
});
