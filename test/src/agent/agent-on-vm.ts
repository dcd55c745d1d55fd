import { readFileSync } from "node:fs";
import { join } from "node:path";
import type { FleetMember } from "../../../local/vm/fleet";
import { eventually, gpuVm, openTestFleet, type TestFleet } from "../../local/vm/test-fleet";
import { startFakeService, type AgentCall, type FakeService } from "./fake-service";

/** The real agent on a simulated VM, with a service that a test scripts. */
export interface AgentOnVm {
  readonly service: FakeService;
  readonly vms: TestFleet;
  powerOn(): Promise<void>;
  member(): FleetMember;
  logOf(jobId: string): string;
  /** Kills the agent and resolves when its service manager has started it again. */
  killAgent(): Promise<void>;
  close(): Promise<void>;
}

export const SLEEPS = ["node", "-e", "console.log('up'); setInterval(() => {}, 1000)"];
export const IGNORES_TERM = [
  "node",
  "-e",
  "process.on('SIGTERM', () => {}); console.log('up'); setInterval(() => {}, 1000)",
];

export async function openAgentOnVm(): Promise<AgentOnVm> {
  const service = await startFakeService();
  const vms = openTestFleet();
  const member = (): FleetMember => {
    const [only] = vms.fleet.list();
    if (!only) throw new Error("no VM is on");
    return only;
  };
  return {
    service,
    vms,
    member,
    powerOn: () => {
      const config = { apiUrl: service.url, org: "contoso", machineId: "machine001", bootNonce: "nonce-1" };
      return vms.fleet.powerOn(gpuVm("vm-contoso-m1", config));
    },
    logOf: (jobId) => readFileSync(join(member().folder, "state", "logs", `${jobId}-1.log`), "utf8"),
    killAgent: async () => {
      const pid = await eventually(() => member().agentPid);
      process.kill(pid, "SIGKILL");
      await eventually(() => member().agentPid !== pid && member().agentPid);
    },
    close: async () => {
      await vms.close();
      await service.close();
    },
  };
}

export function reportOf(call: AgentCall): Record<string, unknown> {
  return call.body["report"] as Record<string, unknown>;
}
