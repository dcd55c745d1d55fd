import fc from "fast-check";
import { Broker } from "../../../local/service-bus/broker";
import type { Lock } from "../../../local/service-bus/lock-table";
import type { MessageQueue } from "../../../local/service-bus/message-queue";
import type { Change, QueueSnapshot, StoredMessage } from "../../../local/service-bus/stored-message";

const maxDeliveryCount = 3;
const lockMs = 1000;
const windowMs = 5000;

/** What a journal would have on disk, from the changes alone. */
class Disk {
  private readonly messages = new Map<string, Map<number, StoredMessage>>();
  private readonly next = new Map<string, number>();
  private remembered: { queue: string; messageId: string; until: number }[] = [];

  readonly record = (change: Change): void => {
    const rows = this.messages.get(change.queue) ?? new Map<number, StoredMessage>();
    this.messages.set(change.queue, rows);
    if (change.kind === "put") this.next.set(change.queue, change.message.sequence + 1);
    if (change.kind === "put" || change.kind === "update") rows.set(change.message.sequence, { ...change.message });
    if (change.kind === "remove") rows.delete(change.sequence);
    if (change.kind === "remember") this.remembered.push(change);
    if (change.kind === "forget")
      this.remembered = this.remembered.filter((r) => r.queue !== change.queue || r.until > change.until);
  };

  readonly snapshotOf = (queue: string): QueueSnapshot => ({
    nextSequence: this.next.get(queue) ?? 1,
    messages: [...(this.messages.get(queue)?.values() ?? [])].map((message) => ({ ...message })),
    remembered: this.remembered.filter((r) => r.queue === queue),
  });
}

/** The broker beside the simplest possible account of what must have become of each message. */
class World {
  now = 0;
  private readonly disk = new Disk();
  private broker = this.open();
  private tokens = 0;
  private locks: Lock[] = [];
  private readonly expected = new Map<
    string,
    { deliveries: number; place: "queue" | "dead" | "gone"; rememberedUntil: number }
  >();

  get queue(): MessageQueue {
    return this.find("jobs");
  }

  send(messageId: string): void {
    const known = this.expected.get(messageId);
    const stored = this.queue.enqueue({ messageId, content: Buffer.from(messageId) }, this.now) !== undefined;
    expect(stored).toBe(!known || known.rememberedUntil <= this.now);
    if (stored && known) this.expected.set(`${messageId} before ${this.now}`, { ...known, place: "gone" });
    if (stored) this.expected.set(messageId, { deliveries: 0, place: "queue", rememberedUntil: this.now + windowMs });
  }

  receive(): void {
    const lock = this.queue.receive(this.now);
    if (!lock) return;
    const known = this.known(lock.message.messageId);
    expect(lock.message.deliveries).toBe(++known.deliveries);
    expect(known.place).toBe("queue");
    this.locks.push(lock);
  }

  settle(index: number, kind: "complete" | "abandon" | "dead-letter"): void {
    const [lock] = this.locks.splice(index % Math.max(1, this.locks.length), 1);
    if (!lock) return;
    const held = lock.lockedUntil > this.now;
    expect(this.queue.settle(lock.token, { kind, properties: {} }, this.now)).toBe(held ? "settled" : "lock-lost");
    if (!held) return;
    const known = this.known(lock.message.messageId);
    if (kind === "complete") known.place = "gone";
    if (kind === "dead-letter") known.place = "dead";
    if (kind === "abandon") this.release(lock.message.messageId);
  }

  /** A delivery that was chosen and never left. */
  undo(index: number): void {
    const [lock] = this.locks.splice(index % Math.max(1, this.locks.length), 1);
    if (!lock) return;
    this.queue.undoReceive(lock.token);
    this.known(lock.message.messageId).deliveries -= 1;
  }

  pass(milliseconds: number): void {
    this.now += milliseconds;
    this.queue.advance(this.now);
    for (const lock of this.locks.filter(({ lockedUntil }) => lockedUntil <= this.now))
      this.release(lock.message.messageId);
    this.locks = this.locks.filter(({ lockedUntil }) => lockedUntil > this.now);
  }

  renew(index: number): void {
    const lock = this.locks[index % Math.max(1, this.locks.length)];
    if (lock) expect(this.queue.renew(lock.token, this.now)).toBe(lock.lockedUntil);
  }

