import { DuplicateWindow } from "./duplicate-window";
import { OrderedHeap } from "./ordered-heap";
import type { Change, Properties, QueueSnapshot, StoredMessage } from "./stored-message";

export interface MessageQueueOptions {
  /** As the entity is addressed, in lower case: `jobs`, `jobs/$deadletterqueue`. */
  readonly name: string;
  readonly lockMs: number;
  readonly maxDeliveries: number;
  /** 0: duplicates are not looked for. */
  readonly duplicateWindowMs: number;
  /** Where rejected and exhausted messages go. A dead-letter queue has none and keeps what it has. */
  readonly deadLetters?: MessageQueue | undefined;
  /** Receives each change in order; the caller commits them before it answers anybody. */
  readonly record: (change: Change) => void;
  readonly newLockToken: () => string;
}

export interface NewMessage {
  readonly messageId: string;
  readonly content: Buffer;
  /** The time at which the message shall become active, when it is sent ahead of it. */
  readonly dueAt?: number | undefined;
}

export interface Lock {
  readonly token: string;
  readonly message: StoredMessage;
  lockedUntil: number;
}

export type Settlement =
  | { readonly kind: "complete" }
  | { readonly kind: "abandon"; readonly properties?: Properties }
  | { readonly kind: "defer"; readonly properties?: Properties }
  | { readonly kind: "dead-letter"; readonly properties: Properties };

export interface QueueCounts {
  readonly active: number;
  readonly scheduled: number;
}

/**
 * One queue, or one dead-letter queue: pure bookkeeping, without sockets, disks or clocks. Time is an argument and never runs
 * backwards; what happened goes to `record`.
 */
export class MessageQueue {
  readonly name: string;
  private readonly messages = new Map<number, StoredMessage>();
  private readonly ready = new OrderedHeap<StoredMessage>((message) => message.sequence);
  private readonly scheduled = new OrderedHeap<StoredMessage>((message) => message.dueAt ?? 0);
  /** All locks of a queue last equally long, so the order of insertion is the order of expiry; a renewal inserts again. */
  private readonly locks = new Map<string, Lock>();
  private readonly duplicates: DuplicateWindow;
  private scheduledCount = 0;
  private nextSequence = 1;

  constructor(private readonly options: MessageQueueOptions) {
    this.name = options.name;
    this.duplicates = new DuplicateWindow(options.duplicateWindowMs);
  }

  /** Takes up the state of a previous life. What was locked then is free again; what used up its deliveries is a dead letter. */
  restore(snapshot: QueueSnapshot, now: number): void {
    this.nextSequence = snapshot.nextSequence;
    for (const { messageId, until } of snapshot.remembered) this.duplicates.restore(messageId, until);
    for (const message of snapshot.messages) {
      if (this.options.deadLetters && message.state === "active" && message.deliveries >= this.options.maxDeliveries) {
        this.bury(message, this.exhaustion(), now);
      } else {
        this.place(message);
      }
    }
  }

  /** Stores a message. A message id that was seen inside the window is accepted and dropped, and has no sequence number. */
  enqueue(incoming: NewMessage, now: number): number | undefined {
    if (this.options.duplicateWindowMs > 0) {
      if (this.duplicates.isKnown(incoming.messageId, now)) return undefined;
      const until = this.duplicates.remember(incoming.messageId, now);
      this.options.record({ kind: "remember", queue: this.name, messageId: incoming.messageId, until });
    }
    const { dueAt } = incoming;
    const sequence = this.nextSequence++;
    const waits = dueAt !== undefined && dueAt > now;
    this.add({
      sequence,
      enqueuedSequence: sequence,
      messageId: incoming.messageId,
      enqueuedAt: waits ? dueAt : now,
      content: incoming.content,
      state: waits ? "scheduled" : "active",
      dueAt: waits ? dueAt : undefined,
      deliveries: 0,
      properties: {},
      deadLetterSource: undefined,
    });
    return sequence;
  }

  /** Locks the first message that is free. */
  receive(now: number): Lock | undefined {
    const message = this.ready.pop();
    return message && this.lock(message, now);
  }

  /** Hands out the first free message and forgets it. */
  receiveAndDelete(): StoredMessage | undefined {
    const message = this.ready.pop();
    if (message) this.remove(message);
    return message;
  }

  /** A deferred message is only found by its number. */
  receiveDeferred(sequence: number, now: number): Lock | undefined {
    const message = this.messages.get(sequence);
    if (message?.state !== "deferred" || this.lockOf(message)) return undefined;
    return this.lock(message, now);
  }

  /** Takes a delivery back that never left the broker: it does not count. */
  undoReceive(token: string): void {
    const lock = this.locks.get(token);
    if (!lock) return;
    this.locks.delete(token);
    lock.message.deliveries -= 1;
    this.options.record({ kind: "update", queue: this.name, message: lock.message });
    if (lock.message.state === "active") this.ready.push(lock.message);
  }

  settle(token: string, settlement: Settlement, now: number): "settled" | "lock-lost" {
    const lock = this.locks.get(token);
    if (!lock || lock.lockedUntil <= now) return "lock-lost";
    this.locks.delete(token);
    const { message } = lock;
    switch (settlement.kind) {
      case "complete":
        this.remove(message);
        break;
      case "abandon":
        message.properties = { ...message.properties, ...settlement.properties };
        this.release(message, now);
        break;
      case "defer":
        message.state = "deferred";
        message.properties = { ...message.properties, ...settlement.properties };
        this.options.record({ kind: "update", queue: this.name, message });
        break;
      case "dead-letter":
        this.bury(message, settlement.properties, now);
        break;
    }
    return "settled";
  }

