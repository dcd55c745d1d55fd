import { randomUUID } from "node:crypto";
import { ActivityQueue } from "./activity-queue";
import type { ActivityOutcome } from "./activity-queue";
import { CommitLoop } from "./commit-loop";
import { messageOf } from "./episode";
import { EpisodeWriter } from "./episode-writer";
import type { DurableFunctions } from "./functions";
import { EventType } from "./history";
import type { HistoryEvent } from "./history";
import { Instance } from "./instance";
import type { Message, ParentTask } from "./instance";
import { InstanceCache } from "./instance-cache";
import { InstanceRunner } from "./instance-runner";
import { Journal } from "./journal";
import type { ActivityRow, InstanceRow, TimerRow } from "./journal";
import { TimerQueue } from "./timer-queue";

export interface TaskHubOptions {
  readonly functions: DurableFunctions;
  readonly journalPath: string;
  readonly maxConcurrentActivities: number;
  /** `AnyState`: a start replaces an instance of the same id that still runs; otherwise it is refused. */
  readonly overridable: "NonRunningStates" | "AnyState";
  readonly log: (line: string) => void;
}

export interface StartRequest {
  readonly name: string;
  readonly id: string;
  readonly input: string;
  readonly version: string;
}

/** What became of a message: `finished` instances take none, `unknown` ones do not exist. */
export type Delivery = "accepted" | "finished" | "unknown";

/** The durable backend: orchestrations, their activities and timers, and the journal that outlives the process. */
export class TaskHub {
  readonly journal: Journal;
  private readonly commits: CommitLoop;
  private readonly cache: InstanceCache;
  private readonly activities: ActivityQueue;
  private readonly timers: TimerQueue;
  private readonly writer: EpisodeWriter;
  private readonly runner: InstanceRunner;
  private readonly endWaiters = new Map<string, (() => void)[]>();
  private numbers: { iid: number; wid: number; seq: number };
  private stopped = false;

  constructor(private readonly options: TaskHubOptions) {
    this.journal = new Journal(options.journalPath);
    this.numbers = this.journal.highest();
    this.cache = new InstanceCache(this.journal);
    const { functions, log } = options;
    this.runner = new InstanceRunner({
      functions,
      log,
      journal: this.journal,
      commits: () => this.commits,
      writer: () => this.writer,
    });
    this.commits = new CommitLoop(this.journal, {
      runTurn: () => this.runner.runTurn(),
      beforeCommit: () => this.runner.saveMessages(),
      afterCommit: () => this.cache.trim(),
    });
    this.activities = new ActivityQueue(options.functions, options.maxConcurrentActivities, (row, outcome) =>
      this.activityDone(row, outcome),
    );
    this.timers = new TimerQueue((timer) => this.timerFired(timer));
    this.writer = new EpisodeWriter({
      journal: this.journal,
      commits: this.commits,
      activities: this.activities,
      timers: this.timers,
      nextWid: () => (this.numbers.wid += 1),
      startChild: (event, parent) => this.startChild(event, parent),
      finished: (instance, event) => this.finished(instance, event),
      continued: (instance) => this.runner.enqueue(instance, instance.startMessage(), "front"),
    });
  }

  /** Takes up everything that an earlier process left: activities run again, timers fire, undelivered messages arrive. */
  open(): void {
    for (const iid of this.journal.unsettledInstances()) {
      const instance = this.cache.load(iid);
      if (instance) this.runner.makeReady(instance);
    }
    for (const timer of this.journal.timers()) this.timers.add(timer);
    for (const activity of this.journal.activities()) this.activities.add(activity);
    this.commits.wake();
  }

  /** Starts no more activities and fires no more timers; what waits stays in the journal for the next process. */
  pause(): void {
    this.timers.stop();
    this.activities.stop();
    for (const waiters of this.endWaiters.values()) for (const wake of waiters) wake();
  }

  /** Writes what is known and closes the journal. Results that come later are dropped: their activities run again. */
  async close(): Promise<void> {
    await this.committed();
    this.stopped = true;
    this.runner.stop();
    this.commits.commit();
    this.journal.close();
  }

