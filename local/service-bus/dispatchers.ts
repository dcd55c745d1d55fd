import type { Broker } from "./broker";
import { Dispatcher } from "./dispatcher";
import type { MessageQueue } from "./message-queue";

/** The dispatchers of all queues; those of queues that are made later come when they are first needed. */
export class Dispatchers {
  private readonly dispatchers = new Map<string, Dispatcher>();
  private closed = false;

  constructor(
    private readonly broker: Broker,
    private readonly options: { readonly now: () => number; readonly commit: () => void },
  ) {}

  of(queue: MessageQueue): Dispatcher {
    const known = this.dispatchers.get(queue.name);
    if (known) return known;
    const dispatcher = new Dispatcher(queue, this.options);
    this.dispatchers.set(queue.name, dispatcher);
    if (this.closed) dispatcher.close();
    return dispatcher;
  }

  runAll(): void {
    for (const queue of this.broker.list()) this.of(queue).run();
  }

  /** Queues that have changed may have something for somebody, or an earlier deadline. */
  run(names: Iterable<string>): void {
    for (const name of names) {
      const queue = this.broker.find(name);
      if (queue && !this.closed) this.of(queue).run();
    }
  }

  dissolve(name: string): void {
    this.dispatchers.get(name)?.dissolve();
    this.dispatchers.delete(name);
  }

  closeAll(): void {
    this.closed = true;
    for (const dispatcher of this.dispatchers.values()) dispatcher.close();
  }
}
