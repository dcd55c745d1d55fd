export interface Backoff {
  /** Failures in a row, 0 for the first wait. */
  readonly failures: number;
  readonly baseMs: number;
  /** What the service asked for by Retry-After. */
  readonly retryAfterMs?: number | undefined;
}

const LONGEST_WAIT_MS = 60_000;

/** Full jitter: a thousand agents that lost the service at one moment must not come back at one moment. Retry-After is a floor. */
export function waitMsOf({ failures, baseMs, retryAfterMs }: Backoff, random: () => number): number {
  const ceilingMs = Math.min(LONGEST_WAIT_MS, baseMs * 2 ** Math.min(failures, 16));
  return (retryAfterMs ?? 0) + random() * ceilingMs;
}

/** Seconds or an HTTP date; at most five minutes, so that a wrong clock cannot silence a machine. */
export function retryAfterMsOf(header: string | null | undefined, now: number): number | undefined {
  if (!header) return undefined;
  const ms = /^\d+$/.test(header) ? Number(header) * 1000 : Date.parse(header) - now;
  return Number.isFinite(ms) ? Math.min(Math.max(ms, 0), 5 * 60_000) : undefined;
}
