import type { ActivityQueue } from "./activity-queue";
import type { CommitLoop } from "./commit-loop";
import type { EntityHub } from "./entity-hub";
import type { EntityCaller, EntityMessage } from "./entity-tables";
import type { Episode } from "./episode";
import { EventType, playedTextOf } from "./history";
import type { HistoryEvent } from "./history";
import { randomUUID } from "node:crypto";
import type { Instance, Message, ParentTask } from "./instance";
import type { Journal, RuntimeStatus } from "./journal";
import type { TimerQueue } from "./timer-queue";

export interface EpisodeWriterParts {
  readonly journal: Journal;
  readonly commits: CommitLoop;
  readonly activities: ActivityQueue;
  readonly timers: TimerQueue;
  readonly nextWid: () => number;
  readonly startChild: (event: HistoryEvent, parent: ParentTask) => void;
  readonly entities: EntityHub;
  /** Gets the event that a parent would read. */
  readonly finished: (instance: Instance, event: HistoryEvent) => void;
  readonly continued: (instance: Instance) => void;
}

/** Turns what an episode decided into the writes of one transaction and into what happens after it. */
export class EpisodeWriter {
  constructor(private readonly parts: EpisodeWriterParts) {}

  write(instance: Instance, messages: readonly Message[], episode: Episode): void {
    const { end } = episode;
    this.consume(instance, messages);
    instance.customStatus = episode.customStatus ?? instance.customStatus;
    if (instance.status === "Pending") instance.status = "Running";
    const isSent = ({ EventType: type }: HistoryEvent): boolean => type === EventType.EventSent;
    const scheduled = end?.kind === "failed" ? episode.scheduled.filter(isSent) : episode.scheduled;
    this.schedule(instance, scheduled, end !== undefined);
    if (end?.kind === "continued") {
      this.continueAsNew(instance, end.input);
      return;
    }
    this.append(instance, episode.text);
    instance.played = instance.played === "" ? episode.replay : `${instance.played},${episode.replay}`;
    for (const task of episode.cancelledTimers) this.cancelTimer(instance, task);
    if (!end) {
      this.save(instance, null);
      return;
    }
    if (end.kind === "completed") this.end(instance, "Completed", end.output);
    else this.end(instance, "Failed", end.reason);
  }

  terminate(instance: Instance, message: Message): void {
    const reason = message.event.Input ?? "";
    this.append(instance, playedTextOf(message.event));
    this.end(instance, "Terminated", reason);
  }

  setSuspended(instance: Instance, message: Message, suspended: boolean): void {
    this.consume(instance, [message]);
    this.append(instance, playedTextOf(message.event));
    instance.status = suspended ? "Suspended" : "Running";
    this.save(instance, null);
  }

  /** The messages were read, or nobody will read them. */
  consume(instance: Instance, messages: readonly Message[]): void {
    const { commits, journal } = this.parts;
    for (const { persisted, seq, wid, event } of messages) {
      if (persisted) commits.write(() => journal.deleteMessage(seq));
      if (wid !== undefined) this.forgetActivity(wid);
      const { TimerId: task } = event;
      if (task !== undefined) commits.write(() => journal.deleteTimer(instance.iid, task));
    }
  }

  forgetActivity(wid: number): void {
    this.parts.commits.write(() => this.parts.journal.deleteActivity(wid));
  }

  private append(instance: Instance, text: string): void {
    const { iid, episodes } = instance;
    this.parts.commits.write(() => this.parts.journal.appendHistory(iid, episodes, text));
    instance.episodes += 1;
  }

  private save(instance: Instance, output: string | null): void {
    const { iid, status, customStatus, episodes } = instance;
    const updatedAt = Date.now();
    this.parts.commits.write(() =>
      this.parts.journal.updateInstance({ iid, status, customStatus, episodes, output, updatedAt }),
    );
  }

  private schedule(instance: Instance, events: readonly HistoryEvent[], ending: boolean): void {
    for (const event of events) {
      if (event.EventType === EventType.TaskScheduled) this.scheduleActivity(instance, event);
      else if (event.EventType === EventType.SubOrchestrationCreated) this.startChild(instance, event);
      else if (event.EventType === EventType.EventSent) this.send(instance, event);
      else if (!ending) this.armTimer(instance, event);
    }
  }

