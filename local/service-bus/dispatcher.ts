import type { MessageQueue } from "./message-queue";
import type { OutboundLink } from "./outbound-link";

/** Somebody who waits for a session to be free. */
interface SessionSeeker {
  trySession(): boolean;
}

/** Node's timers take no longer times. */
const longestTimerMs = 2 ** 31 - 1;

/** Hands the messages of one queue to its receivers in turn, and wakes up when a lock expires or a scheduled message is due. */
export class Dispatcher {
  private readonly links = new Set<OutboundLink>();
  private readonly seekers = new Set<SessionSeeker>();
  private scheduled: NodeJS.Immediate | undefined;
  private timer: { readonly at: number; readonly handle: NodeJS.Timeout } | undefined;
  private closed = false;

  constructor(
    private readonly queue: MessageQueue,
    private readonly options: { readonly now: () => number; readonly commit: () => void },
  ) {}

  add(link: OutboundLink): void {
    this.links.add(link);
  }

  remove(link: OutboundLink): void {
    this.links.delete(link);
  }

  addSeeker(seeker: SessionSeeker): void {
    this.seekers.add(seeker);
  }

  removeSeeker(seeker: SessionSeeker): void {
    this.seekers.delete(seeker);
  }

  schedule(): void {
    this.scheduled ??= setImmediate(() => this.run());
  }

  run(): void {
    clearImmediate(this.scheduled);
    this.scheduled = undefined;
    if (this.closed) return;
    // Whoever gets a message may rely on it: it is on disk before it leaves.
    this.options.commit();
    this.queue.advance(this.options.now());
    for (const link of this.links) link.checkSession();
    for (const seeker of this.seekers) if (seeker.trySession()) this.seekers.delete(seeker);
    this.deliver();
    for (const link of this.links) link.answerDrain();
    this.setTimer();
  }

  close(): void {
    this.closed = true;
    clearImmediate(this.scheduled);
    clearTimeout(this.timer?.handle);
    this.links.clear();
    this.seekers.clear();
  }

  /** The entity is gone: its receivers are told so. */
  dissolve(): void {
    for (const link of [...this.links]) link.dissolve();
    this.close();
  }

  private deliver(): void {
    let takers = [...this.links];
    while (takers.length > 0) {
      takers = takers.filter((link) => link.canTake());
      for (const link of takers) link.takeNext();
    }
  }

  private setTimer(): void {
    const at = this.queue.nextDeadline();
    if (at === undefined || (this.timer && this.timer.at <= at)) return;
    clearTimeout(this.timer?.handle);
    const wait = Math.min(Math.max(0, at - this.options.now()), longestTimerMs);
    this.timer = { at, handle: setTimeout(() => this.wake(), wait) };
  }

  private wake(): void {
    this.timer = undefined;
    this.run();
  }
}
