import { readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { eventually } from "../../local/vm/test-fleet";
import { SLEEPS, openAgentOnVm, reportOf, type AgentOnVm } from "./agent-on-vm";
import { job, type FakeService } from "./fake-service";

let on: AgentOnVm;
let service: FakeService;
beforeEach(async () => {
  on = await openAgentOnVm();
  service = on.service;
});
afterEach(() => on.close());

it("goes on with a running container after a restart and renews its session", async () => {
  const command = [
    "node",
    "-e",
    "console.log('first'); setTimeout(() => { console.log('last'); process.exit(4); }, 1500)",
  ];
  service.jobs.push(job("j1", { command, env: { TOKEN: "secret-value" } }));
  await on.powerOn();
  await service.heard("notice");
  const stored = readFileSync(join(on.member().folder, "state", "attempt.json"), "utf8");

  await on.killAgent();
  const again = await service.heard("register", ({ session }) => session === "session-1");
  const finish = await service.heard("finish");

  expect(again.body).toMatchObject({ bootId: "boot-1" });
  expect(again.body["bootNonce"]).toBeUndefined();
  expect(reportOf(finish)).toMatchObject({ outcome: "Failed", exitCode: 4 });
  expect(on.logOf("j1")).toBe("first\nlast\n");
  expect(stored).not.toContain("secret-value");
});

it("reports a container that vanished while the agent was away", async () => {
  service.jobs.push(job("j1", { command: SLEEPS }));
  await on.powerOn();
  await service.heard("notice");
  const container = join(on.member().folder, "containers", "corral-j1-1");
  const pid = Number(readFileSync(join(container, "pid"), "utf8"));

  const agentPid = await eventually(() => on.member().agentPid);
  process.kill(-agentPid, "SIGSTOP");
  process.kill(-pid, "SIGKILL");
  rmSync(container, { recursive: true });
  process.kill(-agentPid, "SIGKILL");
  const finish = await service.heard("finish");

  expect(reportOf(finish)).toMatchObject({ outcome: "Failed", message: "the container is gone" });
});

it("sends a stored report after a restart", async () => {
  service.interfere = ({ operation }) =>
    operation === "finish" ? { status: 503, code: "ServiceUnavailable" } : undefined;
  service.jobs.push(job("j1", { command: ["node", "-e", "process.exit(3)"] }));
  await on.powerOn();
  const first = await service.heard("finish");

  await on.killAgent();
  service.calls.length = 0;
  service.interfere = () => undefined;
  const second = await service.heard("finish");

  expect(second.body).toEqual(first.body);
});

it("does not claim its lease after a reboot, and forgets the attempt", async () => {
  service.jobs.push(job("j1", { command: SLEEPS }));
  await on.powerOn();
  await service.heard("notice");
  await on.vms.fleet.powerOff(on.member().resourceId, { discardDisk: false });
  service.calls.length = 0;
  service.bootId = "boot-2";

  service.jobs.push(job("j2"));
  await on.powerOn();
  const register = await service.heard("register");
  await service.heard("finish", ({ jobId }) => jobId === "j2");

  expect(register.body).toMatchObject({ session: "session-1" });
  expect(register.body["bootId"]).toBeUndefined();
  expect(service.calls.filter(({ body }) => body["jobId"] === "j1")).toEqual([]);
});

it("asks for a new token once when the service refuses the old one", async () => {
  let refusals = 0;
  service.interfere = ({ operation }) =>
    operation === "register" && refusals++ === 0 ? { status: 401, code: "Unauthorized" } : undefined;

  await on.powerOn();
  await service.heard("work");

  expect(service.calls.filter(({ operation }) => operation === "register")).toHaveLength(2);
});

it("registers again when its session has become stale", async () => {
  let stale = true;
  service.interfere = ({ operation }) =>
    operation === "work" && stale ? { status: 409, code: "StaleLease" } : undefined;
  await on.powerOn();
  await service.heard("work");

  await service.heard("register", ({ session }) => session === "session-1");
  stale = false;
  service.jobs.push(job("j1"));

  expect(reportOf(await service.heard("finish"))).toMatchObject({ outcome: "Succeeded" });
});
