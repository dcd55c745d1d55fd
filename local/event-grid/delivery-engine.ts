import { randomUUID } from "node:crypto";
import type { FaultCall, FaultPlan, FaultVerdict } from "../faults/fault-plan";
import { systemClock, type Clock } from "./clock";
import { type Death, type DeadLetterBlob, deadLetterContent, DeadLetters, type DeadLetterWrite } from "./dead-letters";
import { type DeliveryCounts, DeliveryStore, type PendingDelivery } from "./delivery-store";
import { EndpointHealth } from "./endpoint-health";
import { matchesFilter } from "./event-filter";
import type { EventSubscription } from "./event-subscription";
import type { GridEvent } from "./grid-event";
import { type DeliveryResult, resultOfStatus, retryDelayMs, undeliverableReason } from "./retry-policy";

export interface Delivery {
  readonly subscription: EventSubscription;
  readonly events: readonly PendingDelivery[];
}

export interface DeliveryEngineOptions {
  readonly file: string;
  /** How many times faster than Azure it waits; what endpoints take is not shortened. */
  readonly speed: number;
  readonly clock?: Clock | undefined;
  readonly faults: FaultPlan;
  /** The subscription as it is now; undefined when it is gone or has expired, `paused` while its endpoint is not validated. */
  readonly find: (id: string) => EventSubscription | "paused" | undefined;
  readonly send: (delivery: Delivery, signal: AbortSignal) => Promise<DeliveryResult>;
  readonly writeDeadLetters: (blob: DeadLetterBlob) => Promise<DeadLetterWrite>;
  readonly maxPendingPerSubscription?: number | undefined;
  readonly random?: (() => number) | undefined;
  readonly log: (line: string) => void;
}

export interface SubscriptionStatus extends DeliveryCounts {
  readonly subscription: string;
  readonly pending: number;
  /** Until when the endpoint is left alone. */
  readonly probationUntil: string | undefined;
}

const MAX_PENDING = 50_000;
/** Deliveries that one endpoint has to bear at once. */
const MAX_AT_ONCE = 16;

/** Takes events, and brings each to the subscriptions that want it: at least once, in no certain order, on the documented schedule. */
export class DeliveryEngine {
  readonly store: DeliveryStore;
  readonly clock: Clock;
  private readonly deadLetters: DeadLetters;
  private readonly health: EndpointHealth;
  private readonly atWork = new Map<string, number>();
  private readonly closing = new AbortController();
  private cancelWake: (() => void) | undefined;
  private state: "waiting" | "started" | "closed" = "waiting";

  constructor(private readonly options: DeliveryEngineOptions) {
    const { clock = systemClock, speed, log } = options;
    this.clock = clock;
    this.store = new DeliveryStore(options.file);
    this.health = new EndpointHealth(speed);
    this.deadLetters = new DeadLetters({
      database: this.store.database,
      write: options.writeDeadLetters,
      onEnd: (subscription, end, events) => this.store.increase(subscription, end, events),
      newId: randomUUID,
      ...{ clock, speed, log },
    });
  }

  /** Begins to deliver, with what an earlier process left behind. */
  start(): void {
    if (this.state === "waiting") this.state = "started";
    this.pump();
    this.deadLetters.pump();
  }

  /** On disk when it returns. Answers how many deliveries will come of it. */
  publish(events: readonly GridEvent[], subscriptions: readonly EventSubscription[]): number {
    const now = this.clock.now();
    let matched = 0;
    this.store.transaction(() => {
      for (const subscription of subscriptions) {
        const wanted = events.filter((event) => matchesFilter(subscription.filter, event));
        for (const event of wanted) this.accept(subscription, event, now);
        matched += wanted.length;
      }
    });
    if (matched > 0) this.pump();
    return matched;
  }

