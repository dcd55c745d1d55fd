import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";

export interface ProcessStats {
  readonly cpuSeconds: number;
  readonly peakRssMb: number;
}

/** Linux counts a process's time in ticks of this length, on every platform that Node runs on. */
const TICKS_PER_SECOND = 100;

/** What another process has used so far: processor time of all its threads, and the most memory it ever held. */
export function statsOf(pid: number): ProcessStats {
  return process.platform === "linux" ? linuxStats(pid) : portableStats(pid);
}

function linuxStats(pid: number): ProcessStats {
  const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
  // The second field, the name, may hold spaces and brackets; user and system time are the 14th and 15th.
  const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  const ticks = Number(fields[11]) + Number(fields[12]);
  const peak = /^VmHWM:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, "utf8"));
  return { cpuSeconds: ticks / TICKS_PER_SECOND, peakRssMb: Number(peak?.[1] ?? 0) / 1024 };
}

/** `ps` knows no peak: what the process holds now stands for it. */
function portableStats(pid: number): ProcessStats {
  const [time = "0", rssKb = "0"] = execFileSync("ps", ["-o", "time=,rss=", "-p", String(pid)], { encoding: "utf8" })
    .trim()
    .split(/\s+/);
  const cpuSeconds = time.split(/[:-]/).reduce((total, part) => total * 60 + Number(part), 0);
  return { cpuSeconds, peakRssMb: Number(rssKb) / 1024 };
}
