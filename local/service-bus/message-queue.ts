/* eslint-disable max-lines -- one state machine; its transitions are read together */
import { DuplicateWindow } from "./duplicate-window";
import { LockTable, type Lock } from "./lock-table";
import { MessageShelf } from "./message-shelf";
import {
  deadLetterReasons,
  expiryOf,
  type MessageQueueOptions,
  type NewMessage,
  type QueueCounts,
  type Settlement,
} from "./queue-options";
import type { SessionLock, Sessions } from "./sessions";
import type { Properties, QueueSnapshot, StoredMessage } from "./stored-message";

/**
 * One queue, one subscription, one dead-letter queue, or what of a topic is still scheduled: pure bookkeeping, without sockets,
 * disks or clocks. Time is an argument and never runs backwards; what happened goes to `record`.
 */
export class MessageQueue {
  readonly name: string;
  readonly shelf: MessageShelf;
  /** Only where sessions are required. */
  readonly sessions: Sessions | undefined;
  private readonly ttlMs: number;
  private readonly locks: LockTable;
  private readonly duplicates: DuplicateWindow;
  private nextSequence = 1;

  constructor(readonly options: MessageQueueOptions) {
    this.name = options.name;
    this.locks = new LockTable(options.lockMs);
    this.duplicates = new DuplicateWindow(options.duplicateWindowMs);
    this.shelf = new MessageShelf(options);
    this.sessions = this.shelf.sessions;
    this.ttlMs = options.defaultTtlMs ?? Infinity;
  }

  /** Takes up the state of a previous life. What was locked then is free again. */
  restore(snapshot: QueueSnapshot): void {
    this.nextSequence = snapshot.nextSequence;
    for (const { messageId, until } of snapshot.remembered) this.duplicates.restore(messageId, until);
    this.sessions?.restore(snapshot.sessions ?? []);
    for (const message of snapshot.messages) this.shelf.place(message);
  }

  /** Once all queues are restored: what used up its deliveries is a dead letter, what does not belong here goes where it does. */
  resume(now: number): void {
    for (const message of this.shelf.all()) {
      if (message.state !== "active") continue;
      if (this.isExhausted(message)) this.bury(message, deadLetterReasons.exhausted(this.options.maxDeliveries), now);
      else if (this.options.forward || this.shelf.lacksSession(message)) {
        this.remove(message);
        this.admit(message, now);
      }
    }
  }

  /** Stores a message. A message id that was seen inside the window is accepted and dropped, and has no sequence number. */
  enqueue(incoming: NewMessage, now: number): number | undefined {
    if (this.isDuplicate(incoming.messageId, now)) return undefined;
    const { dueAt, messageId, content, sessionId } = incoming;
    const sequence = this.nextSequence++;
    const waits = dueAt !== undefined && dueAt > now;
    const enqueuedAt = waits ? dueAt : now;
    this.admit(
      {
        ...{ sequence, messageId, enqueuedAt, content, sessionId },
        enqueuedSequence: sequence,
        expiresAt: expiryOf(enqueuedAt + (incoming.ttlMs ?? Infinity), enqueuedAt + this.ttlMs),
        state: waits ? "scheduled" : "active",
        dueAt: waits ? dueAt : undefined,
        deliveries: 0,
        properties: {},
        deadLetterSource: undefined,
      },
      now,
    );
    return sequence;
  }

  /** Locks the first message that is free; where there are sessions, of the session that the receiver holds. */
  receive(now: number, session?: SessionLock): Lock | undefined {
    const message = this.shelf.take(now, session);
    return message && this.lock(message, now, session);
  }

  /** Hands out the first free message and forgets it. */
  receiveAndDelete(now: number, session?: SessionLock): StoredMessage | undefined {
    const message = this.shelf.take(now, session);
    if (message) this.remove(message);
    return message;
  }

