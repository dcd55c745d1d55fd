import type { MessageQueue } from "./message-queue";
import type { OutboundLink } from "./outbound-link";

/** Hands the messages of one queue to its receivers in turn, and wakes up when a lock expires or a scheduled message is due. */
export class Dispatcher {
  private readonly links = new Set<OutboundLink>();
  private scheduled: NodeJS.Immediate | undefined;
  private timer: { readonly at: number; readonly handle: NodeJS.Timeout } | undefined;

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

  schedule(): void {
    this.scheduled ??= setImmediate(() => this.run());
  }

  run(): void {
    clearImmediate(this.scheduled);
    this.scheduled = undefined;
    // Whoever gets a message may rely on it: it is on disk before it leaves.
    this.options.commit();
    this.queue.advance(this.options.now());
    this.deliver();
    for (const link of this.links) link.answerDrain();
    this.setTimer();
  }

  close(): void {
    clearImmediate(this.scheduled);
    clearTimeout(this.timer?.handle);
    this.links.clear();
  }

  private deliver(): void {
    let takers = [...this.links];
    while (takers.length > 0 && this.queue.hasReady()) {
      takers = takers.filter((link) => link.canTake());
      for (const link of takers) link.takeNext();
    }
  }

  private setTimer(): void {
    const at = this.queue.nextDeadline();
    if (at === undefined || (this.timer && this.timer.at <= at)) return;
    clearTimeout(this.timer?.handle);
    const handle = setTimeout(() => this.wake(), Math.max(0, at - this.options.now()));
    this.timer = { at, handle };
  }

  private wake(): void {
    this.timer = undefined;
    this.run();
  }
}
