import type { TimerRow } from "./journal";

/** Node's setTimeout overflows beyond 24.8 days and then fires at once. */
const LONGEST_WAIT_MS = 2_147_483_647;

/** Durable timers in due order: a binary heap under one setTimeout. */
export class TimerQueue {
  private readonly heap: TimerRow[] = [];
  private readonly cancelled = new Set<TimerRow>();
  private readonly armed = new Map<string, TimerRow>();
  private handle: NodeJS.Timeout | undefined;
  private stopped = false;

  constructor(private readonly fire: (timer: TimerRow) => void) {}

  add(timer: TimerRow): void {
    this.armed.set(keyOf(timer), timer);
    this.heap.push(timer);
    this.up(this.heap.length - 1);
    if (this.heap[0] === timer) this.schedule();
  }

  cancel(timer: Pick<TimerRow, "iid" | "execution" | "task">): void {
    const key = keyOf(timer);
    const armed = this.armed.get(key);
    if (!armed) return;
    this.armed.delete(key);
    // It leaves the heap when it comes to the top: searching for it would cost more than its place.
    this.cancelled.add(armed);
  }

  stop(): void {
    this.stopped = true;
    clearTimeout(this.handle);
  }

  private schedule(): void {
    clearTimeout(this.handle);
    const first = this.heap[0];
    if (!first || this.stopped) return;
    const waitMs = Math.min(Math.max(first.fireAt - Date.now(), 0), LONGEST_WAIT_MS);
    this.handle = setTimeout(() => this.fireDue(), waitMs);
  }

  private fireDue(): void {
    const now = Date.now();
    for (let first = this.heap[0]; first && (first.fireAt <= now || this.cancelled.has(first)); first = this.heap[0]) {
      this.pop();
      if (this.cancelled.delete(first)) continue;
      this.armed.delete(keyOf(first));
      this.fire(first);
    }
    this.schedule();
  }

  private pop(): void {
    const last = this.heap.pop();
    if (!last || this.heap.length === 0) return;
    this.heap[0] = last;
    this.down(0);
  }

  private up(start: number): void {
    for (let index = start; index > 0;) {
      const parent = (index - 1) >> 1;
      if (this.due(parent) <= this.due(index)) return;
      this.swap(index, parent);
      index = parent;
    }
  }

  private down(start: number): void {
    for (let index = start; ;) {
      const left = 2 * index + 1;
      const smaller = this.due(left + 1) < this.due(left) ? left + 1 : left;
      if (this.due(index) <= this.due(smaller)) return;
      this.swap(index, smaller);
      index = smaller;
    }
  }

  private due(index: number): number {
    return this.heap[index]?.fireAt ?? Number.POSITIVE_INFINITY;
  }

  private swap(a: number, b: number): void {
    const first = this.heap[a];
    const second = this.heap[b];
    if (!first || !second) return;
    this.heap[a] = second;
    this.heap[b] = first;
  }
}

function keyOf({ iid, execution, task }: Pick<TimerRow, "iid" | "execution" | "task">): string {
  return `${iid}/${execution}/${task}`;
}
