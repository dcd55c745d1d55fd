import type { RateTable } from "../state/rate-table";

/** Generous for people and programs, and far below what one instance can answer: it is there for loops that have gone wild. */
const CALLS_PER_MINUTE = 6_000;
/** Set aside at a time, so that a row is written for every fiftieth call and not for each. */
const SHARE = 50;
const MINUTE_MS = 60_000;
const TRIES = 5;
const REMEMBERED = 10_000;

interface Credit {
  readonly minute: number;
  calls: number;
}

export interface RateLimits {
  readonly callsPerMinute?: number;
}

/** Calls of each principal in a minute, counted over all instances of the app by a row from which they take shares. */
export class RateLimit {
  private readonly credits = new Map<string, Credit>();
  private readonly callsPerMinute: number;

  constructor(
    private readonly rates: RateTable,
    { callsPerMinute = CALLS_PER_MINUTE }: RateLimits = {},
  ) {
    this.callsPerMinute = callsPerMinute;
  }

  /** Seconds until the principal may call again; undefined when he may now. */
  async waitSecondsFor(principalId: string): Promise<number | undefined> {
    const now = Date.now();
    const minute = Math.floor(now / MINUTE_MS);
    const known = this.credits.get(principalId);
    if (known?.minute === minute && known.calls > 0) {
      known.calls -= 1;
      return undefined;
    }
    if (this.credits.size >= REMEMBERED) this.credits.clear();
    const calls = await this.takeShare(principalId, minute);
    if (calls === 0) return Math.max(1, Math.ceil(((minute + 1) * MINUTE_MS - now) / 1000));
    this.credits.set(principalId, { minute, calls: calls - 1 });
    return undefined;
  }

  private async takeShare(principalId: string, minute: number): Promise<number> {
    for (let tries = 0; tries < TRIES; tries += 1) {
      const known = await this.rates.find(principalId);
      const taken = known?.value.minute === minute ? known.value.taken : 0;
      const share = Math.min(SHARE, this.callsPerMinute - taken);
      if (share <= 0) return 0;
      const next = { principalId, minute, taken: taken + share };
      const written = known ? await this.rates.replace(known, next) : await this.rates.insert(next);
      if (written === "replaced" || written === "inserted") return share;
    }
    // Many instances at once want the row: whoever finds it busy lets this one call pass.
    return 1;
  }
}
