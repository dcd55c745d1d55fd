import type { ActivityOutcome } from "./activity-queue";
import type { CommitLoop } from "./commit-loop";
import type { EntityCaller } from "./entity-tables";
import { messageOf } from "./episode";
import { EventType } from "./history";
import type { HistoryEvent } from "./history";
import type { Instance, Message, ParentTask } from "./instance";
import type { InstanceCache } from "./instance-cache";
import type { InstanceRunner } from "./instance-runner";
import type { ActivityRow, Journal, TimerRow } from "./journal";

export interface DeliveriesParts {
  readonly journal: Journal;
  readonly commits: () => CommitLoop;
  readonly cache: InstanceCache;
  readonly runner: InstanceRunner;
  readonly nextSeq: () => number;
}

/** Brings to instances what others have done for them: activities, timers, sub-orchestrations and entities. */
export class Deliveries {
  constructor(private readonly parts: DeliveriesParts) {}

  /** Gives an event to an instance; whoever waits for the next commit knows that it is on disk. */
  send(instance: Instance, event: HistoryEvent): void {
    this.parts.runner.enqueue(instance, this.messageOf(event, {}));
  }

  /** The instance, while that very execution of it has not ended. */
  executionOf({ iid, execution }: EntityCaller): Instance | undefined {
    const instance = this.parts.cache.load(iid);
    return instance?.execution === execution && !instance.finished && !instance.gone ? instance : undefined;
  }

  answer(caller: EntityCaller, requestId: string, input: string): void {
    const instance = this.executionOf(caller);
    if (!instance) return;
    const event = { EventType: EventType.EventRaised, EventId: -1, Timestamp: isoNow(), Name: requestId, Input: input };
    this.parts.runner.enqueue(instance, this.messageOf(event, { execution: caller.execution }));
  }

  activityDone(row: ActivityRow, outcome: ActivityOutcome): void {
    const instance = this.parts.cache.load(row.iid);
    if (!instance || instance.execution !== row.execution) {
      this.parts.commits().write(() => this.parts.journal.deleteActivity(row.wid));
      this.parts.commits().settle();
      return;
    }
    const base = { EventId: -1, Timestamp: isoNow(), TaskScheduledId: row.task };
    const event: HistoryEvent =
      "result" in outcome
        ? { EventType: EventType.TaskCompleted, ...base, Result: outcome.result }
        : { EventType: EventType.TaskFailed, ...base, ...failureOf(row.name, outcome.error) };
    this.parts.runner.enqueue(
      instance,
      this.messageOf(event, { execution: row.execution, wid: row.wid, repeatable: true }),
    );
  }

  timerFired(timer: TimerRow): void {
    const instance = this.parts.cache.load(timer.iid);
    if (!instance) return;
    const event = {
      EventType: EventType.TimerFired,
      EventId: -1,
      Timestamp: isoNow(),
      TimerId: timer.task,
      FireAt: new Date(timer.fireAt).toISOString(),
    };
    this.parts.runner.enqueue(instance, this.messageOf(event, { execution: timer.execution, repeatable: true }));
  }

  tellParent(parent: ParentTask, event: HistoryEvent): void {
    const instance = this.parts.cache.load(parent.iid);
    if (!instance) return;
    this.parts.runner.enqueue(
      instance,
      this.messageOf({ ...event, TaskScheduledId: parent.task }, { execution: parent.execution }),
    );
  }

  private messageOf(event: HistoryEvent, origin: { execution?: string; wid?: number; repeatable?: boolean }): Message {
    const { execution, wid, repeatable = false } = origin;
    return { seq: this.parts.nextSeq(), event, execution, wid, repeatable, persisted: false };
  }
}

function failureOf(name: string, error: unknown): { Reason: string; Details: string } {
  const details = error instanceof Error ? (error.stack ?? error.message) : String(error);
  return { Reason: `Activity function '${name}' failed: ${messageOf(error)}`, Details: details };
}

export function isoNow(): string {
  return new Date().toISOString();
}
