import type { Clock } from "../../../local/event-grid/clock";

interface Timer {
  readonly at: number;
  readonly action: () => void;
}

/** Time that passes when a test says so: a day in milliseconds. */
export class ManualClock implements Clock {
  private time: number;
  private readonly timers = new Set<Timer>();

  constructor(start: string) {
    this.time = Date.parse(start);
  }

  now(): number {
    return this.time;
  }

  after(milliseconds: number, action: () => void): () => void {
    const timer = { at: this.time + Math.max(0, milliseconds), action };
    this.timers.add(timer);
    return () => this.timers.delete(timer);
  }

  /** Moves to each timer in turn, and lets what it began come to its end. */
  async pass(milliseconds: number): Promise<void> {
    const until = this.time + milliseconds;
    for (;;) {
      await settle();
      const next = [...this.timers].filter(({ at }) => at <= until).sort((one, other) => one.at - other.at)[0];
      if (!next) break;
      this.timers.delete(next);
      this.time = Math.max(this.time, next.at);
      next.action();
    }
    this.time = until;
    await settle();
  }
}

/** Lets promises that wait for nothing outside go through. */
async function settle(): Promise<void> {
  for (let turn = 0; turn < 5; turn += 1) await new Promise((resolve) => setImmediate(resolve));
}
