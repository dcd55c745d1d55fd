import { setTimeout as sleep } from "node:timers/promises";
import type { AttemptReport, HeartbeatReply, HeartbeatRequest, WorkReply } from "../contract/agent";
import type { ServiceClient } from "./api";
import { AttemptRun, clearAttempt, type RunDependencies } from "./attempt-run";
import { waitMsOf } from "./backoff";
import type { AgentDisk } from "./disk";
import {
  decide,
  initialState,
  wantsWork,
  type AgentEvent,
  type AgentState,
  type Effect,
  type HeldAttempt,
} from "./lifecycle";
import type { Metadata } from "./metadata";
import type { Probes } from "./probes";
import { recover } from "./recovery";
import { reportUntilAcknowledged, sendNotice } from "./reports";
import type { Registration } from "./registration";
import { GpuMeter, watchScheduledEvents } from "./watches";

export interface AgentDependencies {
  readonly service: ServiceClient;
  readonly metadata: Metadata;
  readonly registration: Registration;
  readonly disk: AgentDisk;
  readonly probes: Probes;
  readonly run: Omit<RunDependencies, "onStarted" | "onExited">;
  readonly osBootId: string;
  readonly powerOff: () => Promise<void>;
}

const TICK_MS = 250;
const POWER_OFF_AGAIN_MS = 60_000;

/** The agent's life: loops that watch the world, one state, and what `decide` orders. */
export class Agent {
  private state: AgentState = initialState(performance.now());
  private current: AttemptRun | undefined;
  private readonly gpus: GpuMeter;
  private wake = new AbortController();
  private readonly broken = Promise.withResolvers<never>();

  constructor(private readonly deps: AgentDependencies) {
    this.gpus = new GpuMeter(deps.probes);
  }

  /** Runs until something happens that the program does not understand; the service manager then starts it anew. */
  run(): Promise<never> {
    const { metadata, run } = this.deps;
    this.keep(
      watchScheduledEvents({ metadata, log: run.log, onPreempted: () => this.dispatch({ kind: "preempted" }) }),
    );
    this.keep(this.tick());
    this.keep(this.live());
    return this.broken.promise;
  }

  private async live(): Promise<void> {
    const { run, registration } = this.deps;
    await this.takeUpAttempt();
    // A machine without a working Docker must not take a job: unregistered, it counts as a failed boot.
    for (let failures = 0; (await run.engine.countRunning()) === undefined; failures += 1) {
      run.log("docker does not answer");
      await sleep(waitMsOf({ failures, baseMs: run.retryBaseMs }, Math.random));
    }
    await registration.renew();
    this.registered();
    this.keep(this.sendHeartbeats());
    this.keep(this.gpus.run(() => registration.heartbeatMs));
    await this.askForWork();
  }

  private async takeUpAttempt(): Promise<void> {
    const { disk, osBootId, run } = this.deps;
    const held = disk.readAttempt();
    const recovery = await recover(held, { sameBoot: disk.readSession()?.osBootId === osBootId, engine: run.engine });
    switch (recovery.kind) {
      case "nothing":
        return;
      case "forget":
        disk.saveAttempt(undefined);
        await clearAttempt(recovery.held.lease, run);
        return;
      case "report":
        this.state = { ...this.state, held: recovery.held };
        disk.saveAttempt(recovery.held);
        this.perform({ kind: "report", held: recovery.held });
        return;
      case "reattach": {
        this.state = { ...this.state, held: recovery.held };
        const attempt = this.newRun(recovery.held);
        this.keep(this.finish(recovery.held, attempt.reattach(recovery.container)));
      }
    }
  }

  private dispatch(event: AgentEvent): void {
    const { state, effects } = decide(this.state, event);
    const changed = state.held !== this.state.held;
    this.state = state;
    if (changed) this.saveAttempt(state.held);
    for (const effect of effects) this.perform(effect);
  }

  private perform(effect: Effect): void {
    const { run, service, registration } = this.deps;
    switch (effect.kind) {
      case "begin":
        this.keep(this.finish(effect.held, this.newRun(effect.held).begin()));
        return;
      case "stop":
        run.log(`${effect.lease.jobId}/${effect.lease.attempt}: stops, ${effect.reason}`);
        this.keep(this.current?.stop(effect.reason) ?? Promise.resolve());
        return;
      case "notify":
        this.keep(
          sendNotice(effect, {
            service,
            registration,
            retryBaseMs: run.retryBaseMs,
            isHeld: () => this.holds(effect.lease),
          }).then((answer) => {
            if (answer === "stale") this.dispatch({ kind: "stale", lease: effect.lease });
          }),
        );
        return;
      case "report":
        this.keep(
          reportUntilAcknowledged(effect.held, {
            service,
            registration,
            retryBaseMs: run.retryBaseMs,
            log: run.log,
          }).then((answer) => this.dispatch({ kind: answer, lease: effect.held.lease })),
        );
        return;
      case "discard":
        this.current = undefined;
        this.keep(clearAttempt(effect.held.lease, run));
        this.wake.abort();
        return;
      case "power-off":
        this.keep(this.powerOff());
    }
  }