  /** Resolves once everything that was done so far is on disk. */
  private committed(): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<undefined>();
    this.commits.afterwards(() => resolve(undefined));
    this.commits.wake();
    return promise;
  }

  async start(request: StartRequest): Promise<"started" | "conflict"> {
    const existing = this.cache.loadById(request.id);
    if (existing && !existing.finished && this.options.overridable !== "AnyState") return "conflict";
    this.create(request, undefined);
    await this.committed();
    return "started";
  }

  async raiseEvent(id: string, name: string, input: string): Promise<Delivery> {
    return this.send(id, {
      EventType: EventType.EventRaised,
      EventId: -1,
      Timestamp: isoNow(),
      Name: name,
      Input: input,
    });
  }

  async terminate(id: string, reason: string): Promise<Delivery> {
    return this.send(id, { EventType: EventType.ExecutionTerminated, EventId: -1, Timestamp: isoNow(), Input: reason });
  }

  async suspend(id: string, reason: string): Promise<Delivery> {
    return this.send(id, { EventType: EventType.ExecutionSuspended, EventId: -1, Timestamp: isoNow(), Reason: reason });
  }

  async resume(id: string, reason: string): Promise<Delivery> {
    return this.send(id, { EventType: EventType.ExecutionResumed, EventId: -1, Timestamp: isoNow(), Reason: reason });
  }

  /** Deletes finished instances with all that belongs to them; running ones are left alone. */
  async purge(ids: readonly string[]): Promise<number> {
    const rows = ids.flatMap((id) => this.journal.instanceById(id) ?? []).filter(({ iid }) => !this.cache.load(iid));
    for (const { iid } of rows) this.commits.write(() => this.journal.deleteInstance(iid));
    await this.committed();
    return rows.length;
  }

  /** Resolves when the instance has ended, or after that time, whichever is first. */
  async waitForEnd(id: string, timeoutMs: number): Promise<void> {
    if (!this.cache.loadById(id)) return;
    const { promise, resolve } = Promise.withResolvers<undefined>();
    const wake = (): void => resolve(undefined);
    const handle = setTimeout(wake, timeoutMs);
    const waiters = this.endWaiters.get(id) ?? [];
    this.endWaiters.set(id, [...waiters, wake]);
    await promise;
    clearTimeout(handle);
    const left = (this.endWaiters.get(id) ?? []).filter((waiter) => waiter !== wake);
    if (left.length > 0) this.endWaiters.set(id, left);
    else this.endWaiters.delete(id);
  }

  private async send(id: string, event: HistoryEvent): Promise<Delivery> {
    const instance = this.cache.loadById(id);
    if (instance?.finished === true || (!instance && this.journal.instanceById(id))) return "finished";
    if (!instance) return "unknown";
    this.runner.enqueue(instance, this.messageOf(event, {}));
    await this.committed();
    return "accepted";
  }

  private messageOf(event: HistoryEvent, origin: { execution?: string; wid?: number; repeatable?: boolean }): Message {
    const { execution, wid, repeatable = false } = origin;
    return { seq: (this.numbers.seq += 1), event, execution, wid, repeatable, persisted: false };
  }

  private create(request: StartRequest, parent: ParentTask | undefined): void {
    const now = Date.now();
    this.discard(request.id);
    const row: InstanceRow = {
      ...request,
      iid: (this.numbers.iid += 1),
      execution: randomUUID().replaceAll("-", ""),
      status: "Pending",
      output: null,
      customStatus: null,
      createdAt: now,
      updatedAt: now,
      episodes: 0,
      parentIid: parent?.iid ?? null,
      parentId: parent?.id ?? null,
      parentExecution: parent?.execution ?? null,
      parentTask: parent?.task ?? null,
    };
    this.commits.write(() => this.journal.insertInstance(row));
    const instance = new Instance(row);
    this.cache.add(instance);
    this.runner.enqueue(instance, instance.startMessage());
  }

  /** Makes room for a new instance of this id. */
  private discard(id: string): void {
    const running = this.cache.peek(id);
    if (running) {
      running.gone = true;
      this.cache.remove(running);
    }
    const iid = running?.iid ?? this.journal.instanceById(id)?.iid;
    if (iid !== undefined) this.commits.write(() => this.journal.deleteInstance(iid));
  }

  private activityDone(row: ActivityRow, outcome: ActivityOutcome): void {
    if (this.stopped) return;
    const instance = this.cache.load(row.iid);
    if (!instance || instance.execution !== row.execution) {
      this.commits.write(() => this.journal.deleteActivity(row.wid));
      this.commits.settle();
      return;
    }
    const base = { EventId: -1, Timestamp: isoNow(), TaskScheduledId: row.task };
    const event: HistoryEvent =
      "result" in outcome
        ? { EventType: EventType.TaskCompleted, ...base, Result: outcome.result }
        : { EventType: EventType.TaskFailed, ...base, ...failureOf(row.name, outcome.error) };
    this.runner.enqueue(instance, this.messageOf(event, { execution: row.execution, wid: row.wid, repeatable: true }));
  }

  private timerFired(timer: TimerRow): void {
    const instance = this.cache.load(timer.iid);
    if (!instance) return;
    const event = {
      EventType: EventType.TimerFired,
      EventId: -1,
      Timestamp: isoNow(),
      TimerId: timer.task,
      FireAt: new Date(timer.fireAt).toISOString(),
    };
    this.runner.enqueue(instance, this.messageOf(event, { execution: timer.execution, repeatable: true }));
  }

  private startChild(event: HistoryEvent, parent: ParentTask): void {
    const id = event.InstanceId ?? "";
    const running = this.cache.loadById(id);
    if (running && !running.finished) {
      const Reason = `Orchestrator function '${event.Name ?? ""}' failed: an instance with the id '${id}' is already running`;
      this.tellParent(parent, {
        EventType: EventType.SubOrchestrationFailed,
        EventId: -1,
        Timestamp: isoNow(),
        Reason,
        Details: "",
      });
      return;
    }
    this.create({ name: event.Name ?? "", id, input: event.Input ?? "null", version: event.Version ?? "" }, parent);
  }

  private finished(instance: Instance, event: HistoryEvent): void {
    if (instance.parent) this.tellParent(instance.parent, event);
    this.commits.afterwards(() => {
      this.cache.remove(instance);
      for (const wake of this.endWaiters.get(instance.id) ?? []) wake();
    });
  }

  private tellParent(parent: ParentTask, event: HistoryEvent): void {
    const instance = this.cache.load(parent.iid);
    if (!instance) return;
    this.runner.enqueue(
      instance,
      this.messageOf({ ...event, TaskScheduledId: parent.task }, { execution: parent.execution }),
    );
  }
}

function failureOf(name: string, error: unknown): { Reason: string; Details: string } {
  const details = error instanceof Error ? (error.stack ?? error.message) : String(error);
  return { Reason: `Activity function '${name}' failed: ${messageOf(error)}`, Details: details };
}

function isoNow(): string {
  return new Date().toISOString();
}