  private scheduleActivity(instance: Instance, event: HistoryEvent): void {
    const { journal, commits, activities } = this.parts;
    const { iid, execution, id: instanceId } = instance;
    // The history keeps an activity's input as a list of one argument.
    const input = (event.Input ?? "[null]").slice(1, -1);
    const row = {
      wid: this.parts.nextWid(),
      iid,
      execution,
      task: event.EventId,
      instanceId,
      name: event.Name ?? "",
      input,
    };
    commits.write(() => journal.insertActivity(row));
    commits.afterwards(() => activities.add(row));
  }

  private startChild({ iid, id, execution }: Instance, event: HistoryEvent): void {
    this.parts.startChild(event, { iid, id, execution, task: event.EventId });
  }

  private send({ iid, execution }: Instance, event: HistoryEvent): void {
    this.parts.entities.send(event.InstanceId ?? "", entityMessageOf(event, { iid, execution }));
  }

  private armTimer({ iid, execution }: Instance, event: HistoryEvent): void {
    const { journal, commits, timers } = this.parts;
    const timer = { iid, execution, task: event.EventId, fireAt: Date.parse(event.FireAt ?? event.Timestamp) };
    commits.write(() => journal.insertTimer(timer));
    commits.afterwards(() => timers.add(timer));
  }

  private cancelTimer({ iid, execution }: Instance, task: number): void {
    const { journal, commits, timers } = this.parts;
    commits.write(() => journal.deleteTimer(iid, task));
    commits.afterwards(() => timers.cancel({ iid, execution, task }));
  }

  private continueAsNew(instance: Instance, input: string): void {
    const { journal, commits } = this.parts;
    const { iid } = instance;
    const execution = randomUUID().replaceAll("-", "");
    this.cancelOpenTimers(instance);
    this.parts.entities.releaseAll(instance);
    commits.write(() => journal.restartInstance(iid, execution, input));
    instance.startExecution(execution, input);
    this.save(instance, null);
    this.parts.continued(instance);
  }

  private cancelOpenTimers({ iid, execution, state }: Instance): void {
    for (const task of state.open.keys())
      this.parts.commits.afterwards(() => this.parts.timers.cancel({ iid, execution, task }));
  }

  private end(instance: Instance, status: RuntimeStatus, output: string): void {
    const { journal, commits } = this.parts;
    const { iid } = instance;
    instance.status = status;
    this.save(instance, status === "Completed" ? output : JSON.stringify(output));
    this.consume(instance, instance.inbox);
    instance.inbox = [];
    this.cancelOpenTimers(instance);
    commits.write(() => journal.deleteTimers(iid));
    commits.write(() => journal.deleteMessages(iid));
    this.parts.entities.releaseAll(instance);
    this.parts.finished(instance, parentEvent(status, output));
  }
}

function entityMessageOf({ Input = "{}", Sent }: HistoryEvent, caller: EntityCaller): EntityMessage {
  // `scheduleEvents` wrote the text.
  const { id, op, input, lockset } = JSON.parse(Input) as {
    id: string;
    op?: string;
    input?: string;
    lockset?: string[];
  };
  if (Sent === "release") return { kind: "release", caller, requestId: id };
  if (Sent === "lock") return { kind: "lock", caller, requestId: id, lockSet: lockset ?? [], position: 0 };
  const operation = { operation: op ?? "", ...(input !== undefined && { input }), isSignal: Sent === "signal" };
  return { kind: "operation", caller, requestId: id, ...operation };
}

function parentEvent(status: RuntimeStatus, output: string): HistoryEvent {
  const base = { EventId: -1, Timestamp: new Date().toISOString() };
  if (status === "Completed") return { EventType: EventType.SubOrchestrationCompleted, ...base, Result: output };
  return { EventType: EventType.SubOrchestrationFailed, ...base, Reason: output, Details: "" };
}
