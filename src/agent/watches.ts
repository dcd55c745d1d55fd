import { setTimeout as sleep } from "node:timers/promises";
import type { Metadata } from "./metadata";
import type { Probes } from "./probes";

const EVENTS_POLL_MS = 1000;
const SHORTEST_SAMPLE_MS = 1000;
const SAMPLES_PER_HEARTBEAT = 3;

export interface EventWatch {
  readonly metadata: Metadata;
  readonly log: (line: string) => void;
  readonly onPreempted: () => void;
}

/** Asks from boot on: Scheduled Events come only to a VM that asks, and a spot notice is seconds long. */
export async function watchScheduledEvents({ metadata, log, onPreempted }: EventWatch): Promise<never> {
  let vmName: string | undefined;
  let lastProblem = "";
  for (;;) {
    try {
      vmName ??= (await metadata.instance()).name;
      if (await metadata.preempted(vmName)) onPreempted();
      lastProblem = "";
    } catch (error) {
      // Asked each second: a service that is away would fill the journal.
      if (String(error) !== lastProblem) log(`scheduled events: ${String(error)}`);
      lastProblem = String(error);
    }
    await sleep(EVENTS_POLL_MS);
  }
}

/** The highest use of any GPU between two heartbeats: a job that loads its next batch is not idle. */
export class GpuMeter {
  private highestPercent: number | undefined;

  constructor(private readonly probes: Pick<Probes, "gpuUtilizationPercent">) {}

  async run(heartbeatMs: () => number): Promise<never> {
    for (;;) {
      await sleep(Math.max(SHORTEST_SAMPLE_MS, heartbeatMs() / SAMPLES_PER_HEARTBEAT));
      await this.sample();
    }
  }

  /** Undefined when the GPUs could not be read. */
  async take(): Promise<number | undefined> {
    await this.sample();
    const percent = this.highestPercent;
    this.highestPercent = undefined;
    return percent;
  }

  private async sample(): Promise<void> {
    const percent = await this.probes.gpuUtilizationPercent();
    if (percent !== undefined) this.highestPercent = Math.max(percent, this.highestPercent ?? 0);
  }
}