  private newRun(held: HeldAttempt): AttemptRun {
    const { lease } = held;
    const onStarted = (at: number): void => this.dispatch({ kind: "started", lease, at });
    this.current = new AttemptRun(held, {
      ...this.deps.run,
      onStarted,
      onExited: () => this.dispatch({ kind: "exited", lease }),
    });
    return this.current;
  }

  private async finish(held: HeldAttempt, running: Promise<AttemptReport>): Promise<void> {
    const report = await running;
    this.deps.run.log(
      `${held.lease.jobId}/${held.lease.attempt}: ${report.outcome} ${report.exitCode ?? ""} ${report.message ?? ""}`,
    );
    this.dispatch({ kind: "ended", lease: held.lease, report });
  }

  private async askForWork(): Promise<never> {
    const { service, registration, run } = this.deps;
    for (let failures = 0; ;) {
      let waitMs = registration.workPollMs;
      if (wantsWork(this.state)) {
        const session = registration.current;
        const answer = await service.post<WorkReply>("work", session);
        failures = answer.kind === "ok" ? 0 : failures + 1;
        if (answer.kind === "ok") {
          this.contact();
          if (answer.body.drain) this.dispatch({ kind: "drain" });
          if (answer.body.work) this.dispatch({ kind: "work", work: answer.body.work, bootId: session.bootId });
        } else {
          run.log(`work: ${answer.kind === "stale" ? "the session is stale" : answer.reason}`);
          const retryAfterMs = answer.kind === "unavailable" ? answer.retryAfterMs : undefined;
          waitMs += waitMsOf({ failures, baseMs: run.retryBaseMs, retryAfterMs }, Math.random);
          if (answer.kind === "stale" || (answer.kind === "refused" && answer.status === 401)) {
            await registration.renew();
            this.registered();
          }
        }
      }
      await this.pause(waitMs);
    }
  }

  private async sendHeartbeats(): Promise<never> {
    const { service, registration, run } = this.deps;
    for (;;) {
      await sleep(registration.heartbeatMs);
      const lease = this.state.held?.lease;
      const answer = await service.post<HeartbeatReply>("heartbeat", await this.heartbeat());
      if (answer.kind === "ok") {
        this.contact();
        if (lease && answer.body.cancel) this.dispatch({ kind: "cancel", lease });
      } else if (answer.kind === "stale") {
        if (lease) this.dispatch({ kind: "stale", lease });
      } else {
        run.log(`heartbeat: ${answer.reason}`);
      }
    }
  }

  private async heartbeat(): Promise<HeartbeatRequest> {
    const { probes, registration, run } = this.deps;
    const held = this.state.held;
    const percent = await this.gpus.take();
    return {
      ...registration.current,
      ...(held ? { jobId: held.lease.jobId, attempt: held.lease.attempt, bootId: held.lease.bootId } : {}),
      ...(percent === undefined ? {} : { gpuUtilizationPercent: percent }),
      // Unknown counts as one, as with people: a machine that may be in use is not taken away.
      containers: (await run.engine.countRunning()) ?? 1,
      sshSessions: await probes.sshSessions(),
    };
  }

  private async tick(): Promise<never> {
    for (;;) {
      await sleep(TICK_MS);
      this.dispatch({ kind: "tick", at: Date.now(), monotonicMs: performance.now() });
    }
  }

  private async powerOff(): Promise<never> {
    for (;;) {
      this.deps.run.log("no contact with the service and no job: the machine powers off");
      await this.deps.powerOff();
      await sleep(POWER_OFF_AGAIN_MS);
    }
  }

  private registered(): void {
    this.contact();
    this.dispatch({ kind: "registered", bootId: this.deps.registration.current.bootId });
  }

  private contact(): void {
    this.dispatch({ kind: "contact", monotonicMs: performance.now() });
  }

  private holds(lease: HeldAttempt["lease"]): boolean {
    const held = this.state.held?.lease;
    return held?.jobId === lease.jobId && held.attempt === lease.attempt;
  }

  /** A full disk must not keep an outcome from being reported. */
  private saveAttempt(held: HeldAttempt | undefined): void {
    try {
      this.deps.disk.saveAttempt(held);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== "ENOSPC") throw error;
      this.deps.run.log("the attempt's state was not saved: the disk is full");
    }
  }

  private async pause(ms: number): Promise<void> {
    await sleep(ms, undefined, { signal: this.wake.signal }).catch(() => undefined);
    this.wake = new AbortController();
  }

  private keep(task: Promise<unknown>): void {
    task.catch((error: unknown) => this.broken.reject(error));
  }
}