  /** The new end of the lock, or undefined when it was lost. */
  renew(token: string, now: number): number | undefined {
    const lock = this.locks.get(token);
    if (!lock || lock.lockedUntil <= now) return undefined;
    lock.lockedUntil = now + this.options.lockMs;
    this.locks.delete(token);
    this.locks.set(token, lock);
    return lock.lockedUntil;
  }

  isLocked(token: string, now: number): boolean {
    return (this.locks.get(token)?.lockedUntil ?? 0) > now;
  }

  messageIdOf(token: string): string | undefined {
    return this.locks.get(token)?.message.messageId;
  }

  /** Looks without taking: also what is locked, deferred or scheduled, in the order of sequence numbers. */
  peek(fromSequence: number, count: number): StoredMessage[] {
    const found = [...this.messages.values()].filter(({ sequence }) => sequence >= fromSequence);
    return found.sort((a, b) => a.sequence - b.sequence).slice(0, count);
  }

  cancelScheduled(sequence: number): boolean {
    const message = this.messages.get(sequence);
    if (message?.state !== "scheduled") return false;
    // Its entry in the heap stays until its time and is skipped then.
    this.remove(message);
    return true;
  }

  /** Lets time pass: locks expire, scheduled messages become active, old message ids are forgotten. */
  advance(now: number): void {
    for (const lock of this.locks.values()) {
      if (lock.lockedUntil > now) break;
      this.locks.delete(lock.token);
      this.release(lock.message, now);
    }
    for (let due = this.scheduled.peek(); due && (due.dueAt ?? 0) <= now; due = this.scheduled.peek()) {
      this.scheduled.pop();
      if (this.messages.get(due.sequence) === due && due.state === "scheduled") this.activate(due);
    }
    if (this.duplicates.forget(now)) this.options.record({ kind: "forget", queue: this.name, until: now });
  }

  /** When `advance` has something to do next; the end of a duplicate window is not worth a timer. */
  nextDeadline(): number | undefined {
    const lock = this.locks.values().next().value;
    const times = [lock?.lockedUntil, this.scheduled.peek()?.dueAt].filter((time) => time !== undefined);
    return times.length === 0 ? undefined : Math.min(...times);
  }

  hasReady(): boolean {
    return this.ready.size > 0;
  }

  /** As Azure counts: locked and deferred messages are active. */
  counts(): QueueCounts {
    return { active: this.messages.size - this.scheduledCount, scheduled: this.scheduledCount };
  }

  /** Takes in a message of another queue; it gets a number of this one. */
  adopt(message: StoredMessage, from: string, properties: Properties): void {
    const { messageId, enqueuedSequence, enqueuedAt, content, deliveries } = message;
    this.add({
      sequence: this.nextSequence++,
      ...{ messageId, enqueuedSequence, enqueuedAt, content, deliveries },
      state: "active",
      dueAt: undefined,
      properties: { ...message.properties, ...properties },
      deadLetterSource: from,
    });
  }

  private lock(message: StoredMessage, now: number): Lock {
    message.deliveries += 1;
    this.options.record({ kind: "update", queue: this.name, message });
    const lock = { token: this.options.newLockToken(), message, lockedUntil: now + this.options.lockMs };
    this.locks.set(lock.token, lock);
    return lock;
  }

  private lockOf(message: StoredMessage): Lock | undefined {
    return [...this.locks.values()].find((lock) => lock.message === message);
  }

  /** Back to the others, unless its deliveries are used up. A deferred message stays deferred. */
  private release(message: StoredMessage, now: number): void {
    if (this.options.deadLetters && message.deliveries >= this.options.maxDeliveries) {
      this.bury(message, this.exhaustion(), now);
      return;
    }
    this.options.record({ kind: "update", queue: this.name, message });
    if (message.state === "active") this.ready.push(message);
  }

  private bury(message: StoredMessage, properties: Properties, now: number): void {
    const { deadLetters } = this.options;
    if (!deadLetters) {
      message.properties = { ...message.properties, ...properties };
      this.release(message, now);
      return;
    }
    this.remove(message);
    deadLetters.adopt(message, this.name, properties);
  }

  private exhaustion(): Properties {
    return {
      DeadLetterReason: "MaxDeliveryCountExceeded",
      DeadLetterErrorDescription: `Message could not be consumed after ${this.options.maxDeliveries} delivery attempts.`,
    };
  }

  private activate(message: StoredMessage): void {
    this.remove(message);
    this.add({ ...message, sequence: this.nextSequence++, state: "active", dueAt: undefined });
  }

  private add(message: StoredMessage): void {
    this.options.record({ kind: "put", queue: this.name, message });
    this.place(message);
  }

  private place(message: StoredMessage): void {
    this.messages.set(message.sequence, message);
    if (message.state === "active") this.ready.push(message);
    if (message.state !== "scheduled") return;
    this.scheduledCount += 1;
    this.scheduled.push(message);
  }

  private remove(message: StoredMessage): void {
    if (message.state === "scheduled") this.scheduledCount -= 1;
    this.messages.delete(message.sequence);
    this.options.record({ kind: "remove", queue: this.name, sequence: message.sequence });
  }
}
