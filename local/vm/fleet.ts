import { mkdirSync, rmSync } from "node:fs";
import { join, resolve } from "node:path";
import type { HostedVm, Hypervisor, IdentityTokens } from "./hypervisor";
import { Machine, type BootOptions } from "./machine";
import { killProcessesOf } from "./processes";
import { vmFolderOf } from "./vm-folder";

export interface VmFleetOptions {
  /** Holds one folder per VM: its disk. */
  readonly folder: string;
  /** The bundled agent. */
  readonly agentFile: string;
  readonly nodePath: string;
  readonly tokens: IdentityTokens;
  /** The next VM's time from power-on to its agent, after the stack's speed was applied. */
  readonly bootSeconds: () => number;
  readonly caFile?: string | undefined;
  readonly log: (line: string) => void;
  /** Agents above this number run as threads of this process: a process each would be too much for one computer. */
  readonly maxChildProcesses?: number | undefined;
  readonly agentRestartMs?: number | undefined;
  readonly agentEnvironment?: Readonly<Record<string, string>> | undefined;
  /** The compiled Docker stand-in; by default the one beside this file. */
  readonly standInFile?: string | undefined;
  /** A VM has turned itself off; its processes have ended and its disk is kept. */
  readonly onGuestPowerOff?: ((resourceId: string) => void) | undefined;
}

export interface FleetMember {
  readonly resourceId: string;
  readonly name: string;
  readonly state: "booting" | "running";
  readonly agentMode: "process" | "worker" | undefined;
  readonly agentPid: number | undefined;
  readonly metadataUrl: string | undefined;
  readonly folder: string;
}

export interface VmFleet extends Hypervisor {
  list(): FleetMember[];
  close(): Promise<void>;
}

/** The VMs of the simulated cloud: each a folder, a metadata service and the real agent. */
export function createVmFleet(options: VmFleetOptions): VmFleet {
  const folder = resolve(options.folder);
  mkdirSync(folder, { recursive: true });
  const machines = new Map<string, Machine>();
  // What an earlier fleet left running when it was killed.
  const cleaned = killProcessesOf(folder);
  const turnOff = async (resourceId: string): Promise<void> => {
    const machine = machines.get(keyOf(resourceId));
    await machine?.off();
    if (machines.get(keyOf(resourceId)) === machine) machines.delete(keyOf(resourceId));
  };
  return {
    powerOn: async (vm) => {
      await cleaned;
      const key = keyOf(vm.resourceId);
      if (machines.has(key)) return;
      machines.set(
        key,
        new Machine(vm, vmFolderOf(folder, vm.resourceId), machineOptionsOf(vm, options, { machines, turnOff })),
      );
    },
    powerOff: async (resourceId, { discardDisk }) => {
      await cleaned;
      await turnOff(resourceId);
      if (discardDisk) rmSync(vmFolderOf(folder, resourceId).root, { recursive: true, force: true, maxRetries: 5 });
    },
    announcePreemption: (resourceId, noticeSeconds) => {
      machines.get(keyOf(resourceId))?.announcePreemption(noticeSeconds);
      return Promise.resolve();
    },
    list: () => [...machines.values()].map(memberOf),
    close: async () => {
      await cleaned;
      await Promise.all([...machines.values()].map(({ vm }) => turnOff(vm.resourceId)));
      await killProcessesOf(folder);
    },
  };
}

interface FleetParts {
  readonly machines: ReadonlyMap<string, Machine>;
  readonly turnOff: (resourceId: string) => Promise<void>;
}

function machineOptionsOf(vm: HostedVm, options: VmFleetOptions, { machines, turnOff }: FleetParts): BootOptions {
  const {
    nodePath,
    agentFile,
    tokens,
    caFile,
    agentEnvironment,
    log,
    maxChildProcesses = 8,
    agentRestartMs = 1000,
  } = options;
  return {
    nodePath,
    agentFile,
    standInFile: options.standInFile ?? join(__dirname, "docker-stand-in.js"),
    tokens,
    caFile,
    agentEnvironment,
    restartMs: agentRestartMs,
    log,
    bootMs: options.bootSeconds() * 1000,
    chooseMode: () =>
      [...machines.values()].filter(({ agentMode }) => agentMode === "process").length < maxChildProcesses
        ? "process"
        : "worker",
    onGuestPowerOff: () => {
      turnOff(vm.resourceId)
        .then(() => options.onGuestPowerOff?.(vm.resourceId))
        .catch((error: unknown) => log(`${vm.name}: does not power off: ${String(error)}`));
    },
  };
}

function memberOf({ vm, folder, agentMode, agentPid, metadataUrl }: Machine): FleetMember {
  const state = metadataUrl === undefined ? "booting" : "running";
  return { resourceId: vm.resourceId, name: vm.name, state, agentMode, agentPid, metadataUrl, folder: folder.root };
}

function keyOf(resourceId: string): string {
  return resourceId.toLowerCase();
}
