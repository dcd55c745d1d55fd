import { spawn } from "node:child_process";
import { existsSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { MARKER, processesOf } from "../../../local/vm/processes";
import { job, startFakeService, type FakeService } from "../../src/agent/fake-service";
import { eventually, gpuVm, openTestFleet, type TestFleet } from "./test-fleet";

let service: FakeService;
const open: TestFleet[] = [];
beforeEach(async () => {
  service = await startFakeService();
});
afterEach(async () => {
  await Promise.all(open.splice(0).map((fleet) => fleet.close()));
  await service.close();
});

function fleetOf(options: Parameters<typeof openTestFleet>[0] = {}): TestFleet {
  const fleet = openTestFleet(options);
  open.push(fleet);
  return fleet;
}

const machine = (id: string) =>
  gpuVm(`vm-${id}`, { apiUrl: service.url, org: "contoso", machineId: id, bootNonce: "n" });
const SLEEPS = ["node", "-e", "setInterval(() => {}, 1000)"];

it("boots a VM once, with its agent and a metadata service of its own", async () => {
  const { fleet } = fleetOf();

  await Promise.all([
    fleet.powerOn(machine("machine001")),
    fleet.powerOn(machine("machine001")),
    fleet.powerOn(machine("machine002")),
  ]);
  await service.heard("work", ({ machineId }) => machineId === "machine001");
  await service.heard("work", ({ machineId }) => machineId === "machine002");

  const members = fleet.list();
  expect(members.map(({ name, state, agentMode }) => ({ name, state, agentMode }))).toEqual([
    { name: "vm-machine001", state: "running", agentMode: "process" },
    { name: "vm-machine002", state: "running", agentMode: "process" },
  ]);
  expect(new Set(members.map(({ metadataUrl }) => metadataUrl)).size).toBe(2);
});

it("runs jobs in a thread when there are processes enough, and ends them with the VM", async () => {
  const { fleet, folder } = fleetOf({ maxChildProcesses: 0 });
  service.jobs.push(job("j1", { command: ["node", "-e", "process.exit(3)"] }), job("j2", { command: SLEEPS }));
  await fleet.powerOn(machine("machine001"));

  const finish = await service.heard("finish");
  await service.heard("notice", ({ jobId }) => jobId === "j2");
  const modes = fleet.list().map(({ agentMode }) => agentMode);
  await fleet.powerOff(machine("machine001").resourceId, { discardDisk: true });

  expect(finish.body["report"]).toMatchObject({ outcome: "Failed", exitCode: 3 });
  expect(modes).toEqual(["worker"]);
  expect(processesOf(folder)).toEqual([]);
});

it("kills the job with the VM, also what left its process group, and keeps or removes the disk", async () => {
  const { fleet, folder } = fleetOf();
  const escapes =
    "require('child_process').spawn('sleep', ['1000'], { detached: true }).unref(); console.log('up'); setInterval(() => {}, 1000)";
  service.jobs.push(job("j1", { command: ["node", "-e", escapes] }));
  await fleet.powerOn(machine("machine001"));
  await service.heard("notice");
  const log = join(fleet.list()[0]?.folder ?? "", "containers", "corral-j1-1", "output.log");
  await eventually(() => readFileSync(log, "utf8").includes("up"));

  await fleet.powerOff(machine("machine001").resourceId, { discardDisk: false });
  const left = processesOf(folder);
  const kept = existsSync(log);
  await fleet.powerOff(machine("machine001").resourceId, { discardDisk: true });

  expect(left).toEqual([]);
  expect(kept).toBe(true);
  expect(readdirSync(folder)).toEqual([]);
});

it("does not boot a VM that was turned off during its boot", async () => {
  const { fleet, folder } = fleetOf({ bootSeconds: () => 3600 });
  await fleet.powerOn(machine("machine001"));
  const states = fleet.list().map(({ state }) => state);

  await fleet.powerOff(machine("machine001").resourceId, { discardDisk: true });

  expect(states).toEqual(["booting"]);
  expect(fleet.list()).toEqual([]);
  expect(readdirSync(folder)).toEqual([]);
});

it("starts an agent again that has died", async () => {
  const { fleet } = fleetOf();
  await fleet.powerOn(machine("machine001"));
  await service.heard("work");
  const pid = fleet.list()[0]?.agentPid ?? 0;

  process.kill(pid, "SIGKILL");

  await service.heard("register", ({ session }) => session === "session-1");
});

it("turns a VM off that turns itself off, and says so", async () => {
  const { promise, resolve } = Promise.withResolvers<string>();
  const { fleet, folder } = fleetOf({ onGuestPowerOff: resolve });
  await fleet.powerOn(machine("machine001"));
  await service.heard("work");

  spawn(join(fleet.list()[0]?.folder ?? "", "bin", "poweroff"));

  expect(await promise).toBe(machine("machine001").resourceId);
  expect(fleet.list()).toEqual([]);
  expect(processesOf(folder)).toEqual([]);
});

it("ends what an earlier fleet left running, and nothing else", async () => {
  const { folder, fleet: first } = fleetOf();
  await first.powerOn(machine("machine000"));
  const start = (env: Record<string, string>) =>
    spawn(process.execPath, ["-e", "setInterval(() => {}, 1000)"], { env });
  const leftover = start({ [MARKER]: join(folder, "vm-old") });
  const stranger = start({ [MARKER]: `${folder}-other` });
  const { promise: ended, resolve } = Promise.withResolvers<unknown>();
  leftover.once("exit", (_code, signal) => resolve(signal));
  writeFileSync(join(folder, "pid"), String(stranger.pid));

  const second = openTestFleet({ folder });
  await second.fleet.powerOn(machine("machine001"));

  expect(await ended).toBe("SIGKILL");
  expect(stranger.exitCode ?? stranger.signalCode).toBeNull();
  stranger.kill("SIGKILL");
  await second.close();
});

it("leaves a VM without configuration running and says why it has no agent", async () => {
  const { fleet, lines } = fleetOf();

  await fleet.powerOn(gpuVm("vm-bare", "#!/bin/sh\necho hello"));
  await eventually(() => fleet.list()[0]?.state === "running");

  expect(lines.join("\n")).toContain("the custom data holds no configuration");
});
