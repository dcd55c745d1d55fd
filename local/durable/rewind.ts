import type { ActivityQueue } from "./activity-queue";
import type { CommitLoop } from "./commit-loop";
import { Execution, isFailure } from "./execution";
import { EventType, parseEvents, playedTextOf, taskIdOf } from "./history";
import type { HistoryEvent } from "./history";
import type { ParentTask } from "./instance";
import type { InstanceRow, Journal, RuntimeStatus } from "./journal";
import type { TimerQueue } from "./timer-queue";

export type RewindOutcome =
  | { readonly kind: "accepted" | "unknown" }
  | { readonly kind: "not failed"; readonly status: RuntimeStatus }
  | { readonly kind: "unsupported"; readonly reason: string };

export interface RewinderParts {
  readonly journal: Journal;
  readonly commits: CommitLoop;
  readonly activities: ActivityQueue;
  readonly timers: TimerQueue;
  readonly nextWid: () => number;
  readonly nextSeq: () => number;
  readonly startChild: (event: HistoryEvent, parent: ParentTask) => void;
  /** The instance runs again: it has news in the journal. */
  readonly revived: (iid: number) => void;
}

/** What remains of a failed history, and what is done again. */
interface Plan {
  readonly row: InstanceRow;
  readonly keptEpisodes: number;
  readonly messages: HistoryEvent[];
  /** The events that scheduled what is open again. */
  readonly again: readonly HistoryEvent[];
}

/**
 * Takes failed instances back to the moment before their last failure: what failed runs again, what succeeded does not.
 * A failed sub-orchestration is rewound itself (docs: HTTP API reference of Durable Functions, Rewind instance).
 */
export class Rewinder {
  constructor(private readonly parts: RewinderParts) {}

  /** All is written with one commit. */
  rewind(id: string): RewindOutcome {
    const row = this.parts.journal.instanceById(id);
    if (!row) return { kind: "unknown" };
    if (row.status !== "Failed") return { kind: "not failed", status: row.status };
    const plan = this.plan(row);
    if ("reason" in plan) return { kind: "unsupported", reason: plan.reason };
    const refusal = this.carryOut(plan);
    return refusal === undefined ? { kind: "accepted" } : { kind: "unsupported", reason: refusal };
  }

  private plan(row: InstanceRow): Plan | { readonly reason: string } {
    const episodes = this.parts.journal.episodesOf(row.iid).map(parseEvents);
    const lastFailure = episodes.findLastIndex((events) => events.some(isFailure));
    const keptEpisodes = lastFailure >= 0 ? lastFailure : Math.max(episodes.length - 1, 0);
    const kept = episodes.slice(0, keptEpisodes).flat();
    const dropped = episodes.slice(keptEpisodes).flat();
    const state = Execution.of(kept);
    const reason = entityProblem(state, kept, dropped);
    if (reason !== undefined) return { reason };
    const messages = dropped.filter((event) => isNews(event, state, dropped));
    const answered = new Set(messages.map(taskIdOf));
    const again = kept.filter((event) => state.open.has(event.EventId) && !answered.has(event.EventId));
    return { row, keptEpisodes, messages, again };
  }

  private carryOut({ row, keptEpisodes, messages, again }: Plan): string | undefined {
    const { journal, commits } = this.parts;
    const { iid, customStatus } = row;
    for (const event of again) {
      const refusal = this.startAgain(row, event, messages);
      if (refusal !== undefined) return refusal;
    }
    const status = keptEpisodes === 0 ? "Pending" : "Running";
    const change = { iid, status, customStatus, output: null, episodes: keptEpisodes, updatedAt: Date.now() } as const;
    commits.write(() => journal.cutHistory(iid, keptEpisodes));
    commits.write(() => journal.updateInstance(change));
    for (const event of messages) {
      const stored = { seq: this.parts.nextSeq(), execution: row.execution, event: playedTextOf(event) };
      commits.write(() => journal.insertMessage(iid, stored));
    }
    commits.afterwards(() => this.parts.revived(iid));
    return undefined;
  }

  private startAgain(row: InstanceRow, event: HistoryEvent, messages: HistoryEvent[]): string | undefined {
    const { journal, commits, activities, timers } = this.parts;
    const { iid, execution, id: instanceId } = row;
    const task = event.EventId;
    if (event.EventType === EventType.SubOrchestrationCreated) return this.childAgain(row, event, messages);
    if (event.EventType === EventType.TimerCreated) {
      const timer = { iid, execution, task, fireAt: Date.parse(event.FireAt ?? event.Timestamp) };
      commits.write(() => journal.insertTimer(timer));
      commits.afterwards(() => timers.add(timer));
    }
    // An activity that was still running when its instance failed answers by itself. One that answered the failed instance said
    // so to nobody, though its row may still be there: it runs again.
    if (event.EventType !== EventType.TaskScheduled || activities.willAnswer({ iid, execution, task }))
      return undefined;
    commits.write(() => journal.deleteActivityOf(iid, execution, task));
    const input = (event.Input ?? "[null]").slice(1, -1);
    const activity = { wid: this.parts.nextWid(), iid, execution, task, instanceId, name: event.Name ?? "", input };
    commits.write(() => journal.insertActivity(activity));
    commits.afterwards(() => activities.add(activity));
    return undefined;
  }

  private childAgain(row: InstanceRow, event: HistoryEvent, messages: HistoryEvent[]): string | undefined {
    const child = this.parts.journal.instanceById(event.InstanceId ?? "");
    const task = event.EventId;
    const isOwn = child?.parentIid === row.iid && child.parentExecution === row.execution && child.parentTask === task;
    if (!child || !isOwn || child.status === "Terminated") {
      this.parts.startChild(event, { iid: row.iid, id: row.id, execution: row.execution, task });
      return undefined;
    }
    if (child.status === "Failed") {
      const plan = this.plan(child);
      return "reason" in plan ? plan.reason : this.carryOut(plan);
    }
    if (child.status !== "Completed") return undefined;
    const Result = child.output ?? "null";
    const Timestamp = new Date().toISOString();
    messages.push({
      EventType: EventType.SubOrchestrationCompleted,
      EventId: -1,
      Timestamp,
      TaskScheduledId: task,
      Result,
    });
    return undefined;
  }
}

/** A failed instance has given its locks back and missed the answers of entities: neither can be had again. */
function entityProblem(
  state: Execution,
  kept: readonly HistoryEvent[],
  dropped: readonly HistoryEvent[],
): string | undefined {
  if (state.lock)
    return "The instance failed inside a critical section, and its locks are released: it cannot be rewound.";
  const answered = new Set(
    [...kept, ...dropped].map(({ EventType: type, Name }) => type === EventType.EventRaised && Name),
  );
  const missed = kept.some((event) => event.Sent === "call" && !answered.has(requestIdOf(event)));
  return missed
    ? "The instance failed while it waited for an entity's answer, which is lost: it cannot be rewound."
    : undefined;
}

function isNews(event: HistoryEvent, state: Execution, dropped: readonly HistoryEvent[]): boolean {
  const task = taskIdOf(event);
  if (task !== undefined) return !isFailure(event) && state.open.has(task);
  if (event.EventType !== EventType.EventRaised) return false;
  // The answer to a call that is made again comes again.
  return !dropped.some((other) => other.Sent !== undefined && requestIdOf(other) === event.Name);
}

function requestIdOf({ Input = "{}" }: HistoryEvent): string {
  // `scheduleEvents` wrote the text.
  return (JSON.parse(Input) as { id: string }).id;
}
