/** How long operations take, in seconds, and how far they spread: medians and 90th percentiles of recordings of the real service. */
const MEASURED = {
  createVm: { median: 82, p90: 153 },
  deallocateVm: { median: 252, p90: 705 },
  deleteVm: { median: 51, p90: 242 },
  // The recordings hold three of each at most, or none: assumed.
  startVm: { median: 30, p90: 60 },
  powerOffVm: { median: 30, p90: 60 },
  restartVm: { median: 35, p90: 70 },
  updateVm: { median: 5, p90: 15 },
  deleteResource: { median: 5, p90: 12 },
  deleteGroup: { median: 60, p90: 240 },
} as const;

export type LatencyKind = keyof typeof MEASURED;

// The 90th percentile of the standard normal distribution.
const Z90 = 1.2816;

export interface LatencyOptions {
  readonly speed: number;
  /** A person may slow things down or speed them up while the stack runs. */
  readonly multiplier: () => number;
  readonly random?: (() => number) | undefined;
  readonly sendsRetryAfter: boolean;
}

/** Draws latencies from log-normal distributions through the measured median and 90th percentile. */
export class Latencies {
  constructor(private readonly options: LatencyOptions) {}

  drawMs(kind: LatencyKind): number {
    const { median, p90 } = MEASURED[kind];
    const sigma = Math.log(p90 / median) / Z90;
    const seconds = median * Math.exp(sigma * this.drawNormal());
    return (seconds * 1000 * this.options.multiplier()) / this.options.speed;
  }

  /** Azure sends whole seconds, so it cannot go below one; and in a few answers of a hundred it sends none. */
  retryAfter(seconds: number): Record<string, string> {
    if (!this.options.sendsRetryAfter) return {};
    return { "Retry-After": String(Math.max(1, Math.round(seconds / this.options.speed))) };
  }

  /** Box and Muller's method; cut at three standard deviations, so that no test waits for the one in a million. */
  private drawNormal(): number {
    const random = this.options.random ?? Math.random;
    const radius = Math.sqrt(-2 * Math.log(1 - random()));
    return Math.max(-3, Math.min(3, radius * Math.cos(2 * Math.PI * random())));
  }
}
