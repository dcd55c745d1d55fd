import { execFileSync } from "node:child_process";
import { existsSync, readFileSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";

/** The variable that each process of a VM carries. Nothing is ever killed that does not carry it. */
export const MARKER = "CORRAL_VM";

const KILL_LIMIT_MS = 10_000;
const hasProc = existsSync("/proc/self/environ");

/** Does the process run, and does it belong to this VM? A number alone may have gone to another program meanwhile. */
export function isAlive(pid: number, vmFolder: string): boolean {
  return environmentOf(pid).some((entry) => entry === `${MARKER}=${vmFolder}`);
}

/** Kills every process below `folder` (a VM's folder, or that of all VMs) and resolves when none is left. */
export async function killProcessesOf(folder: string): Promise<void> {
  const end = Date.now() + KILL_LIMIT_MS;
  // Twice nothing: a process that was just being forked has its environment a moment later.
  for (let empty = 0; empty < 2;) {
    const pids = processesOf(folder);
    for (const pid of pids) kill(pid);
    empty = pids.length === 0 ? empty + 1 : 0;
    if (Date.now() > end) throw new Error(`processes of ${folder} do not end: ${pids.join(", ")}`);
    if (empty < 2) await sleep(10);
  }
}

/** Ends a whole process group at once, so that a child cannot outlive the parent by a moment. */
export function killGroup(pid: number): void {
  kill(-pid);
}

export function processesOf(folder: string): number[] {
  const candidates = hasProc ? allProcesses() : notedProcesses(folder);
  return candidates.filter(
    (pid) =>
      pid !== process.pid &&
      environmentOf(pid).some((entry) => entry === `${MARKER}=${folder}` || entry.startsWith(`${MARKER}=${folder}/`)),
  );
}

function allProcesses(): number[] {
  return readdirSync("/proc").map(Number).filter(Number.isInteger);
}

/** Without /proc (macOS): the numbers that the fleet and the Docker stand-in wrote down. */
function notedProcesses(folder: string): number[] {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && entry.name === "pid")
    .map((entry) => Number(readFileSync(join(entry.parentPath, entry.name), "utf8")))
    .filter((pid) => pid > 1);
}

/** Empty for a process that is gone, that is a zombie, or that belongs to somebody else. */
function environmentOf(pid: number): string[] {
  try {
    if (hasProc) return readFileSync(`/proc/${pid}/environ`, "utf8").split("\0");
    return execFileSync("ps", ["eww", "-o", "command=", "-p", String(pid)], { encoding: "utf8", stdio: "pipe" }).split(
      " ",
    );
  } catch {
    return [];
  }
}

function kill(pid: number): void {
  try {
    process.kill(pid, "SIGKILL");
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "ESRCH") throw error;
  }
}
