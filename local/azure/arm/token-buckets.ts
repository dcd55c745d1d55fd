/** A bucket's size, and how fast it fills. */
export interface Limit {
  readonly name: string;
  readonly capacity: number;
  readonly perSecond: number;
}

export interface Draw {
  readonly key: string;
  readonly limit: Limit;
}

export interface Drawn {
  /** What is left in each bucket, whole tokens. */
  readonly left: readonly number[];
  /** The bucket that was empty. Then nothing was taken, from none. */
  readonly refused?: { readonly limit: Limit; readonly retryAfterSeconds: number } | undefined;
}

interface Bucket {
  readonly limit: Limit;
  readonly tokens: number;
  readonly updatedAtMs: number;
}

export interface TokenBucketsOptions {
  /** They fill faster on a stack that runs faster. */
  readonly speed: number;
  /** Without it nobody is refused. */
  readonly isEnforced: boolean;
  readonly now?: () => number;
}

// Whoever makes up names cannot fill the memory: the bucket that was longest not used goes.
const MAX_BUCKETS = 20_000;
const FIRST_SWEEP = 256;

/** Token buckets by name. A full one says nothing, and is not kept. */
export class TokenBuckets {
  private readonly buckets = new Map<string, Bucket>();
  private readonly now: () => number;
  private sweepAt = FIRST_SWEEP;

  constructor(private readonly options: TokenBucketsOptions) {
    this.now = options.now ?? Date.now;
  }

  get size(): number {
    return this.buckets.size;
  }

  /** Takes one token from each bucket, or none from any. */
  take(draws: readonly Draw[]): Drawn {
    const tokens = draws.map(({ key, limit }) => this.tokensOf(this.buckets.get(key), limit));
    const emptyAt = this.options.isEnforced ? tokens.findIndex((one) => one < 1) : -1;
    const empty = draws[emptyAt];
    if (empty) return { left: tokens.map(Math.floor), refused: this.refusal(empty.limit, tokens[emptyAt] ?? 0) };
    const left = tokens.map((one) => Math.max(0, one - 1));
    draws.forEach(({ key, limit }, index) =>
      this.keep(key, { limit, tokens: left[index] ?? 0, updatedAtMs: this.now() }),
    );
    return { left: left.map(Math.floor) };
  }

  private tokensOf(bucket: Bucket | undefined, limit: Limit): number {
    if (!bucket) return limit.capacity;
    return Math.min(limit.capacity, bucket.tokens + (this.now() - bucket.updatedAtMs) * this.perMs(limit));
  }

  private perMs({ perSecond }: Limit): number {
    return (perSecond * this.options.speed) / 1000;
  }

  private refusal(limit: Limit, tokens: number): NonNullable<Drawn["refused"]> {
    return { limit, retryAfterSeconds: Math.max(1, Math.ceil((1 - tokens) / this.perMs(limit) / 1000)) };
  }

  /** The bucket that was used last is the last one to go. */
  private keep(key: string, bucket: Bucket): void {
    this.buckets.delete(key);
    this.buckets.set(key, bucket);
    if (this.buckets.size >= this.sweepAt) this.sweep();
  }

  /** Drops what is full again. The next time is when there are twice as many, so that sweeping costs each call little. */
  private sweep(): void {
    for (const [key, bucket] of this.buckets)
      if (this.tokensOf(bucket, bucket.limit) >= bucket.limit.capacity) this.buckets.delete(key);
    for (const key of this.buckets.keys()) {
      if (this.buckets.size <= MAX_BUCKETS / 2) break;
      this.buckets.delete(key);
    }
    this.sweepAt = Math.min(MAX_BUCKETS, Math.max(FIRST_SWEEP, 2 * this.buckets.size));
  }
}