  statusOf(subscription: string): SubscriptionStatus {
    const key = subscription.toLowerCase();
    const until = this.health.restsUntil(key);
    const probationUntil = until > this.clock.now() ? new Date(until).toISOString() : undefined;
    return { subscription, pending: this.store.pendingOf(key), ...this.store.countsOf(key), probationUntil };
  }

  /** A subscription that is deleted takes its events along; one of the same name that is made later begins anew. */
  forget(subscription: string): void {
    this.store.forget(subscription.toLowerCase());
    this.health.forget(subscription.toLowerCase());
  }

  deadLettersWaiting(): number {
    return this.deadLetters.waiting();
  }

  async close(): Promise<void> {
    if (this.state === "closed") return;
    this.state = "closed";
    this.cancelWake?.();
    // What is under way is not waited for: it was not acknowledged, and the next process delivers it again.
    this.closing.abort();
    await this.deadLetters.close();
    this.store.close();
  }

  private accept(subscription: EventSubscription, event: GridEvent, now: number): void {
    const key = subscription.id.toLowerCase();
    this.store.increase(key, "matched");
    if (this.store.pendingOf(key) < (this.options.maxPendingPerSubscription ?? MAX_PENDING)) {
      this.store.add({ subscription: key, messageId: randomUUID(), event }, now);
      return;
    }
    // The simulator's own limit: an endpoint that is away for long must not fill the disk.
    const death = { reason: "PendingLimitExceeded", attempts: 0, outcome: "Probation", lastAttemptAt: undefined };
    this.bury(subscription, { event, publishedAt: now }, death);
  }

  /** To be called when a subscription may have changed. */
  pump(): void {
    if (this.state !== "started") return;
    this.cancelWake?.();
    const wakes = this.store.subscriptions().map((key) => this.pumpOne(key));
    const next = Math.min(...wakes);
    if (Number.isFinite(next)) this.cancelWake = this.clock.after(next - this.clock.now(), () => this.pump());
  }

  /** Sends what is due; answers when to look again. */
  private pumpOne(key: string): number {
    const subscription = this.options.find(key);
    if (subscription === undefined) this.store.forget(key);
    if (subscription === undefined || subscription === "paused") return Infinity;
    const limit = batchLimits(subscription);
    for (;;) {
      const now = this.clock.now();
      const restsUntil = this.health.restsUntil(key);
      if ((this.atWork.get(key) ?? 0) >= MAX_AT_ONCE) return Infinity;
      if (restsUntil > now) return restsUntil;
      const taken = this.store.take(key, now, limit);
      const alive = taken.filter((one) => !this.buryExpired(subscription, one, now));
      if (taken.length === 0) return this.store.nextDueAt(key) ?? Infinity;
      if (alive.length > 0) this.run({ subscription, events: alive });
    }
  }

  /** The age is looked at when an attempt is due, not before. */
  private buryExpired(subscription: EventSubscription, one: PendingDelivery, now: number): boolean {
    const lifetimeMs = (subscription.retry.eventTimeToLiveInMinutes * 60_000) / this.options.speed;
    if (now - one.publishedAt < lifetimeMs) return false;
    this.store.transaction(() => {
      this.store.remove(subscription.id.toLowerCase(), one);
      this.bury(subscription, one, {
        reason: "TimeToLiveExceeded",
        attempts: one.attempts,
        outcome: one.lastOutcome ?? "Probation",
        lastAttemptAt: one.lastAttemptAt,
      });
    });
    this.deadLetters.pump();
    return true;
  }

  private run(delivery: Delivery): void {
    const key = delivery.subscription.id.toLowerCase();
    this.atWork.set(key, (this.atWork.get(key) ?? 0) + 1);
    void this.attempt(delivery).finally(() => {
      this.atWork.set(key, (this.atWork.get(key) ?? 1) - 1);
      this.pump();
    });
  }

  private async attempt(delivery: Delivery): Promise<void> {
    const startedAt = this.clock.now();
    const result = await this.sendWithFaults(delivery).catch((error: unknown): DeliveryResult => {
      this.options.log(`event grid: delivery to ${delivery.subscription.name} failed: ${String(error)}`);
      return { kind: "failed", outcome: "GenericError", retryAfterMs: 0 };
    });
    if (this.state === "started") this.settle(delivery, result, startedAt);
  }

