import type { Lock } from "./lock-table";
import { PrunedHeap } from "./pruned-heap";
import type { SessionState, StoredMessage } from "./stored-message";

/** A receiver's hold on a session: it ends with its link, or when it is not renewed in time. */
export interface SessionLock {
  readonly sessionId: string;
  lockedUntil: number;
  /** The messages that its receiver has in hand. */
  readonly locks: Set<Lock>;
}

interface SessionRecord {
  readonly ready: PrunedHeap<StoredMessage>;
  lock: SessionLock | undefined;
  state: Buffer | undefined;
  stateUpdatedAt: number;
}

export type Acceptance =
  | { readonly outcome: "accepted"; readonly lock: SessionLock }
  | { readonly outcome: "busy" }
  | { readonly outcome: "none" };

/** The sessions of one queue: who holds which, what is ready in each, and the state that applications keep with them. */
export class Sessions {
  private readonly records = new Map<string, SessionRecord>();
  /** In the order of expiry, as all last equally long. */
  private readonly held = new Map<string, SessionLock>();

  constructor(private readonly lockMs: number) {}

  restore(states: readonly SessionState[]): void {
    for (const { sessionId, state, updatedAt } of states) {
      const record = this.recordOf(sessionId);
      record.state = state;
      record.stateUpdatedAt = updatedAt;
    }
  }

  addReady(message: StoredMessage): void {
    this.recordOf(message.sessionId ?? "").ready.add(message);
  }

  removeReady(message: StoredMessage): void {
    const id = message.sessionId ?? "";
    this.records.get(id)?.ready.remove(message);
    this.tidy(id);
  }

  popReady(sessionId: string): StoredMessage | undefined {
    return this.records.get(sessionId)?.ready.pop();
  }

  hasReady(sessionId: string): boolean {
    return (this.records.get(sessionId)?.ready.size ?? 0) > 0;
  }

  /** Takes a session by name, also an empty one; without a name, the one whose first free message is the oldest. */
  accept(sessionId: string | undefined, now: number): Acceptance {
    const id = sessionId ?? this.nextAvailable();
    if (id === undefined) return { outcome: "none" };
    const record = this.recordOf(id);
    if (record.lock) return { outcome: "busy" };
    const lock = { sessionId: id, lockedUntil: now + this.lockMs, locks: new Set<Lock>() };
    record.lock = lock;
    this.held.set(id, lock);
    return { outcome: "accepted", lock };
  }

  lockOf(sessionId: string, now: number): SessionLock | undefined {
    const lock = this.held.get(sessionId);
    return lock && lock.lockedUntil > now ? lock : undefined;
  }

  isHeld(lock: SessionLock): boolean {
    return this.held.get(lock.sessionId) === lock;
  }

  renew(sessionId: string, now: number): number | undefined {
    const lock = this.lockOf(sessionId, now);
    if (!lock) return undefined;
    lock.lockedUntil = now + this.lockMs;
    this.held.delete(sessionId);
    this.held.set(sessionId, lock);
    return lock.lockedUntil;
  }

  release(lock: SessionLock): void {
    if (!this.isHeld(lock)) return;
    this.held.delete(lock.sessionId);
    const record = this.records.get(lock.sessionId);
    if (record) record.lock = undefined;
    this.tidy(lock.sessionId);
  }

  expired(now: number): SessionLock | undefined {
    const first = this.held.values().next().value;
    return first && first.lockedUntil <= now ? first : undefined;
  }

  nextExpiry(): number | undefined {
    return this.held.values().next().value?.lockedUntil;
  }

  stateOf(sessionId: string): Buffer | undefined {
    return this.records.get(sessionId)?.state;
  }

  setState(sessionId: string, state: Buffer | undefined, now: number): void {
    const record = this.recordOf(sessionId);
    record.state = state;
    record.stateUpdatedAt = now;
    this.tidy(sessionId);
  }

  /** Sessions that keep a state, and when it was written. */
  states(): { readonly sessionId: string; readonly updatedAt: number }[] {
    return [...this.records].flatMap(([sessionId, { state, stateUpdatedAt }]) =>
      state ? [{ sessionId, updatedAt: stateUpdatedAt }] : [],
    );
  }

  private nextAvailable(): string | undefined {
    let best: { readonly id: string; readonly sequence: number } | undefined;
    for (const [id, { lock, ready }] of this.records) {
      const sequence = lock ? undefined : ready.peek()?.sequence;
      if (sequence !== undefined && sequence < (best?.sequence ?? Infinity)) best = { id, sequence };
    }
    return best?.id;
  }

  private recordOf(sessionId: string): SessionRecord {
    const known = this.records.get(sessionId);
    if (known) return known;
    const ready = new PrunedHeap<StoredMessage>(({ sequence }) => sequence);
    const record = { ready, lock: undefined, state: undefined, stateUpdatedAt: 0 };
    this.records.set(sessionId, record);
    return record;
  }

  private tidy(sessionId: string): void {
    const record = this.records.get(sessionId);
    if (record && record.ready.size === 0 && !record.lock && !record.state) this.records.delete(sessionId);
  }
}
