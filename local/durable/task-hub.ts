/* eslint-disable max-lines -- the composition root of the engine: it wires its parts and forwards to them */
import { randomUUID } from "node:crypto";
import { ActivityQueue } from "./activity-queue";
import { CommitLoop } from "./commit-loop";
import { Deliveries, isoNow } from "./deliveries";
import type { DurableSettings } from "./durable-settings";
import { EndWaiters } from "./end-waiters";
import { EntityHub, signalOf } from "./entity-hub";
import { EntityTables } from "./entity-tables";
import { EpisodeWriter } from "./episode-writer";
import type { DurableFunctions } from "./functions";
import { EventType } from "./history";
import type { HistoryEvent } from "./history";
import { HTTP_ACTIVITY } from "./http-call";
import { runHttpCall } from "./http-runner";
import type { IdentityEndpoint } from "./http-runner";
import { Instance } from "./instance";
import type { ParentTask } from "./instance";
import { InstanceCache } from "./instance-cache";
import { InstanceRunner } from "./instance-runner";
import { Journal } from "./journal";
import type { ActivityRow, InstanceRow } from "./journal";
import { Rewinder } from "./rewind";
import type { RewindOutcome } from "./rewind";
import { TimerQueue } from "./timer-queue";

export interface TaskHubOptions {
  readonly functions: DurableFunctions;
  readonly journalPath: string;
  readonly maxConcurrentActivities: number;
  /** `AnyState`: a start replaces an instance of the same id that still runs; otherwise it is refused. */
  readonly overridable: "NonRunningStates" | "AnyState";
  readonly settings: DurableSettings;
  /** For the tokens of `callHttp`. */
  readonly identity: IdentityEndpoint;
  readonly log: (line: string) => void;
}

export interface StartRequest {
  readonly name: string;
  readonly id: string;
  readonly input: string;
  /** Undefined means the app's default. */
  readonly version: string | undefined;
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
  private readonly deliveries: Deliveries;
  private readonly rewinder: Rewinder;
  private readonly endWaiters = new EndWaiters();
  readonly entityTables: EntityTables;
  private readonly entities: EntityHub;
  private readonly numbers: { iid: number; wid: number; seq: number };
  private stopped = false;

  // eslint-disable-next-line max-lines-per-function -- a list of parts and what each is given
  constructor(private readonly options: TaskHubOptions) {
    this.journal = new Journal(options.journalPath);
    this.numbers = this.journal.highest();
    this.cache = new InstanceCache(this.journal);
    const { functions, log, settings } = options;
    this.runner = new InstanceRunner({
      functions,
      log,
      settings,
      journal: this.journal,
      commits: () => this.commits,
      writer: () => this.writer,
    });
    this.commits = new CommitLoop(this.journal, {
      runTurn: () => this.runner.runTurn(),
      beforeCommit: () => this.runner.saveMessages(),
      afterCommit: () => {
        this.cache.trim();
        this.entities.trim();
      },
    });
    this.deliveries = new Deliveries({
      journal: this.journal,
      commits: () => this.commits,
      cache: this.cache,
      runner: this.runner,
      nextSeq: () => (this.numbers.seq += 1),
    });
    this.entityTables = new EntityTables(this.journal.db);
    this.entities = new EntityHub({
      functions,
      log,
      tables: this.entityTables,
      commits: () => this.commits,
      isAlive: (caller) => this.deliveries.executionOf(caller) !== undefined,
      answer: (caller, requestId, input) => this.deliveries.answer(caller, requestId, input),
      maxBatch: settings.maxEntityBatch,
    });
    this.activities = new ActivityQueue(
      (row) => this.runActivity(row),
      options.maxConcurrentActivities,
      (row, outcome) => {
        if (!this.stopped) this.deliveries.activityDone(row, outcome);
      },
    );
    this.timers = new TimerQueue((timer) => this.deliveries.timerFired(timer));
    const parts = {
      journal: this.journal,
      commits: this.commits,
      activities: this.activities,
      timers: this.timers,
      entities: this.entities,
      nextWid: () => (this.numbers.wid += 1),
      nextSeq: () => (this.numbers.seq += 1),
      startChild: (event: HistoryEvent, parent: ParentTask) => this.startChild(event, parent),
      finished: (instance: Instance, event: HistoryEvent) => this.finished(instance, event),
      continued: (instance: Instance) => this.runner.enqueue(instance, instance.startMessage(), "front"),
      revived: (iid: number) => this.revive(iid),
    };
    this.writer = new EpisodeWriter(parts);
    this.rewinder = new Rewinder(parts);
  }

