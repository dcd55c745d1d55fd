import { readFileSync } from "node:fs";

/** The most memory that a process has held at a time, as Linux counts it. */
export function peakMiB(pid: number): number {
  return kibibytesOf(pid, "VmHWM") / 1024;
}

export function residentMiB(pid: number): number {
  return kibibytesOf(pid, "VmRSS") / 1024;
}

function kibibytesOf(pid: number, field: string): number {
  const status = readFileSync(`/proc/${pid}/status`, "utf8");
  return Number(new RegExp(`${field}:\\s+(\\d+) kB`).exec(status)?.[1] ?? Number.NaN);
}
