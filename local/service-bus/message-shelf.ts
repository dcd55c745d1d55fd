import { PrunedHeap } from "./pruned-heap";
import type { QueueCounts } from "./queue-options";
import { Sessions, type SessionLock } from "./sessions";
import type { StoredMessage } from "./stored-message";

/** The messages of one queue by all that they are looked for: number, turn, time to become active, time to expire. */
export class MessageShelf {
  /** Only where sessions are required. */
  readonly sessions: Sessions | undefined;
  /** In the order of sequence numbers: each new message gets the highest. */
  private readonly messages = new Map<number, StoredMessage>();
  private readonly ready = new PrunedHeap<StoredMessage>(({ sequence }) => sequence);
  private readonly scheduled = new PrunedHeap<StoredMessage>(({ dueAt }) => dueAt ?? 0);
  private readonly expiring = new PrunedHeap<StoredMessage>(({ expiresAt }) => expiresAt ?? Infinity);

  constructor(options: { readonly requiresSession?: boolean | undefined; readonly lockMs: number }) {
    if (options.requiresSession) this.sessions = new Sessions(options.lockMs);
  }

  get(sequence: number): StoredMessage | undefined {
    return this.messages.get(sequence);
  }

  all(): StoredMessage[] {
    return [...this.messages.values()];
  }

  place(message: StoredMessage): void {
    this.messages.set(message.sequence, message);
    if (message.state === "scheduled") this.scheduled.add(message);
    else this.watchExpiry(message);
    if (message.state === "active") this.makeReady(message);
  }

  remove(message: StoredMessage): void {
    this.scheduled.remove(message);
    this.expiring.remove(message);
    if (this.sessions) this.sessions.removeReady(message);
    else this.ready.remove(message);
    this.messages.delete(message.sequence);
  }

  makeReady(message: StoredMessage): void {
    if (!this.sessions) this.ready.add(message);
    else if (!this.lacksSession(message)) this.sessions.addReady(message);
    this.watchExpiry(message);
  }

  watchExpiry(message: StoredMessage): void {
    if (message.expiresAt !== undefined) this.expiring.add(message);
  }

  lacksSession(message: StoredMessage): boolean {
    return this.sessions !== undefined && message.sessionId === undefined;
  }

  /** The first free message; where there are sessions, of the session that is held. */
  take(now: number, session: SessionLock | undefined): StoredMessage | undefined {
    if (!this.sessions) return this.ready.pop();
    return session && session.lockedUntil > now && this.sessions.isHeld(session)
      ? this.sessions.popReady(session.sessionId)
      : undefined;
  }

  takeDue(now: number): StoredMessage | undefined {
    const due = this.scheduled.peek();
    return due && (due.dueAt ?? 0) <= now ? due : undefined;
  }

  takeExpired(now: number): StoredMessage | undefined {
    const old = this.expiring.peek();
    if (!old || (old.expiresAt ?? 0) > now) return undefined;
    this.expiring.remove(old);
    return old;
  }

  peek(fromSequence: number, count: number, sessionId?: string): StoredMessage[] {
    const found: StoredMessage[] = [];
    for (const message of this.messages.values()) {
      if (found.length >= count) break;
      if (message.sequence < fromSequence) continue;
      if (sessionId === undefined || message.sessionId === sessionId) found.push(message);
    }
    return found;
  }

  hasReady(session?: SessionLock): boolean {
    return session ? (this.sessions?.hasReady(session.sessionId) ?? false) : this.ready.size > 0;
  }

  deadlines(): (number | undefined)[] {
    return [this.sessions?.nextExpiry(), this.scheduled.peek()?.dueAt, this.expiring.peek()?.expiresAt];
  }

  /** As Azure counts: locked and deferred messages are active. */
  counts(): QueueCounts {
    return { active: this.messages.size - this.scheduled.size, scheduled: this.scheduled.size };
  }

  sizeInBytes(): number {
    let size = 0;
    for (const { content } of this.messages.values()) size += content.length;
    return size;
  }

  /** Sessions that got a message or a state after a time, in the order of their names. */
  sessionsSince(time: number): string[] {
    const times = new Map((this.sessions?.states() ?? []).map(({ sessionId, updatedAt }) => [sessionId, updatedAt]));
    for (const { sessionId, enqueuedAt } of this.messages.values()) {
      if (sessionId !== undefined) times.set(sessionId, Math.max(enqueuedAt, times.get(sessionId) ?? 0));
    }
    return [...times].flatMap(([id, at]) => (at > time ? [id] : [])).sort();
  }
}
