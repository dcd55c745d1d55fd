import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { DeadLetterBlob, DeadLetterWrite } from "../../../local/event-grid/dead-letters";
import { DeliveryEngine, type DeliveryEngineOptions, type Delivery } from "../../../local/event-grid/delivery-engine";
import type { EventSubscription } from "../../../local/event-grid/event-subscription";
import { fromEventGridSchema, type GridEvent } from "../../../local/event-grid/grid-event";
import { type DeliveryResult, resultOfStatus } from "../../../local/event-grid/retry-policy";
import { FaultPlan } from "../../../local/faults/fault-plan";
import { ManualClock } from "./manual-clock";

export const START = "2026-01-31T22:30:00Z";
export const SECOND = 1000;
export const MINUTE = 60 * SECOND;
export const HOUR = 60 * MINUTE;

const STORAGE = "/subscriptions/s/resourceGroups/g/providers/Microsoft.Storage/storageAccounts/letters";

export function webhookSubscription(more: Partial<EventSubscription> = {}): EventSubscription {
  return {
    id: "/subscriptions/s/resourceGroups/g/providers/Microsoft.EventGrid/topics/t/eventSubscriptions/My-Sub",
    name: "My-Sub",
    filter: {},
    schema: "EventGridSchema",
    retry: { maxDeliveryAttempts: 30, eventTimeToLiveInMinutes: 1440 },
    destination: {
      kind: "WebHook",
      url: "https://example.com/hook",
      batch: { maxEvents: 1, preferredBytes: 65_536, isOn: false },
      attributes: [],
    },
    identity: { kind: "none" },
    deadLetter: { resourceId: STORAGE, container: "dead", identity: { kind: "none" } },
    ...more,
  };
}

export const gridEvent = (id: string, more: Readonly<Record<string, unknown>> = {}): GridEvent =>
  fromEventGridSchema({
    id,
    topic: "/subscriptions/s/resourceGroups/g/providers/Microsoft.EventGrid/topics/t",
    subject: `subject/${id}`,
    eventType: "Corral.Sampled",
    eventTime: "2026-01-31T22:29:59.000Z",
    dataVersion: "1.0",
    data: {},
    ...more,
  });

export interface Attempt {
  /** Seconds since the test began. */
  readonly atSeconds: number;
  readonly ids: readonly string[];
  readonly count: number;
}

/** The engine alone, in a time of its own; its endpoint answers what a test says. */
export class EngineFixture {
  readonly clock = new ManualClock(START);
  readonly faults = new FaultPlan();
  readonly attempts: Attempt[] = [];
  readonly blobs: DeadLetterBlob[] = [];
  answer: (delivery: Delivery) => Promise<DeliveryResult> | DeliveryResult = () => ({ kind: "delivered" });
  writeAnswer: DeadLetterWrite = "written";
  subscription: EventSubscription | undefined = webhookSubscription();
  engine: DeliveryEngine;
  private readonly folder = mkdtempSync(join(tmpdir(), "corral-grid-"));

  constructor(private readonly more: Partial<DeliveryEngineOptions> = {}) {
    this.engine = this.open();
  }

  /** Another process on the same file; the one before it is as if it had been killed. */
  open(): DeliveryEngine {
    this.engine = new DeliveryEngine({
      file: join(this.folder, "event-grid.sqlite"),
      speed: 1,
      clock: this.clock,
      faults: this.faults,
      find: () => this.subscription,
      random: () => 0,
      log: () => undefined,
      send: (delivery) => this.send(delivery),
      writeDeadLetters: (blob) => {
        if (this.writeAnswer === "written") this.blobs.push(blob);
        return Promise.resolve(this.writeAnswer);
      },
      ...this.more,
    });
    this.engine.start();
    return this.engine;
  }

  publish(...ids: string[]): number {
    return this.engine.publish(
      ids.map((id) => gridEvent(id)),
      this.subscription ? [this.subscription] : [],
    );
  }

  status() {
    return this.engine.statusOf(webhookSubscription().id);
  }

  deadLetters(): Record<string, unknown>[] {
    return this.blobs.flatMap(({ content }) => JSON.parse(content) as Record<string, unknown>[]);
  }

  async close(): Promise<void> {
    await this.engine.close();
    rmSync(this.folder, { recursive: true, force: true });
  }

  private async send(delivery: Delivery): Promise<DeliveryResult> {
    const atSeconds = (this.clock.now() - Date.parse(START)) / SECOND;
    const ids = delivery.events.map(({ event }) => event.id);
    this.attempts.push({ atSeconds, ids, count: delivery.events[0]?.attempts ?? 0 });
    return this.answer(delivery);
  }
}

export const answered = (status: number): DeliveryResult => resultOfStatus(status, "webhook");