  /** What the plan has for a delivery: held or late ones overtake each other, doubled ones arrive twice, dropped ones fail. */
  private async sendWithFaults(delivery: Delivery): Promise<DeliveryResult> {
    const { faults, send } = this.options;
    const { signal } = this.closing;
    const call = faultCallOf(delivery);
    const before = await faults.at("before", call);
    if (before) return resultOfVerdict(before, delivery);
    for (let copies = faults.copiesOf(call); copies > 0; copies -= 1) await send(delivery, signal);
    const result = await send(delivery, signal);
    const after = await faults.at("after", call);
    return after ? resultOfVerdict(after, delivery) : result;
  }

  private settle({ subscription, events }: Delivery, result: DeliveryResult, startedAt: number): void {
    const key = subscription.id.toLowerCase();
    this.health.record(key, result, this.clock.now());
    this.store.transaction(() => {
      if (result.kind === "delivered") this.store.increase(key, "delivered", events.length);
      else this.store.increase(key, "failed", events.length);
      for (const one of events) {
        if (result.kind === "delivered") this.store.remove(key, one);
        else this.retryOrBury(subscription, one, { ...result, startedAt });
      }
    });
    this.deadLetters.pump();
  }

  private retryOrBury(
    subscription: EventSubscription,
    one: PendingDelivery,
    failure: Extract<DeliveryResult, { kind: "failed" }> & { readonly startedAt: number },
  ): void {
    const attempts = one.attempts + 1;
    const { outcome, retryAfterMs, startedAt: lastAttemptAt } = failure;
    if (retryAfterMs !== undefined && attempts < subscription.retry.maxDeliveryAttempts) {
      const random = (this.options.random ?? Math.random)();
      const waitMs = retryDelayMs(attempts, { atLeastMs: retryAfterMs, random }) / this.options.speed;
      this.store.retry(one, { dueAt: this.clock.now() + waitMs, attempts, outcome, lastAttemptAt });
      return;
    }
    this.store.remove(subscription.id.toLowerCase(), one);
    const reason = retryAfterMs === undefined ? undeliverableReason(outcome) : "MaxDeliveryAttemptsExceeded";
    this.bury(subscription, one, { reason, attempts, outcome, lastAttemptAt });
  }

  private bury(
    subscription: EventSubscription,
    one: Pick<PendingDelivery, "event" | "publishedAt">,
    death: Death,
  ): void {
    const { deadLetter } = subscription;
    if (deadLetter) this.deadLetters.add(subscription, deadLetter, deadLetterContent(subscription, one, death));
    else this.store.increase(subscription.id.toLowerCase(), "dropped");
  }
}

/** For rules of the plan: `deliver WebHook`, and a subject that names the subscription and the events. */
function faultCallOf({ subscription, events }: Delivery): FaultCall {
  const named = events.map(({ event }) => `${event.id} ${event.eventType} ${event.subject}`);
  return {
    service: "event-grid",
    operation: `deliver ${subscription.destination.kind}`,
    subject: [subscription.name, ...named].join(" "),
  };
}

function resultOfVerdict(verdict: FaultVerdict, { subscription: { destination } }: Delivery): DeliveryResult {
  if (verdict.kind === "drop") return { kind: "failed", outcome: "SocketError", retryAfterMs: 10_000 };
  return resultOfStatus(verdict.status, destination.kind === "WebHook" ? "webhook" : "azure-resource");
}

function batchLimits({ destination }: EventSubscription): { events: number; bytes: number } {
  if (destination.kind !== "WebHook" && destination.kind !== "AzureFunction") return { events: 1, bytes: 0 };
  return { events: destination.batch.maxEvents, bytes: destination.batch.preferredBytes };
}
