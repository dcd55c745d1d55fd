import type { RegisteredFunction } from "./core-api";
import type { Invoker } from "./invoker";
import type { Log } from "./log";
import { parseSchedule } from "./ncrontab";
import type { Schedule } from "./ncrontab";
import { retryPolicyOf, runWithRetries } from "./retry-policy";
import type { RetryPolicy } from "./retry-policy";
import type { Binding } from "./rpc";
import { resolveSettings } from "./settings";
import type { Settings } from "./settings";
import type { TimerState } from "./timer-state";

/** Node's setTimeout overflows beyond 24.8 days. */
const LONGEST_WAIT_MS = 2_147_483_647;
/** A timer that is due often needs no record of its last run, as in the real host. */
const MONITORED_FROM_MS = 60_000;

interface TimerTriggerParts {
  readonly invoker: Invoker;
  readonly state: TimerState;
  readonly settings: Settings;
  readonly log: Log;
}

/** Runs one timer function, never twice at a time, and makes up for a run that was missed while the host was down. */
export class TimerTrigger {
  private readonly name: string;
  private readonly schedule: Schedule;
  private readonly runOnStartup: boolean;
  private readonly monitored: boolean;
  private readonly retries: RetryPolicy | undefined;
  private readonly stopping = new AbortController();
  private handle: NodeJS.Timeout | undefined;

  constructor(
    private readonly fn: RegisteredFunction,
    binding: Binding,
    private readonly parts: TimerTriggerParts,
  ) {
    this.name = fn.metadata.name;
    const text = typeof binding["schedule"] === "string" ? binding["schedule"] : "";
    this.schedule = parseSchedule(
      resolveSettings(text, this.name, parts.settings),
      parts.settings["WEBSITE_TIME_ZONE"],
    );
    this.runOnStartup = binding["runOnStartup"] === true;
    this.monitored = binding["useMonitor"] !== false && this.periodMs() >= MONITORED_FROM_MS;
    this.retries = retryPolicyOf(fn, parts.log);
  }

  start(): void {
    const status = this.monitored ? this.parts.state.of(this.name) : undefined;
    const pastDue = status !== undefined && Date.parse(status.next) <= Date.now();
    if (pastDue || this.runOnStartup) void this.run(pastDue);
    else this.wait();
  }

  stop(): void {
    this.stopping.abort();
    clearTimeout(this.handle);
  }

  private wait(): void {
    const next = this.schedule.next(new Date());
    if (!next || this.stopping.signal.aborted) return;
    const waitMs = next.getTime() - Date.now();
    this.record(this.parts.state.of(this.name)?.last ?? new Date().toISOString(), next);
    this.handle = setTimeout(
      () => (waitMs > LONGEST_WAIT_MS ? this.wait() : void this.run(false)),
      Math.min(Math.max(waitMs, 0), LONGEST_WAIT_MS),
    );
  }

  private async run(isPastDue: boolean): Promise<void> {
    const last = new Date();
    const next = this.schedule.next(last);
    const data = { json: JSON.stringify(this.timerOf({ last, next, isPastDue })) };
    const reason = `Timer fired at ${last.toISOString().replace("Z", "0000+00:00")}`;
    await runWithRetries({
      ...{ policy: this.retries, log: this.parts.log, signal: this.stopping.signal },
      run: (retryContext) => this.parts.invoker.invoke(this.fn, { data, reason, retryContext }),
    });
    // Recorded after the run: a host that dies in the middle runs the function again when it is back.
    if (next) this.record(last.toISOString(), next);
    this.wait();
  }

  private timerOf({ last, next, isPastDue }: { last: Date; next: Date | undefined; isPastDue: boolean }): object {
    const status = {
      Last: this.parts.state.of(this.name)?.last ?? last.toISOString(),
      Next: (next ?? last).toISOString(),
      LastUpdated: last.toISOString(),
    };
    return {
      Schedule: { AdjustForDST: true },
      ScheduleStatus: this.monitored ? status : null,
      IsPastDue: isPastDue,
    };
  }

  private record(last: string, next: Date): void {
    if (this.monitored) this.parts.state.set(this.name, { last, next: next.toISOString() });
  }

  private periodMs(): number {
    const first = this.schedule.next(new Date());
    const second = first && this.schedule.next(first);
    return first && second ? second.getTime() - first.getTime() : Number.POSITIVE_INFINITY;
  }
}
