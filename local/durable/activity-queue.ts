import type { ActivityRow } from "./journal";

export type ActivityOutcome = { readonly result: string } | { readonly error: unknown };

export type ActivityTask = Pick<ActivityRow, "iid" | "execution" | "task">;

const keyOf = ({ iid, execution, task }: ActivityTask): string => `${iid} ${execution} ${task}`;

/** Runs scheduled activities, first come first served, never more than `limit` at once. */
export class ActivityQueue {
  private waiting: ActivityRow[] = [];
  private next = 0;
  private running = 0;
  private stopped = false;
  /** Those that will still answer. */
  private readonly live = new Set<string>();

  constructor(
    /** Gives the activity's result as JSON. */
    private readonly call: (row: ActivityRow) => Promise<string>,
    private readonly limit: number,
    private readonly done: (row: ActivityRow, outcome: ActivityOutcome) => void,
  ) {}

  add(row: ActivityRow): void {
    this.live.add(keyOf(row));
    this.waiting.push(row);
    this.fill();
  }

  /** Will the activity of that task answer, or has it done so? */
  willAnswer(task: ActivityTask): boolean {
    return this.live.has(keyOf(task));
  }

  stop(): void {
    this.stopped = true;
  }

  private fill(): void {
    while (!this.stopped && this.running < this.limit) {
      const row = this.waiting[this.next];
      if (!row) break;
      this.next += 1;
      this.running += 1;
      void this.run(row);
    }
    // Taking from the front of a long array one by one would copy it each time.
    if (this.next > 1000 || this.next === this.waiting.length) {
      this.waiting = this.waiting.slice(this.next);
      this.next = 0;
    }
  }

  private async run(row: ActivityRow): Promise<void> {
    let outcome: ActivityOutcome;
    try {
      outcome = { result: await this.call(row) };
    } catch (error) {
      outcome = { error };
    }
    this.running -= 1;
    this.live.delete(keyOf(row));
    this.done(row, outcome);
    this.fill();
  }
}
