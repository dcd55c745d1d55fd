import type { CommitLoop } from "./commit-loop";
import { runEpisode } from "./episode";
import type { EpisodeWriter } from "./episode-writer";
import { versionProblem } from "./durable-settings";
import type { DurableSettings } from "./durable-settings";
import type { DurableFunctions } from "./functions";
import { EventType, playedTextOf, taskIdOf } from "./history";
import { takeNextStep } from "./instance";
import type { Instance, Message } from "./instance";
import type { Journal } from "./journal";

export interface InstanceRunnerParts {
  readonly functions: DurableFunctions;
  readonly settings: DurableSettings;
  readonly journal: Journal;
  readonly commits: () => CommitLoop;
  readonly writer: () => EpisodeWriter;
  readonly log: (line: string) => void;
}

/** Brings messages to instances and lets each instance with news take its next step, one at a time for each instance. */
export class InstanceRunner {
  private readonly ready = new Set<Instance>();
  private readonly unsaved = new Set<Instance>();
  private stopped = false;

  constructor(private readonly parts: InstanceRunnerParts) {}

  stop(): void {
    this.stopped = true;
  }

  /** For an instance whose messages came with it from the journal. */
  makeReady(instance: Instance): void {
    this.ready.add(instance);
  }

  enqueue(instance: Instance, message: Message, end: "front" | "back" = "back"): void {
    if (end === "front") instance.inbox.unshift(message);
    else instance.inbox.push(message);
    this.unsaved.add(instance);
    this.ready.add(instance);
    this.parts.commits().wake();
  }

  runTurn(): void {
    if (this.stopped) return;
    const instances = [...this.ready];
    this.ready.clear();
    for (const instance of instances) if (!instance.running && !instance.gone) this.step(instance);
  }

  private step(instance: Instance): void {
    if (instance.finished) {
      this.parts.writer().consume(instance, instance.inbox.splice(0));
      return;
    }
    this.dropStale(instance);
    if (this.rejects(instance)) return;
    const next = takeNextStep(instance);
    if (!next) return;
    if (next.kind === "episode") {
      void this.runEpisode(instance, next.messages);
      return;
    }
    if (next.kind === "terminate") this.parts.writer().terminate(instance, next.message);
    else this.parts.writer().setSuspended(instance, next.message, next.kind === "suspend");
    if (instance.inbox.length > 0) this.step(instance);
  }

  /** An instance of another version waits for an app that runs it; it can only be terminated. */
  private rejects({ id, inbox, version }: Instance): boolean {
    const { versioning } = this.parts.settings;
    if (versioning?.failure !== "Reject") return false;
    const problem = versionProblem(version, versioning);
    if (problem === undefined || inbox.some(({ event }) => event.EventType === EventType.ExecutionTerminated))
      return false;
    this.parts.log(`[${id}] is not run: ${problem}`);
    return true;
  }

  private async runEpisode(instance: Instance, messages: Message[]): Promise<void> {
    instance.running = true;
    instance.inFlight = messages;
    const episode = await runEpisode(
      { functions: this.parts.functions, options: this.parts.settings },
      instance,
      messages.map(({ event }) => event),
    );
    instance.running = false;
    instance.inFlight = [];
    this.parts.commits().settle();
    if (instance.gone) {
      this.parts.writer().consume(instance, messages);
      return;
    }
    if (episode.end?.kind === "failed") this.parts.log(`[${instance.id}] ${episode.end.reason}`);
    this.parts.writer().write(instance, messages, episode);
    if (instance.inbox.length === 0 || instance.finished) return;
    this.ready.add(instance);
    this.parts.commits().wake();
  }

  /** Late and repeated results, and those of an earlier execution, must not enter the history. */
  private dropStale(instance: Instance): void {
    const seen = new Set<number>();
    const isStale = ({ event, execution }: Message): boolean => {
      if (execution !== undefined && execution !== instance.execution) return true;
      const task = taskIdOf(event);
      if (task === undefined) return false;
      if (seen.has(task) || !instance.state.accepts(event)) return true;
      seen.add(task);
      return false;
    };
    const stale = instance.inbox.filter(isStale);
    if (stale.length === 0) return;
    instance.inbox = instance.inbox.filter((message) => !stale.includes(message));
    this.parts.writer().consume(instance, stale);
  }

  /**
   * Writes the messages that no episode has taken in yet, so that an answer "accepted" holds. Most are consumed in the turn
   * in which they came and never touch the disk; results of activities are written only where they may have to wait long.
   */
  saveMessages(): void {
    for (const instance of this.unsaved) {
      if (instance.gone || instance.finished) continue;
      for (const message of [...instance.inFlight, ...instance.inbox]) {
        if (message.persisted || (message.repeatable && instance.status !== "Suspended")) continue;
        if (message.event.EventType === EventType.ExecutionStarted) continue;
        message.persisted = true;
        const row = { seq: message.seq, execution: message.execution ?? null, event: playedTextOf(message.event) };
        this.parts.commits().write(() => this.parts.journal.insertMessage(instance.iid, row));
        if (message.wid !== undefined) this.parts.writer().forgetActivity(message.wid);
      }
    }
    this.unsaved.clear();
  }
}