  /** Takes up everything that an earlier process left: activities run again, timers fire, undelivered messages arrive. */
  open(): void {
    for (const iid of this.journal.unsettledInstances()) this.revive(iid);
    for (const timer of this.journal.timers()) this.timers.add(timer);
    for (const activity of this.journal.activities()) this.activities.add(activity);
    this.entities.open();
    this.commits.wake();
  }

  private revive(iid: number): void {
    const instance = this.cache.load(iid);
    if (instance) this.runner.makeReady(instance);
    this.commits.wake();
  }

  /** Starts no more activities and fires no more timers; what waits stays in the journal for the next process. */
  pause(): void {
    this.timers.stop();
    this.activities.stop();
    this.entities.pause();
    this.endWaiters.wakeAll();
  }

  /** Writes what is known and closes the journal. Results that come later are dropped: their activities run again. */
  async close(): Promise<void> {
    await this.committed();
    this.stopped = true;
    this.runner.stop();
    this.entities.stop();
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
    if (this.cache.loadById(id)) await this.endWaiters.wait(id, timeoutMs);
  }

  async rewind(id: string): Promise<RewindOutcome> {
    const outcome = this.rewinder.rewind(id);
    await this.committed();
    return outcome;
  }

  async signalEntity(id: string, operation: string, input: string | undefined): Promise<void> {
    this.entities.send(id, signalOf(operation, input));
    await this.committed();
  }

  /** False for an entity that does not exist, is locked, or works just now. */
  async purgeEntity(id: string): Promise<boolean> {
    const isPurged = this.entities.purge(id);
    await this.committed();
    return isPurged;
  }

  private async send(id: string, event: HistoryEvent): Promise<Delivery> {
    const instance = this.cache.loadById(id);
    if (instance?.finished === true || (!instance && this.journal.instanceById(id))) return "finished";
    if (!instance) return "unknown";
    this.deliveries.send(instance, event);
    await this.committed();
    return "accepted";
  }

  private create(request: StartRequest, parent: ParentTask | undefined): void {
    const now = Date.now();
    this.discard(request.id);
    const row: InstanceRow = {
      ...request,
      version: request.version ?? this.options.settings.defaultVersion,
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
      this.entities.releaseAll(running);
      this.cache.remove(running);
    }
    const iid = running?.iid ?? this.journal.instanceById(id)?.iid;
    if (iid !== undefined) this.commits.write(() => this.journal.deleteInstance(iid));
  }

  private async runActivity({ name, input, instanceId }: ActivityRow): Promise<string> {
    if (name === HTTP_ACTIVITY) return runHttpCall(input, this.options.identity);
    return this.options.functions.runActivity(name, { input, instanceId });
  }

  private startChild(event: HistoryEvent, parent: ParentTask): void {
    const id = event.InstanceId ?? "";
    const running = this.cache.loadById(id);
    if (running && !running.finished) {
      const Reason = `Orchestrator function '${event.Name ?? ""}' failed: an instance with the id '${id}' is already running`;
      this.deliveries.tellParent(parent, {
        EventType: EventType.SubOrchestrationFailed,
        EventId: -1,
        Timestamp: isoNow(),
        Reason,
        Details: "",
      });
      return;
    }
    this.create({ name: event.Name ?? "", id, input: event.Input ?? "null", version: event.Version }, parent);
  }

  private finished(instance: Instance, event: HistoryEvent): void {
    if (instance.parent) this.deliveries.tellParent(instance.parent, event);
    this.commits.afterwards(() => {
      this.cache.remove(instance);
      this.endWaiters.wake(instance.id);
    });
  }
}
/* eslint-enable max-lines -- end of the file */
