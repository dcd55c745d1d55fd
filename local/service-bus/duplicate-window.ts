/** The message ids that a queue has seen lately. All are kept equally long, so the order of insertion is the order of expiry. */
export class DuplicateWindow {
  private readonly remembered = new Map<string, number>();

  constructor(private readonly windowMs: number) {}

  isKnown(messageId: string, now: number): boolean {
    return (this.remembered.get(messageId) ?? 0) > now;
  }

  /** Remembers an id; the answer is until when. */
  remember(messageId: string, now: number): number {
    const until = now + this.windowMs;
    this.restore(messageId, until);
    return until;
  }

  restore(messageId: string, until: number): void {
    this.remembered.delete(messageId);
    this.remembered.set(messageId, until);
  }

  /**
   * Drops what is over, and says whether there was anything. An expired id does no harm where it is, and one pass over the
   * journal for many is cheaper than one for each, so this waits until a tenth of the window has gathered.
   */
  forget(now: number): boolean {
    const oldest = this.remembered.values().next().value ?? Infinity;
    if (oldest > now - this.windowMs / 10) return false;
    for (const [messageId, until] of this.remembered) {
      if (until > now) break;
      this.remembered.delete(messageId);
    }
    return true;
  }
}
