import type { SessionLock } from "./sessions";
import type { StoredMessage } from "./stored-message";

export interface Lock {
  readonly token: string;
  readonly message: StoredMessage;
  /** Of a message in a session: what the receiver was told; the session's lock counts. */
  lockedUntil: number;
  readonly session?: SessionLock | undefined;
}

/** Which messages are in somebody's hands. Locks are volatile, as in Azure. */
export class LockTable {
  private readonly byToken = new Map<string, Lock>();
  private readonly bySequence = new Map<number, Lock>();
  /** All locks of a queue last equally long, so the order of insertion is the order of expiry; a renewal inserts again. */
  private readonly expiring = new Map<string, Lock>();

  constructor(private readonly lockMs: number) {}

  add(lock: Lock): void {
    this.byToken.set(lock.token, lock);
    this.bySequence.set(lock.message.sequence, lock);
    if (!lock.session) this.expiring.set(lock.token, lock);
  }

  remove(lock: Lock): void {
    this.byToken.delete(lock.token);
    this.bySequence.delete(lock.message.sequence);
    this.expiring.delete(lock.token);
    lock.session?.locks.delete(lock);
  }

  get(token: string): Lock | undefined {
    return this.byToken.get(token);
  }

  /** A lock that still counts. */
  held(token: string, now: number): Lock | undefined {
    const lock = this.byToken.get(token);
    return lock && (lock.session ?? lock).lockedUntil > now ? lock : undefined;
  }

  holds(message: StoredMessage): boolean {
    return this.bySequence.has(message.sequence);
  }

  renew(lock: Lock, now: number): number {
    // The lock of a session's message cannot be prolonged on its own.
    if (lock.session) return lock.session.lockedUntil;
    lock.lockedUntil = now + this.lockMs;
    this.expiring.delete(lock.token);
    this.expiring.set(lock.token, lock);
    return lock.lockedUntil;
  }

  /** The first lock that is over. */
  expired(now: number): Lock | undefined {
    const first = this.expiring.values().next().value;
    return first && first.lockedUntil <= now ? first : undefined;
  }

  nextExpiry(): number | undefined {
    return this.expiring.values().next().value?.lockedUntil;
  }
}
