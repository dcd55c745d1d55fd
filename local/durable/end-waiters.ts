/** Callers that wait for the end of an instance. */
export class EndWaiters {
  private readonly waiting = new Map<string, Set<() => void>>();

  /** Resolves when the instance has ended, or after that time, whichever is first. */
  async wait(id: string, timeoutMs: number): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<undefined>();
    const wake = (): void => resolve(undefined);
    const handle = setTimeout(wake, timeoutMs);
    const waiters = this.waiting.get(id) ?? new Set();
    this.waiting.set(id, waiters.add(wake));
    await promise;
    clearTimeout(handle);
    waiters.delete(wake);
    if (waiters.size === 0 && this.waiting.get(id) === waiters) this.waiting.delete(id);
  }

  wake(id: string): void {
    for (const wake of this.waiting.get(id) ?? []) wake();
  }

  wakeAll(): void {
    for (const id of this.waiting.keys()) this.wake(id);
  }
}