  restart(): void {
    for (const lock of this.locks.splice(0)) this.release(lock.message.messageId);
    this.broker = this.open();
    this.broker.restore(this.disk.snapshotOf, this.now);
  }

  check(): void {
    const idsIn = (place: string) => [...this.expected].flatMap(([id, known]) => (known.place === place ? [id] : []));
    const ids = (queue: MessageQueue) => queue.peek(0, Infinity).map(({ messageId }) => messageId);
    expect(ids(this.queue).sort()).toEqual(idsIn("queue").sort());
    expect(ids(this.find("jobs/$DeadLetterQueue")).sort()).toEqual(idsIn("dead").sort());
    expect(this.broker.counts("jobs")).toEqual({
      active: idsIn("queue").length,
      deadLetter: idsIn("dead").length,
      scheduled: 0,
    });
  }

  private release(messageId: string): void {
    const known = this.known(messageId);
    if (known.deliveries >= maxDeliveryCount) known.place = "dead";
  }

  private known(messageId: string) {
    const known = this.expected.get(messageId);
    if (!known) throw new Error(`${messageId} was never sent`);
    return known;
  }

  private find(name: string): MessageQueue {
    const queue = this.broker.find(name);
    if (!queue) throw new Error(`no queue ${name}`);
    return queue;
  }

  private open(): Broker {
    const queues = [
      { name: "jobs", maxDeliveryCount, lockSeconds: lockMs / 1000, duplicateDetectionSeconds: windowMs / 1000 },
    ];
    return new Broker({ queues, record: this.disk.record, newLockToken: () => `t${(this.tokens += 1)}` });
  }
}

type Step = (world: World) => void;
let fresh = 0;
const step = fc.oneof<fc.Arbitrary<Step>[]>(
  fc.constant((world) => world.send(`m${(fresh += 1)}`)),
  fc.nat(4).map((id) => (world) => world.send(`again${id}-${world.now > 2 * windowMs ? "late" : "early"}`)),
  fc.constant((world) => world.receive()),
  fc.tuple(fc.nat(9), fc.constantFrom("complete", "abandon", "dead-letter")).map(
    ([index, kind]) =>
      (world) =>
        world.settle(index, kind),
  ),
  fc.nat(lockMs).map((milliseconds) => (world) => world.pass(milliseconds)),
  fc.nat(9).map((index) => (world) => world.renew(index)),
  fc.nat(9).map((index) => (world) => world.undo(index)),
  fc.constant((world) => world.restart()),
);

it("loses no message, doubles none and counts deliveries right, whatever happens in whatever order", () => {
  fc.assert(
    fc.property(fc.array(step, { maxLength: 80 }), (steps) => {
      const world = new World();

      for (const act of steps) {
        act(world);
        world.check();
      }
    }),
    { numRuns: 300 },
  );
});

it("hands messages out in the order of their sequence numbers, redelivered ones first", () => {
  const broker = new Broker({
    queues: [{ name: "jobs" }],
    record: () => undefined,
    newLockToken: () => String(Math.random()),
  });
  const queue = broker.find("jobs");
  for (let n = 1; n <= 50; n += 1) queue?.enqueue({ messageId: `m${n}`, content: Buffer.alloc(0) }, 0);

  const locks = Array.from({ length: 20 }, () => queue?.receive(0));
  for (const lock of locks.toReversed()) if (lock) queue?.settle(lock.token, { kind: "abandon" }, 1);
  const order = Array.from({ length: 50 }, () => queue?.receive(2)?.message.sequence);

  expect(order).toEqual(Array.from({ length: 50 }, (_, index) => index + 1));
});

it("forgets message ids when their window is over, on disk too", () => {
  const forgotten: Change[] = [];
  const record = (change: Change) => {
    if (change.kind === "forget") forgotten.push(change);
  };
  const queues = [{ name: "jobs", duplicateDetectionSeconds: 10 }];
  const queue = new Broker({ queues, record, newLockToken: () => "t" }).find("jobs");
  queue?.enqueue({ messageId: "m1", content: Buffer.alloc(0) }, 0);

  queue?.advance(9_999);
  queue?.advance(11_001);

  expect(forgotten).toEqual([{ kind: "forget", queue: "jobs", until: 11_001 }]);
});
