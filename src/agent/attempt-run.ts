import { mkdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import type { AttemptReport } from "../contract/agent";
import { waitMsOf } from "./backoff";
import type { BlobContainer } from "./blob";
import type { CommandResult } from "./command";
import type { ContainerEngine, ContainerState, Mount } from "./docker";
import type { HeldAttempt, Lease, StopReason } from "./lifecycle";
import { LogFile, removeOldLogs } from "./log-file";
import { outcomeOf, preparationFailureOf, pullFailureOf, shortened, startFailureOf } from "./outcome";
import { AttemptVolumes, uploadLog, VolumeFault } from "./volumes";

export interface RunDependencies {
  readonly engine: ContainerEngine;
  readonly stateFolder: string;
  readonly openContainer: (url: string) => BlobContainer;
  readonly graceMs: number;
  readonly retryBaseMs: number;
  readonly log: (line: string) => void;
  readonly onStarted: (at: number) => void;
  readonly onExited: () => void;
}

type Ending = Omit<AttemptReport, "runMs">;

const PULL_TRIES = 4;
const EVICTED_SAVE_LIMIT_MS = 10_000;
const FOLLOW_PAUSE_MS = 1000;
const KILL_AGAIN_MS = 5000;

/** One attempt on this machine: from its image to its report. */
export class AttemptRun {
  private readonly preparing = new AbortController();
  private readonly saving = new AbortController();
  private readonly containerName: string;
  private readonly volumes: AttemptVolumes;
  private readonly containerEnded = Promise.withResolvers<undefined>();
  private started = false;
  private stopReason: StopReason | undefined;
  private logTail = "";

  constructor(
    private readonly held: HeldAttempt,
    private readonly deps: RunDependencies,
  ) {
    this.containerName = containerNameOf(held.lease);
    this.stopReason = held.stop;
    this.volumes = new AttemptVolumes({
      folder: volumeFolderOf(deps.stateFolder, held.lease),
      openContainer: deps.openContainer,
    });
  }

  /** From the beginning. Never throws for what a job or a registry can do wrong. */
  async begin(): Promise<AttemptReport> {
    const { work } = this.held;
    try {
      if (!/^[a-z0-9]/i.test(work.image))
        return ended({ outcome: "ImageError", message: "the image has no valid reference" });
      const mounts = this.volumes.prepare(work.volumes);
      const failure = await this.pull();
      if (failure) return ended(failure);
      await this.volumes.copyIn(work.volumes, this.preparing.signal);
      return await this.runContainer(mounts);
    } catch (error) {
      if (this.stopReason) return ended({ outcome: "Failed", message: "stopped before the container ran" });
      // Also what nobody foresaw: an agent that dies of it would be offered the same job again and die again.
      return ended(preparationFailureOf(error instanceof VolumeFault ? "VolumeError" : "Failed", String(error)));
    }
  }

  /** After a restart of the agent: goes on with the container that is there, whether it still runs or has ended meanwhile. */
  async reattach(state: ContainerState): Promise<AttemptReport> {
    this.started = true;
    this.deps.onStarted(state.startedAt);
    if (this.stopReason) void this.endContainer();
    return this.followToEnd(this.held.startedAt ?? state.startedAt);
  }

  async stop(reason: StopReason): Promise<void> {
    this.stopReason = reason;
    this.preparing.abort();
    if (reason === "Dropped") this.saving.abort();
    if (this.started) await this.endContainer();
  }

  private async runContainer(mounts: readonly Mount[]): Promise<AttemptReport> {
    const start = await this.startContainer(mounts);
    if (start.code !== 0) {
      await this.deps.engine.remove(this.containerName);
      return ended(startFailureOf(start.code, start.stderr));
    }
    const startedAt = Date.now();
    this.started = true;
    this.deps.onStarted(startedAt);
    if (this.stopReason) void this.endContainer();
    return this.followToEnd(startedAt);
  }

  /** A container of this name is left over from an agent that died before it had noted the start. */
  private async startContainer(mounts: readonly Mount[]): Promise<CommandResult> {
    const { image, command = [], env, gpus, identity } = this.held.work;
    const spec = { name: this.containerName, image, command, env, gpus, mounts, identity };
    const first = await this.deps.engine.start(spec);
    if (first.code !== 125 || !/is already in use/.test(first.stderr)) return first;
    await this.deps.engine.remove(this.containerName);
    return this.deps.engine.start(spec);
  }

  private async pull(): Promise<Ending | undefined> {
    const { engine, retryBaseMs, log } = this.deps;
    const { signal } = this.preparing;
    for (let failures = 1; ; failures += 1) {
      const { code, stderr } = await engine.pull(this.held.work.image, signal);
      signal.throwIfAborted();
      if (code === 0) return undefined;
      const { outcome, mayPass } = pullFailureOf(stderr);
      if (!mayPass || failures >= PULL_TRIES) return { outcome, message: shortened(stderr) };
      log(`${this.containerName}: pull failed, will be tried again: ${stderr.trim()}`);
      await sleep(waitMsOf({ failures, baseMs: retryBaseMs * 2 }, Math.random), undefined, { signal });
    }
  }

  private async followToEnd(startedAt: number): Promise<AttemptReport> {
    const state = await this.follow();
    this.containerEnded.resolve(undefined);
    const runMs = Math.max(0, Date.now() - startedAt);
    this.deps.onExited();
    if (!state) return { outcome: "Failed", message: "the container is gone", runMs };
    const { exitCode, oomKilled, error } = state;
    const ending = outcomeOf({ exitCode, oomKilled, error, logTail: this.logTail });
    // The container stays until the report is acknowledged: should the agent die before it is stored, the end can be read again.
    return { ...((await this.save()) ?? ending), runMs };
  }

  /** Follows until Docker says that the container has ended; the log may break off earlier, for instance when its driver fails. */
  private async follow(): Promise<ContainerState | undefined> {
    const { engine } = this.deps;
    const file = new LogFile(this.logPath);
    await engine.follow(this.containerName, (chunk) => file.write(chunk));
    file.close();
    this.logTail = file.tail;
    for (;;) {
      const state = await engine.stateOf(this.containerName);
      if (!state?.running) return state;
      await engine.waitFor(this.containerName);
      await sleep(FOLLOW_PAUSE_MS);
    }
  }

  /** Whatever the outcome, what was written so far is of use: a later attempt may go on from it. */
  private async save(): Promise<Ending | undefined> {
    if (this.stopReason === "Dropped") return undefined;
    const { work } = this.held;
    const limit = this.stopReason === "Evicted" ? [AbortSignal.timeout(EVICTED_SAVE_LIMIT_MS)] : [];
    const signal = AbortSignal.any([this.saving.signal, ...limit]);
    try {
      if (work.logsUrl) await this.saveLog(work.logsUrl, signal);
      await this.volumes.copyOut(work.volumes, signal);
      return undefined;
    } catch (error) {
      if (error instanceof VolumeFault) return { outcome: "VolumeError", message: shortened(error.message) };
      throw error;
    }
  }

  /** A lost log is no reason to call a good run a failure. */
  private async saveLog(logsUrl: string, signal: AbortSignal): Promise<void> {
    try {
      await uploadLog(this.deps.openContainer(logsUrl), { work: this.held.work, path: this.logPath }, signal);
    } catch (error) {
      this.deps.log(
        `${this.containerName}: the log was not uploaded: ${error instanceof Error ? error.message : String(error)}`,
      );
    }
  }

  private async endContainer(): Promise<void> {
    const { engine, graceMs } = this.deps;
    // A job that was given to another machine has no grace: two of them would write to the same places.
    if (this.stopReason !== "Dropped") {
      await engine.kill(this.containerName, "TERM");
      if (await this.endsWithin(graceMs)) return;
    }
    do await engine.kill(this.containerName, "KILL");
    while (!(await this.endsWithin(KILL_AGAIN_MS)));
  }

  private async endsWithin(limitMs: number): Promise<boolean> {
    const over = new AbortController();
    const late = sleep(limitMs, false, { signal: over.signal }).catch(() => false);
    const isOver = await Promise.race([this.containerEnded.promise.then(() => true), late]);
    over.abort();
    return isOver;
  }

  private get logPath(): string {
    return join(this.deps.stateFolder, "logs", `${this.held.lease.jobId}-${this.held.lease.attempt}.log`);
  }
}

export function containerNameOf({ jobId, attempt }: Lease): string {
  return `corral-${jobId}-${attempt}`;
}

/** Removes what an attempt leaves on the machine but its log. */
export async function clearAttempt(lease: Lease, deps: Pick<RunDependencies, "engine" | "stateFolder">): Promise<void> {
  await deps.engine.remove(containerNameOf(lease));
  rmSync(volumeFolderOf(deps.stateFolder, lease), { recursive: true, force: true });
  const logs = join(deps.stateFolder, "logs");
  mkdirSync(logs, { recursive: true, mode: 0o700 });
  removeOldLogs(logs);
}

function volumeFolderOf(stateFolder: string, { jobId, attempt }: Lease): string {
  return join(stateFolder, "volumes", `${jobId}-${attempt}`);
}

/** An attempt that ended before its container ran. */
function ended(ending: Ending): AttemptReport {
  return { ...ending, runMs: 0 };
}
