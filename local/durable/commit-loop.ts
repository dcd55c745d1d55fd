import type { Journal } from "./journal";

/**
 * Groups what happens in one turn of the event loop: first every instance with news runs its episode, then one transaction
 * holds what all of them did. Nothing leaves the process (answers, activities) before the transaction is on disk.
 */
export class CommitLoop {
  private writes: (() => void)[] = [];
  private effects: (() => void)[] = [];
  private turnScheduled = false;
  private commitScheduled = false;

  constructor(
    private readonly journal: Journal,
    private readonly hooks: { runTurn: () => void; beforeCommit: () => void; afterCommit: () => void },
  ) {}

  /** Asks for a turn, and with it for a commit. */
  wake(): void {
    if (this.turnScheduled) return;
    this.turnScheduled = true;
    setImmediate(() => {
      this.turnScheduled = false;
      this.hooks.runTurn();
      this.settle();
    });
  }

  /** Asks for a commit only. */
  settle(): void {
    if (this.commitScheduled) return;
    this.commitScheduled = true;
    setImmediate(() => {
      this.commitScheduled = false;
      this.commit();
    });
  }

  write(write: () => void): void {
    this.writes.push(write);
  }

  /** Runs once everything that was written so far is on disk. */
  afterwards(effect: () => void): void {
    this.effects.push(effect);
  }

  /** A failure here (a full disk) throws out of the event loop and ends the process: memory and disk would differ. */
  commit(): void {
    this.hooks.beforeCommit();
    const { writes, effects } = this;
    this.writes = [];
    this.effects = [];
    if (writes.length > 0) this.journal.commit(writes);
    for (const effect of effects) effect();
    if (this.writes.length === 0) this.hooks.afterCommit();
  }
}
