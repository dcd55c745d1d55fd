import type { Organization } from "../contract/organization";
import type { MachineState } from "../contract/machine";

/** What clean-up knows of a machine. Times are RFC 3339. */
export interface MachineFacts {
  readonly state: MachineState;
  readonly createdAt: string;
  readonly idleSince?: string | undefined;
  readonly jobsRun: number;
  readonly lastHeartbeatAt?: string | undefined;
  readonly gpuUtilizationPercent?: number | undefined;
  readonly containers?: number | undefined;
  readonly sshSessions?: number | undefined;
}

export type CleanupDecision =
  | { readonly action: "keep"; readonly reason: string }
  | { readonly action: "drain" | "replace"; readonly reason: string };

export interface CleanupLimits {
  readonly idle: Organization["idle"];
  readonly silentSeconds: number;
}

const secondsBetween = (from: string, now: Date): number => (now.getTime() - Date.parse(from)) / 1000;

/**
 * Whether a machine is to go: `drain` an idle one past its limit, `replace` one that is silent while idle. Only Idle machines are
 * ever taken, and the caller takes them by compare-and-set: a machine that was leased since is kept. Unknown means active.
 */
export function decideCleanup(machine: MachineFacts, limits: CleanupLimits, now: Date): CleanupDecision {
  if (machine.state !== "Idle") return { action: "keep", reason: `state ${machine.state}` };
  if (machine.idleSince === undefined) return { action: "keep", reason: "idle since unknown" };
  const idleSeconds = secondsBetween(machine.idleSince, now);
  const heardAt = machine.lastHeartbeatAt ?? machine.idleSince;
  if (secondsBetween(heardAt, now) > limits.silentSeconds) {
    return { action: "replace", reason: `silent for more than ${limits.silentSeconds} s while idle` };
  }
  if (secondsBetween(machine.createdAt, now) >= limits.idle.maxLifetimeHours * 3600) {
    return { action: "drain", reason: `older than ${limits.idle.maxLifetimeHours} h` };
  }
  const limitSeconds = machine.jobsRun > 0 ? limits.idle.afterJobSeconds : limits.idle.beforeFirstJobSeconds;
  if (idleSeconds < limitSeconds) return { action: "keep", reason: `idle for less than ${limitSeconds} s` };
  if ((machine.containers ?? 0) > 0) return { action: "keep", reason: "a container runs" };
  if ((machine.sshSessions ?? 0) > 0) return { action: "keep", reason: "someone is logged in" };
  const gpuPercent = machine.gpuUtilizationPercent ?? 0;
  if (gpuPercent >= limits.idle.gpuUtilizationPercent) return { action: "keep", reason: `GPU use of ${gpuPercent} %` };
  return { action: "drain", reason: `idle for ${limitSeconds} s or more` };
}
