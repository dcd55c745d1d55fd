import { DEMO_ORG } from "./constants";
import type { StackSession } from "./session";

export interface WatchedJob {
  readonly org: string;
  readonly jobId: string;
  readonly state: string;
  readonly waitingFor?: string;
  readonly attempts: readonly {
    readonly attempt: number;
    readonly machineId?: string;
    readonly outcome?: string;
    readonly exitCode?: number;
  }[];
  readonly phases: Readonly<Record<string, number>>;
}

export interface WatchedMachine {
  readonly machineId: string;
  readonly state: string;
  readonly vmSize: string;
  readonly location: string;
  readonly capacity: string;
  readonly lease?: { readonly jobId: string };
  readonly costUsd: number;
}

export interface Snapshot {
  readonly jobs: readonly WatchedJob[];
  readonly machines: readonly WatchedMachine[];
}

export const TERMINAL: ReadonlySet<string> = new Set(["Succeeded", "Failed", "Cancelled", "Expired"]);

const JOB_WORDS: Readonly<Record<string, string>> = {
  Queued: "queued",
  Placing: "placed",
  Starting: "starting",
  Running: "running",
};
const MACHINE_WORDS: Readonly<Record<string, string>> = { Leased: "busy" };

/** Reads jobs and machines of the demo organization, and tells each change of state in one line. */
export class Watch {
  private readonly told = new Map<string, string>();
  private readonly startedAt = Date.now();

  constructor(
    private readonly session: StackSession,
    private readonly tell: (line: string) => void,
  ) {}

  async look(): Promise<Snapshot> {
    const [jobs, machines] = await Promise.all([
      this.session.api("GET", `/api/orgs/${DEMO_ORG}/jobs`) as Promise<{ value: WatchedJob[] }>,
      this.session.api("GET", `/api/orgs/${DEMO_ORG}/machines`) as Promise<{ value: WatchedMachine[] }>,
    ]);
    for (const job of jobs.value) this.change("job", job.jobId, describeJob(job));
    for (const machine of machines.value) this.change("machine", machine.machineId, describeMachine(machine));
    return { jobs: jobs.value, machines: machines.value };
  }

  private change(kind: string, id: string, now: string): void {
    if (this.told.get(`${kind} ${id}`) === now) return;
    this.told.set(`${kind} ${id}`, now);
    const seconds = ((Date.now() - this.startedAt) / 1000).toFixed(1).padStart(6);
    this.tell(`${seconds} s  ${kind.padEnd(7)}  ${id.padEnd(24)}  ${now}`);
  }
}

function describeJob({ state, waitingFor, attempts }: WatchedJob): string {
  const last = attempts.at(-1);
  if (TERMINAL.has(state)) {
    const exit = last?.exitCode === undefined ? "" : `, exit code ${last.exitCode}`;
    return `done: ${state}${last?.outcome === undefined || last.outcome === state ? "" : ` (${last.outcome})`}${exit}`;
  }
  const on = last?.machineId !== undefined && state !== "Queued" ? ` on ${last.machineId}` : "";
  return `${JOB_WORDS[state] ?? state}${on}${waitingFor === undefined ? "" : `: waits for ${waitingFor}`}`;
}

function describeMachine({ state, vmSize, location, capacity, lease }: WatchedMachine): string {
  const word = MACHINE_WORDS[state] ?? state.toLowerCase();
  const what = state === "Creating" ? ` ${vmSize} (${capacity}, ${location})` : "";
  return `${word}${lease ? ` with ${lease.jobId}` : ""}${what}`;
}
