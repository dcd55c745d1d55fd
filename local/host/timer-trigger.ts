import type { RegisteredFunction } from "./core-api";
import type { Invoker } from "./invoker";
import { describeError } from "./log";
import type { Log } from "./log";
import { parseSchedule } from "./ncrontab";
import type { Schedule } from "./ncrontab";
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
  private handle: NodeJS.Timeout | undefined;
  private stopped = false;

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
  }

  start(): void {
    const status = this.monitored ? this.parts.state.of(this.name) : undefined;
    const pastDue = status !== undefined && Date.parse(status.next) <= Date.now();
    if (pastDue || this.runOnStartup) void this.run(pastDue);
    else this.wait();
  }

  stop(): void {
    this.stopped = true;
    clearTimeout(this.handle);
  }

  private wait(): void {
    const next = this.schedule.next(new Date());
    if (!next || this.stopped) return;
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
    const previous = this.parts.state.of(this.name);
    const status = {
      Last: previous?.last ?? last.toISOString(),
      Next: (next ?? last).toISOString(),
      LastUpdated: last.toISOString(),
    };
    const json = JSON.stringify({
      Schedule: { AdjustForDST: true },
      ScheduleStatus: this.monitored ? status : null,
      IsPastDue: isPastDue,
    });
    try {
      await this.parts.invoker.invoke(this.fn, { data: { json } });
    } catch (error) {
      this.parts.log(`[${this.name}] Executed with failure: ${describeError(error)}`);
    }
    // Recorded after the run: a host that dies in the middle runs the function again when it is back.
    if (next) this.record(last.toISOString(), next);
    this.wait();
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
