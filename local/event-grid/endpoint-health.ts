import { type DeliveryResult, FAILURES_BEFORE_PROBATION, probationMs } from "./retry-policy";

interface Health {
  readonly failuresInRow: number;
  readonly restsUntil: number;
}

/** Delayed delivery: an endpoint that keeps failing gets nothing for a while, new events neither. */
export class EndpointHealth {
  private readonly known = new Map<string, Health>();

  constructor(private readonly speed: number) {}

  restsUntil(subscription: string): number {
    return this.known.get(subscription)?.restsUntil ?? 0;
  }

  forget(subscription: string): void {
    this.known.delete(subscription);
  }

  record(subscription: string, result: DeliveryResult, now: number): void {
    if (result.kind === "delivered") {
      this.known.delete(subscription);
      return;
    }
    const failuresInRow = (this.known.get(subscription)?.failuresInRow ?? 0) + 1;
    const isIll = failuresInRow >= FAILURES_BEFORE_PROBATION;
    const restsUntil = isIll ? now + probationMs(result.outcome) / this.speed : 0;
    this.known.set(subscription, { failuresInRow, restsUntil });
  }
}
