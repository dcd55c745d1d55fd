import type { AttemptReport, HeartbeatRequest } from "../contract/agent";
import type { Lease } from "../contract/machine";
import type { AgentSessionRow, AgentSessionTable } from "../state/agent-session-table";
import type { AttemptRow, AttemptTable } from "../state/attempt-table";
import type { JobTable } from "../state/job-table";
import type { MachineRow, MachineTable } from "../state/machine-table";
import type { Stored } from "../state/rows";

/** `stale`: the lease is not this agent's any more; it must stop the container and forget the attempt. */
export type ReportOutcome = "recorded" | "stale";

export interface LeaseReport {
  readonly org: string;
  readonly machineId: string;
  readonly bootId: string;
  readonly jobId: string;
  readonly attempt: number;
}

const CONCURRENT_WRITES = 5;

const holds = (lease: Lease | undefined, report: LeaseReport): boolean =>
  lease?.jobId === report.jobId && lease.attempt === report.attempt && lease.bootId === report.bootId;

/** What agents report, made durable before they are answered. Each report may come twice. */
export class AgentReports {
  private readonly machines: MachineTable;
  private readonly attempts: AttemptTable;
  private readonly jobs: JobTable;
  private readonly sessions: AgentSessionTable;

  constructor(deps: { machines: MachineTable; attempts: AttemptTable; jobs: JobTable; sessions: AgentSessionTable }) {
    this.machines = deps.machines;
    this.attempts = deps.attempts;
    this.jobs = deps.jobs;
    this.sessions = deps.sessions;
  }

  async heartbeat(
    session: Stored<AgentSessionRow>,
    request: HeartbeatRequest,
  ): Promise<{ outcome: ReportOutcome; cancel: boolean }> {
    const { gpuUtilizationPercent, containers, sshSessions } = request;
    const { gpuUtilizationPercent: _old, ...known } = session.value;
    // Two heartbeats of one agent may cross; either tells that it lives, so the one that loses is not repeated.
    await this.sessions.replace(session, {
      ...known,
      used: true,
      lastHeartbeatAt: new Date().toISOString(),
      containers,
      sshSessions,
      ...(gpuUtilizationPercent !== undefined && { gpuUtilizationPercent }),
    });
    if (request.jobId === undefined || request.attempt === undefined) return { outcome: "recorded", cancel: false };
    const report = { ...request, jobId: request.jobId, attempt: request.attempt };
    const machine = await this.machines.find(request.org, request.machineId);
    if (!holds(machine?.value.lease, report)) return { outcome: "stale", cancel: false };
    const job = await this.jobs.find(request.org, request.jobId);
    return { outcome: "recorded", cancel: job?.value.cancelRequested ?? false };
  }

  /** The container runs: Starting -> Running. */
  async started(report: LeaseReport): Promise<ReportOutcome> {
    const attempt = await this.findHeld(report);
    if (!attempt) return "stale";
    const startedAt = attempt.value.startedAt ?? new Date().toISOString();
    if (attempt.value.startedAt === undefined) await this.attempts.replace(attempt, { ...attempt.value, startedAt });
    for (let tries = 0; tries < CONCURRENT_WRITES; tries += 1) {
      const job = await this.jobs.find(report.org, report.jobId);
      if (job?.value.state !== "Starting" || job.value.attempt !== report.attempt) return "recorded";
      if ((await this.jobs.replace(job, { ...job.value, state: "Running" })) === "replaced") return "recorded";
    }
    throw new Error(`started ${report.org}/${report.jobId}: the job's row kept changing`);
  }

  /** The attempt is over: first its outcome, then the machine is free again. Both may be there already from a call whose reply was lost. */
  async finished(report: LeaseReport, result: AttemptReport): Promise<ReportOutcome> {
    const attempt = await this.attempts.find(report.org, report.jobId, report.attempt);
    if (attempt?.value.bootId !== report.bootId || attempt.value.machineId !== report.machineId) return "stale";
    if (attempt.value.outcome === undefined) {
      if (!(await this.findHeld(report))) return "stale";
      const written = await this.attempts.replace(attempt, endedRow(attempt.value, result));
      if (written === "stale") return this.finished(report, result);
    }
    await this.release(report);
    return "recorded";
  }

  private async release(report: LeaseReport): Promise<void> {
    for (let tries = 0; tries < CONCURRENT_WRITES; tries += 1) {
      const machine = await this.machines.find(report.org, report.machineId);
      if (!machine || machine.value.state !== "Leased" || !holds(machine.value.lease, report)) return;
      const { lease: _given, ...rest } = machine.value;
      const next: MachineRow = {
        ...rest,
        state: "Idle",
        idleSince: new Date().toISOString(),
        jobsRun: rest.jobsRun + 1,
      };
      if ((await this.machines.replace(machine, next)) === "replaced") return;
    }
    throw new Error(`release ${report.org}/${report.machineId}: the machine's row kept changing`);
  }

  private async findHeld(report: LeaseReport): Promise<Stored<AttemptRow> | undefined> {
    const [machine, attempt] = await Promise.all([
      this.machines.find(report.org, report.machineId),
      this.attempts.find(report.org, report.jobId, report.attempt),
    ]);
    return holds(machine?.value.lease, report) ? attempt : undefined;
  }
}

function endedRow(attempt: AttemptRow, { outcome, exitCode, message, runMs }: AttemptReport): AttemptRow {
  return {
    ...attempt,
    outcome,
    endedAt: new Date().toISOString(),
    runMs,
    ...(exitCode !== undefined && { exitCode }),
    ...(message !== undefined && { message }),
  };
}
