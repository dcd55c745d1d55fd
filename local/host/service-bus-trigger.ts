import type { ProcessErrorArgs, ServiceBusReceivedMessage, ServiceBusReceiver } from "@azure/service-bus";
import type { RegisteredFunction } from "./core-api";
import { textOf } from "./entity-name";
import type { ServiceBusConfig } from "./host-json";
import type { Invoker } from "./invoker";
import { describeError } from "./log";
import type { Log } from "./log";
import { pullBatches } from "./service-bus-batches";
import type { ServiceBusClients } from "./service-bus-clients";
import { triggerOfBatch, triggerOfMessage } from "./service-bus-message";
import { receiverOptions } from "./service-bus-pull";
import { pullSessions } from "./service-bus-sessions";
import type { Binding } from "./rpc";
import type { Settings } from "./settings";

/** A message that makes its function throw comes back at once; this keeps it from spinning through its deliveries. */
const PAUSE_AFTER_FAILURE_MS = 500;
const RESUBSCRIBE_AFTER_MS = 1_000;

export interface ServiceBusTriggerParts {
  readonly invoker: Invoker;
  readonly config: ServiceBusConfig;
  readonly clients: ServiceBusClients;
  readonly settings: Settings;
  readonly log: Log;
}

/** Pumps one queue or subscription into its function: peek-lock, completed on success, abandoned when the function throws. */
export class ServiceBusTrigger {
  private readonly name: string;
  private readonly entity: readonly [string] | readonly [string, string];
  private readonly isBatch: boolean;
  private readonly autoComplete: boolean;
  private receiver: ServiceBusReceiver | undefined;
  private subscription: { close(): Promise<void> } | undefined;
  private readonly underWay = new Set<Promise<void>>();
  private readonly stopping = new AbortController();

  constructor(
    private readonly fn: RegisteredFunction,
    private readonly binding: Binding,
    private readonly parts: ServiceBusTriggerParts,
  ) {
    this.name = fn.metadata.name;
    const named = { functionName: this.name, binding, settings: parts.settings };
    parts.clients.check(this.name, binding);
    this.entity =
      binding["queueName"] === undefined
        ? [textOf("topicName", named), textOf("subscriptionName", named)]
        : [textOf("queueName", named)];
    this.isBatch = String(binding["cardinality"]).toLowerCase() === "many";
    const own = binding["autoCompleteMessages"];
    this.autoComplete = typeof own === "boolean" ? own : parts.config.autoComplete;
  }

  async start(): Promise<void> {
    // Opened here, so that a connection string of the wrong form ends the start.
    const client = await this.parts.clients.clientFor(this.name, this.binding);
    const pull = {
      ...{ client, entity: this.entity, config: this.parts.config, signal: this.stopping.signal },
      batchSize: this.isBatch ? this.parts.config.maxMessageBatchSize : 1,
      handle: (receiver: ServiceBusReceiver, messages: ServiceBusReceivedMessage[]) =>
        this.track(this.handle(receiver, messages)),
      log: (line: string) => this.parts.log(`[${this.name}] ${this.entity.join("/")}: ${line}`),
    };
    if (this.binding["isSessionsEnabled"] === true) pullSessions(pull, (work) => void this.track(work));
    else if (this.isBatch) void this.track(pullBatches(pull));
    else await this.subscribe();
  }

  /** Takes no more messages; those that are being handled can still be settled until `close`. */
  stop(): void {
    this.stopping.abort();
    if (this.subscription) void this.track(this.subscription.close());
  }

  /** Waits for the messages that are being handled, at most that long. */
  async close(timeoutMs: number): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<undefined>();
    const handle = setTimeout(() => resolve(undefined), timeoutMs);
    await Promise.race([Promise.allSettled(this.underWay), promise]);
    clearTimeout(handle);
  }

  private track(work: Promise<void>): Promise<void> {
    this.underWay.add(work);
    const forget = (): boolean => this.underWay.delete(work);
    work.then(forget, forget);
    return work;
  }

  private async subscribe(): Promise<void> {
    if (this.stopping.signal.aborted) return;
    const client = await this.parts.clients.clientFor(this.name, this.binding);
    const options = receiverOptions(this.parts.config);
    const [queueOrTopic, subscriptionName] = this.entity;
    const receiver =
      subscriptionName === undefined
        ? client.createReceiver(queueOrTopic, options)
        : client.createReceiver(queueOrTopic, subscriptionName, options);
    this.receiver = receiver;
    this.subscription = receiver.subscribe(
      {
        processMessage: (message) => this.track(this.handle(receiver, [message])),
        processError: (args) => this.handleError(receiver, args),
      },
      { autoCompleteMessages: false, maxConcurrentCalls: this.parts.config.maxConcurrentCalls },
    );
  }

  private async handle(receiver: ServiceBusReceiver, messages: readonly ServiceBusReceivedMessage[]): Promise<void> {
    const [first] = messages;
    if (!first) return;
    try {
      await this.parts.invoker.invoke(this.fn, this.isBatch ? triggerOfBatch(messages) : triggerOfMessage(first));
    } catch {
      // The invoker has logged it.
      const pauseMs = this.stopping.signal.aborted ? 0 : PAUSE_AFTER_FAILURE_MS;
      await new Promise((resolve) => setTimeout(resolve, pauseMs));
      await this.settle("abandon", messages, (message) => receiver.abandonMessage(message));
      return;
    }
    if (this.autoComplete) await this.settle("complete", messages, (message) => receiver.completeMessage(message));
  }

  /** A settlement that fails is no loss: the lock runs out and the message comes again. */
  private async settle(
    what: string,
    messages: readonly ServiceBusReceivedMessage[],
    act: (message: ServiceBusReceivedMessage) => Promise<void>,
  ): Promise<void> {
    for (const { reason } of (await Promise.allSettled(messages.map(act))).filter((end) => end.status === "rejected"))
      this.parts.log(`[${this.name}] cannot ${what} a message of ${this.entity.join("/")}: ${describeError(reason)}`);
  }

  private handleError(receiver: ServiceBusReceiver, { error, errorSource }: ProcessErrorArgs): Promise<void> {
    this.parts.log(`[${this.name}] ${this.entity.join("/")}, ${errorSource}: ${error.message}`);
    // The client retries for ever by itself, but gives a receiver up that it takes for unusable.
    if (receiver === this.receiver && receiver.isClosed)
      setTimeout(() => void this.track(this.subscribe()), RESUBSCRIBE_AFTER_MS).unref();
    return Promise.resolve();
  }
}
