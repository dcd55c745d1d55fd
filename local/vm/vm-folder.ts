import { createHash } from "node:crypto";
import { chmodSync, mkdirSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { gpuCountOf } from "./gpu-count";
import type { HostedVm } from "./hypervisor";
import { MARKER } from "./processes";

/** The disk of a VM: one folder of this machine. */
export interface VmFolder {
  readonly root: string;
  readonly config: string;
  readonly state: string;
  readonly bin: string;
  readonly agentLog: string;
  readonly agentPid: string;
  /** There while the VM is on; it holds the operating system's boot id. */
  readonly power: string;
  /** Written by the guest when it turns itself off. */
  readonly guestPowerOff: string;
}

export interface Programs {
  readonly nodePath: string;
  readonly standInFile: string;
  /** What the machine trusts besides the public authorities. */
  readonly caFile?: string | undefined;
}

export const SYSTEM_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

/** Named for people by the VM's name, and by a hash of its whole id since names repeat between resource groups. */
export function vmFolderOf(fleetFolder: string, resourceId: string): VmFolder {
  const id = resourceId.toLowerCase();
  const name = (id.split("/").at(-1) ?? "").replace(/[^\w.-]/g, "_");
  const root = join(fleetFolder, `${name}-${createHash("sha256").update(id).digest("hex").slice(0, 10)}`);
  return {
    root,
    config: join(root, "agent.json"),
    state: join(root, "state"),
    bin: join(root, "bin"),
    agentLog: join(root, "agent.log"),
    agentPid: join(root, "agent", "pid"),
    power: join(root, "power"),
    guestPowerOff: join(root, "guest-power-off"),
  };
}

/** What a boot finds on the disk: its configuration, and programs of this boot under the names that the agent calls. */
export function writeBootFiles(
  folder: VmFolder,
  boot: { readonly vm: HostedVm; readonly osBootId: string; readonly config: string },
  programs: Programs,
): void {
  const { vm, osBootId, config } = boot;
  mkdirSync(folder.bin, { recursive: true });
  mkdirSync(dirname(folder.agentPid), { recursive: true });
  mkdirSync(containerBinOf(folder.root), { recursive: true });
  rmSync(folder.guestPowerOff, { force: true });
  writeFileSync(folder.config, config, { mode: 0o600 });
  writeFileSync(folder.power, osBootId);
  const trust = programs.caFile === undefined ? "" : ` CORRAL_CA_FILE=${quoted(programs.caFile)}`;
  const environment = `${MARKER}=${quoted(folder.root)} CORRAL_OS_BOOT_ID=${quoted(osBootId)}${trust}`;
  const standIn = `${environment} exec ${quoted(programs.nodePath)} ${quoted(programs.standInFile)} "$@"`;
  // Asked at each heartbeat of each VM; a Node process for it would take a thousand times as long.
  const countsOnly = `if [ "$*" = "ps --quiet" ]; then ${forEachRunning(folder.root, 'head -c 12 "$container/id"; echo')}; exit 0; fi`;
  writeProgram(join(folder.bin, "docker"), `${countsOnly}\n${standIn}`);
  const smi = nvidiaSmi(folder.root, gpuCountOf(vm.vmSize));
  writeProgram(join(folder.bin, "nvidia-smi"), smi);
  writeProgram(join(containerBinOf(folder.root), "nvidia-smi"), smi);
  writeProgram(join(folder.bin, "poweroff"), `: > ${quoted(folder.guestPowerOff)}`);
  // Who is logged in is a file, so that a test can put a person on the machine.
  const sessions = quoted(join(folder.root, "ssh-sessions"));
  for (const name of ["ss", "who"])
    writeProgram(join(folder.bin, name), `if [ -f ${sessions} ]; then cat ${sessions}; fi`);
}

/** Programs that a GPU container gets from the container toolkit. */
export function containerBinOf(vmRoot: string): string {
  return join(vmRoot, "container-bin");
}

function nvidiaSmi(vmRoot: string, gpus: number): string {
  if (gpus === 0) return 'echo "No devices were found" >&2\nexit 6';
  return `busy=0\n${forEachRunning(vmRoot, "busy=97")}\n${Array.from({ length: gpus }, () => 'echo "$busy"').join("\n")}`;
}

/** The stand-in's own test of a running container, as shell: no exit noted, and a process of this VM under its number. */
function forEachRunning(vmRoot: string, action: string): string {
  const ours = `{ [ ! -d /proc/self ] || grep -q ${MARKER} "/proc/$pid/environ" 2>/dev/null; }`;
  return `for container in ${quoted(join(vmRoot, "containers"))}/*; do
  pid=$(cat "$container/pid" 2>/dev/null) && [ ! -s "$container/exit" ] && kill -0 "$pid" 2>/dev/null && ${ours} && { ${action}; }
done`;
}

function writeProgram(path: string, body: string): void {
  writeFileSync(path, `#!/bin/sh\n${body}\n`);
  chmodSync(path, 0o755);
}

function quoted(text: string): string {
  return `'${text.replaceAll("'", `'\\''`)}'`;
}
