import { Execution } from "./execution";
import { EventType, parseEvents, replayTextOf } from "./history";
import type { HistoryEvent } from "./history";
import { FINISHED } from "./journal";
import type { InboxRow, InstanceRow, RuntimeStatus } from "./journal";

/** An event on its way to an instance. */
export interface Message {
  readonly seq: number;
  readonly event: HistoryEvent;
  /** Only for this execution, when given: results of an earlier one are of no use after `continueAsNew`. */
  readonly execution: string | undefined;
  /** The activity that this message answers: its row goes when the message is consumed. */
  readonly wid: number | undefined;
  /** True when a restart brings the message back by itself (an activity runs again, a timer fires again). */
  readonly repeatable: boolean;
  persisted: boolean;
}

export interface ParentTask {
  readonly iid: number;
  readonly id: string;
  readonly execution: string;
  readonly task: number;
}

/** An instance that has not ended, as held in memory. The journal is the truth; this is its cache plus what is under way. */
export class Instance {
  readonly iid: number;
  readonly id: string;
  readonly name: string;
  readonly version: string;
  readonly createdAt: number;
  readonly parent: ParentTask | undefined;
  execution: string;
  input: string;
  status: RuntimeStatus;
  customStatus: string | null;
  episodes: number;
  inbox: Message[] = [];
  /** The messages of the episode that runs now. */
  inFlight: Message[] = [];
  running = false;
  /** True once the instance was purged or replaced: what still runs for it must leave no trace. */
  gone = false;
  state = new Execution();
  /** What the SDK reads again in each replay, as JSON, every event marked as played. */
  played = "";

  constructor(row: InstanceRow) {
    this.iid = row.iid;
    this.id = row.id;
    this.name = row.name;
    this.version = row.version;
    this.createdAt = row.createdAt;
    this.execution = row.execution;
    this.input = row.input;
    this.status = row.status;
    this.customStatus = row.customStatus;
    this.episodes = row.episodes;
    this.parent = parentOf(row);
  }

  get finished(): boolean {
    return FINISHED.includes(this.status);
  }

  get idle(): boolean {
    return !this.running && this.inbox.length === 0;
  }

  restore(history: string, inbox: readonly InboxRow[]): void {
    const events = parseEvents(history);
    this.state = Execution.of(events);
    this.played = replayTextOf(events);
    if (history === "") this.inbox.push(this.startMessage());
    for (const row of inbox) {
      const [event] = parseEvents(row.event);
      if (event)
        this.inbox.push({
          seq: row.seq,
          event,
          execution: row.execution ?? undefined,
          wid: undefined,
          repeatable: false,
          persisted: true,
        });
    }
  }

  startExecution(execution: string, input: string): void {
    this.execution = execution;
    this.input = input;
    this.episodes = 0;
    this.state = new Execution();
    this.played = "";
  }

  /** Never stored: an instance without history gets it when it is read from the journal. */
  startMessage(): Message {
    return {
      seq: 0,
      event: this.startedEvent(Date.now()),
      execution: this.execution,
      wid: undefined,
      repeatable: true,
      persisted: false,
    };
  }

  private startedEvent(now: number): HistoryEvent {
    const parent = this.parent;
    return {
      EventType: EventType.ExecutionStarted,
      EventId: -1,
      Timestamp: new Date(now).toISOString(),
      Name: this.name,
      Version: this.version,
      Input: this.input,
      OrchestrationInstance: { InstanceId: this.id, ExecutionId: this.execution },
      ParentInstance: parent && {
        OrchestrationInstance: { InstanceId: parent.id, ExecutionId: parent.execution },
        TaskScheduleId: parent.task,
      },
    };
  }
}

function parentOf(row: InstanceRow): ParentTask | undefined {
  const { parentIid: iid, parentId: id, parentExecution: execution, parentTask: task } = row;
  if (iid === null || id === null || execution === null || task === null) return undefined;
  return { iid, id, execution, task };
}

export type NextStep =
  | { readonly kind: "episode"; readonly messages: Message[] }
  | { readonly kind: "terminate" | "suspend" | "resume"; readonly message: Message };

/** Takes from the inbox what the instance does next; undefined when there is nothing for it to do. */
export function takeNextStep(instance: Instance): NextStep | undefined {
  const { inbox } = instance;
  const terminate = inbox.find(({ event }) => event.EventType === EventType.ExecutionTerminated);
  if (terminate) return { kind: "terminate", message: terminate };
  if (instance.status === "Suspended") return takeWhileSuspended(inbox);
  const [first] = inbox;
  if (first?.event.EventType === EventType.ExecutionSuspended)
    return takeControl(inbox, "suspend", EventType.ExecutionSuspended);
  if (!first) return undefined;
  const messages = inbox.splice(0, batchSize(instance));
  return { kind: "episode", messages };
}

/** Suspended twice is suspended: the second request is taken where it stands, and does not wait behind a resume. */
function takeWhileSuspended(inbox: Message[]): NextStep | undefined {
  const { ExecutionSuspended, ExecutionResumed } = EventType;
  const next = inbox.find(({ event: { EventType: type } }) => type === ExecutionSuspended || type === ExecutionResumed);
  if (!next) return undefined;
  const { EventType: type } = next.event;
  return takeControl(inbox, type === ExecutionResumed ? "resume" : "suspend", type);
}

function takeControl(inbox: Message[], kind: "suspend" | "resume", type: number): NextStep | undefined {
  const index = inbox.findIndex(({ event }) => event.EventType === type);
  const [message] = index < 0 ? [] : inbox.splice(index, 1);
  return message && { kind, message };
}

/**
 * While a task with retries, a long timer or a polled HTTP call is open the SDK numbers tasks by itself, in an order that
 * depends on the events: with one completion in each episode that order is certain.
 */
function batchSize({ inbox, state }: Instance): number {
  if (state.numbersByItself) return 1;
  const suspendAt = inbox.findIndex(({ event }) => event.EventType === EventType.ExecutionSuspended);
  return suspendAt < 0 ? inbox.length : suspendAt;
}
