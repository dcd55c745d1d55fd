/** Time as the engine sees it; a test gives one of its own and lives through a day in milliseconds. */
export interface Clock {
  now(): number;
  /** Calls once after so many milliseconds; the answer takes it back. */
  after(milliseconds: number, action: () => void): () => void;
}

// setTimeout takes no longer waits; who is called too early looks at the clock and waits again.
const MAX_TIMER_MS = 2 ** 31 - 1;

export const systemClock: Clock = {
  now: () => Date.now(),
  after: (milliseconds, action) => {
    const timer = setTimeout(action, Math.max(0, Math.min(MAX_TIMER_MS, milliseconds)));
    return () => clearTimeout(timer);
  },
};