  /** A deferred message is only found by its number. */
  receiveDeferred(sequence: number, now: number, session?: SessionLock): Lock | undefined {
    const message = this.shelf.get(sequence);
    if (message?.state !== "deferred" || this.locks.holds(message)) return undefined;
    if (session && message.sessionId !== session.sessionId) return undefined;
    return this.lock(message, now, session);
  }

  /** Takes a delivery back that never left the broker: it does not count. */
  undoReceive(token: string): void {
    const lock = this.locks.get(token);
    if (!lock) return;
    this.locks.remove(lock);
    lock.message.deliveries -= 1;
    this.options.record({ kind: "update", queue: this.name, message: lock.message });
    if (lock.message.state === "active") this.shelf.makeReady(lock.message);
  }

  settle(token: string, settlement: Settlement, now: number): "settled" | "lock-lost" {
    const lock = this.locks.held(token, now);
    if (!lock) return "lock-lost";
    this.locks.remove(lock);
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
        this.shelf.watchExpiry(message);
        break;
      case "dead-letter":
        this.bury(message, settlement.properties, now);
        break;
    }
    return "settled";
  }

  /** The new end of the lock, or undefined when it was lost. */
  renew(token: string, now: number): number | undefined {
    const lock = this.locks.held(token, now);
    return lock && this.locks.renew(lock, now);
  }

  isLocked(token: string, now: number): boolean {
    return this.locks.held(token, now) !== undefined;
  }

  messageIdOf(token: string): string | undefined {
    return this.locks.get(token)?.message.messageId;
  }

  /** Looks without taking: also what is locked, deferred or scheduled, in the order of sequence numbers. */
  peek(fromSequence: number, count: number, sessionId?: string): StoredMessage[] {
    return this.shelf.peek(fromSequence, count, sessionId);
  }

  cancelScheduled(sequence: number): boolean {
    const message = this.shelf.get(sequence);
    if (message?.state !== "scheduled") return false;
    this.remove(message);
    return true;
  }

  setSessionState(sessionId: string, state: Buffer | undefined, now: number): void {
    this.sessions?.setState(sessionId, state, now);
    this.options.record({ kind: "session-state", queue: this.name, session: { sessionId, state, updatedAt: now } });
  }

  /** The receiver of a session is gone, or too late: its messages go back to the session, and others may take it. */
  closeSession(session: SessionLock, now: number): void {
    this.sessions?.release(session);
    for (const lock of [...session.locks]) {
      this.locks.remove(lock);
      this.release(lock.message, now);
    }
  }

  /** Lets time pass: locks and messages expire, scheduled messages become active, old message ids are forgotten. */
  advance(now: number): void {
    for (let lock = this.locks.expired(now); lock; lock = this.locks.expired(now)) {
      this.locks.remove(lock);
      this.release(lock.message, now);
    }
    for (let lost = this.sessions?.expired(now); lost; lost = this.sessions?.expired(now)) this.closeSession(lost, now);
    for (let due = this.shelf.takeDue(now); due; due = this.shelf.takeDue(now)) {
      this.remove(due);
      this.admit({ ...due, sequence: this.nextSequence++, state: "active", dueAt: undefined }, now);
    }
    for (let old = this.shelf.takeExpired(now); old; old = this.shelf.takeExpired(now)) {
      // Who has a message in hand may finish with it; it expires when it comes back.
      if (!this.locks.holds(old)) this.expire(old, now);
    }
    if (this.duplicates.forget(now)) this.options.record({ kind: "forget", queue: this.name, until: now });
  }

  /** When `advance` has something to do next; the end of a duplicate window is not worth a timer. */
  nextDeadline(): number | undefined {
    const known = [this.locks.nextExpiry(), ...this.shelf.deadlines()].filter((time) => time !== undefined);
    return known.length === 0 ? undefined : Math.min(...known);
  }

  counts(): QueueCounts {
    return this.shelf.counts();
  }

  /** Takes in a dead letter of another queue; it gets a number of this one, and no time to live. */
  adopt(message: StoredMessage, { from, properties }: { from: string; properties: Properties }, now: number): void {
    this.admit(
      {
        ...{ ...message, expiresAt: undefined, state: "active", dueAt: undefined },
        sequence: this.nextSequence++,
        properties: { ...message.properties, ...properties },
        deadLetterSource: from,
      },
      now,
    );
  }

  /** Takes in a copy of a message that another entity passes on. */
  takeOver(message: StoredMessage, now: number): void {
    if (this.isDuplicate(message.messageId, now)) return;
    const copy = { ...message, state: "active", dueAt: undefined, enqueuedAt: now, deliveries: 0 } as const;
    const expiresAt = expiryOf(message.expiresAt ?? Infinity, now + this.ttlMs);
    this.admit({ ...copy, sequence: this.nextSequence++, expiresAt }, now);
  }

  /** Remembers an id that is new. */
  private isDuplicate(messageId: string, now: number): boolean {
    if (this.options.duplicateWindowMs === 0) return false;
    if (this.duplicates.isKnown(messageId, now)) return true;
    const until = this.duplicates.remember(messageId, now);
    this.options.record({ kind: "remember", queue: this.name, messageId, until });
    return false;
  }

  private lock(message: StoredMessage, now: number, session?: SessionLock): Lock {
    message.deliveries += 1;
    this.options.record({ kind: "update", queue: this.name, message });
    const lockedUntil = session?.lockedUntil ?? now + this.options.lockMs;
    const lock = { token: this.options.newLockToken(), message, lockedUntil, session };
    this.locks.add(lock);
    session?.locks.add(lock);
    return lock;
  }

  /** Back to the others, unless its deliveries are used up or its time is over. A deferred message stays deferred. */
  private release(message: StoredMessage, now: number): void {
    if (this.isExhausted(message)) {
      this.bury(message, deadLetterReasons.exhausted(this.options.maxDeliveries), now);
      return;
    }
    if (message.expiresAt !== undefined && message.expiresAt <= now) {
      this.expire(message, now);
      return;
    }
    this.options.record({ kind: "update", queue: this.name, message });
    if (message.state === "active") this.shelf.makeReady(message);
  }

  private expire(message: StoredMessage, now: number): void {
    if (this.options.deadLettersExpired && this.options.deadLetters) this.bury(message, deadLetterReasons.expired, now);
    else this.remove(message);
  }

  private bury(message: StoredMessage, properties: Properties, now: number): void {
    const { deadLetters } = this.options;
    if (!deadLetters) {
      message.properties = { ...message.properties, ...properties };
      this.release(message, now);
      return;
    }
    this.remove(message);
    deadLetters.adopt(message, { from: this.name, properties }, now);
  }

  private isExhausted(message: StoredMessage): boolean {
    return this.options.deadLetters !== undefined && message.deliveries >= this.options.maxDeliveries;
  }

  /** Puts a message where it belongs: here, with whoever takes over what becomes active, or among the dead letters. */
  private admit(message: StoredMessage, now: number): void {
    const { forward, deadLetters, record } = this.options;
    let refusal: Properties | undefined;
    if (message.state === "active" && forward) {
      refusal = forward(message, now);
      if (!refusal) return;
    } else if (message.state === "active" && this.shelf.lacksSession(message)) {
      refusal = deadLetterReasons.withoutSession;
    }
    if (refusal && deadLetters) {
      deadLetters.adopt(message, { from: this.name, properties: refusal }, now);
      return;
    }
    record({ kind: "put", queue: this.name, message });
    this.shelf.place(message);
  }

  private remove(message: StoredMessage): void {
    this.shelf.remove(message);
    this.options.record({ kind: "remove", queue: this.name, sequence: message.sequence });
  }
}
/* eslint-enable max-lines -- end of the file */
