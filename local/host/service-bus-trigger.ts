import type {
  ProcessErrorArgs,
  ServiceBusClient,
  ServiceBusReceivedMessage,
  ServiceBusReceiver,
} from "@azure/service-bus";
import type { RegisteredFunction } from "./core-api";
import type { HostConfig } from "./host-json";
import type { Invoker } from "./invoker";
import { describeError } from "./log";
import type { Log } from "./log";
import type { Binding, TypedData } from "./rpc";
import { resolveSettings } from "./settings";
import type { Settings } from "./settings";

/** A message that makes its function throw comes back at once; this keeps it from spinning through its deliveries. */
const PAUSE_AFTER_FAILURE_MS = 500;
const RESUBSCRIBE_AFTER_MS = 1_000;

interface ServiceBusTriggerParts {
  readonly invoker: Invoker;
  readonly config: HostConfig["serviceBus"];
  readonly settings: Settings;
  readonly log: Log;
}

/** Pumps one queue or subscription into its function: peek-lock, completed on success, abandoned when the function throws. */
export class ServiceBusTrigger {
  private readonly connectionString: string;
  private readonly entity: readonly string[];
  private client: ServiceBusClient | undefined;
  private receiver: ServiceBusReceiver | undefined;
  private subscription: { close(): Promise<void> } | undefined;
  private readonly underWay = new Set<Promise<void>>();
  private stopped = false;

  constructor(
    private readonly fn: RegisteredFunction,
    private readonly binding: Binding,
    private readonly parts: ServiceBusTriggerParts,
  ) {
    this.connectionString = this.readConnection();
    this.entity = this.readEntity();
  }

  async start(): Promise<void> {
    // Loaded only by apps that need it: it takes longer to load than all of this host.
    const { ServiceBusClient: Client } = await import("@azure/service-bus");
    this.client = new Client(this.connectionString, { retryOptions: this.parts.config.retry });
    this.subscribe();
  }

  /** Takes no more messages; those that are being handled can still be settled until `close`. */
  stop(): void {
    this.stopped = true;
    if (this.subscription) void this.track(this.subscription.close());
  }

  /** Waits for the messages that are being handled, at most that long. */
  async close(timeoutMs: number): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<undefined>();
    const handle = setTimeout(() => resolve(undefined), timeoutMs);
    await Promise.race([Promise.allSettled(this.underWay), promise]);
    clearTimeout(handle);
    await this.client?.close();
  }

  private track(work: Promise<void>): Promise<void> {
    this.underWay.add(work);
    const forget = (): boolean => this.underWay.delete(work);
    work.then(forget, forget);
    return work;
  }

  private subscribe(): void {
    const [queueOrTopic = "", subscriptionName] = this.entity;
    const { client } = this;
    if (this.stopped || !client) return;
    const options = {
      receiveMode: "peekLock" as const,
      // Bodies go to the function as they came: its library parses them.
      skipParsingBodyAsJson: true,
      maxAutoLockRenewalDurationInMs: this.parts.config.maxAutoLockRenewalMs,
    };
    const receiver =
      subscriptionName === undefined
        ? client.createReceiver(queueOrTopic, options)
        : client.createReceiver(queueOrTopic, subscriptionName, options);
    this.receiver = receiver;
    this.subscription = receiver.subscribe(
      {
        processMessage: (message) => this.track(this.handle(receiver, message)),
        processError: (args) => this.handleError(receiver, args),
      },
      { autoCompleteMessages: false, maxConcurrentCalls: this.parts.config.maxConcurrentCalls },
    );
  }

  private async handle(receiver: ServiceBusReceiver, message: ServiceBusReceivedMessage): Promise<void> {
    try {
      await this.parts.invoker.invoke(this.fn, { data: bodyOf(message), metadata: metadataOf(message) });
    } catch (error) {
      this.parts.log(`[${this.fn.metadata.name}] Executed with failure: ${describeError(error)}`);
      await new Promise((resolve) => setTimeout(resolve, this.stopped ? 0 : PAUSE_AFTER_FAILURE_MS));
      await this.settle("abandon", () => receiver.abandonMessage(message));
      return;
    }
    if (this.parts.config.autoComplete) await this.settle("complete", () => receiver.completeMessage(message));
  }

  /** A settlement that fails is no loss: the lock runs out and the message comes again. */
  private async settle(what: string, act: () => Promise<void>): Promise<void> {
    try {
      await act();
    } catch (error) {
      this.parts.log(
        `[${this.fn.metadata.name}] cannot ${what} a message of ${this.entity.join("/")}: ${describeError(error)}`,
      );
    }
  }

  private handleError(receiver: ServiceBusReceiver, { error, errorSource }: ProcessErrorArgs): Promise<void> {
    this.parts.log(`[${this.fn.metadata.name}] ${this.entity.join("/")}, ${errorSource}: ${error.message}`);
    // The client retries for ever by itself, but gives a receiver up that it takes for unusable.
    if (!this.stopped && receiver === this.receiver && receiver.isClosed)
      setTimeout(() => this.subscribe(), RESUBSCRIBE_AFTER_MS).unref();
    return Promise.resolve();
  }

  private readConnection(): string {
    const { settings } = this.parts;
    const name = typeof this.binding["connection"] === "string" ? this.binding["connection"] : "AzureWebJobsServiceBus";
    const value = settings[name] ?? settings[`AzureWebJobs${name}`];
    if (value !== undefined && value !== "") return value;
    throw new Error(
      `Function '${this.fn.metadata.name}' needs the setting '${name}' (a Service Bus connection string), which is not set.`,
    );
  }

  private readEntity(): readonly string[] {
    const { queueName, topicName, subscriptionName, isSessionsEnabled } = this.binding;
    if (isSessionsEnabled === true)
      throw new Error(`Function '${this.fn.metadata.name}': queues with sessions are not simulated yet by this host`);
    const names = typeof queueName === "string" ? [queueName] : [topicName, subscriptionName];
    return names.map((name) =>
      resolveSettings(typeof name === "string" ? name : "", this.fn.metadata.name, this.parts.settings),
    );
  }
}

function bodyOf({ body }: ServiceBusReceivedMessage): TypedData {
  const value: unknown = body;
  if (!Buffer.isBuffer(value)) return { string: typeof value === "string" ? value : JSON.stringify(value) };
  const text = value.toString("utf8");
  // What is no UTF-8 would not survive being a string.
  return Buffer.from(text, "utf8").equals(value) ? { string: text } : { bytes: value };
}

function metadataOf(message: ServiceBusReceivedMessage): Record<string, TypedData> {
  const { messageId, correlationId, sessionId, lockToken, contentType, subject, to, replyTo } = message;
  const texts = {
    CorrelationId: correlationId,
    SessionId: sessionId,
    LockToken: lockToken,
    ContentType: contentType,
    Subject: subject,
    To: to,
    ReplyTo: replyTo,
  };
  const metadata: Record<string, TypedData> = {
    MessageId: { string: String(messageId ?? "") },
    // The .NET client counts the present delivery, the JavaScript client only earlier ones.
    DeliveryCount: { int: (message.deliveryCount ?? 0) + 1 },
    SequenceNumber: { string: String(message.sequenceNumber ?? 0) },
    EnqueuedTimeUtc: { json: JSON.stringify(message.enqueuedTimeUtc ?? null) },
    ApplicationProperties: { json: JSON.stringify(message.applicationProperties ?? {}) },
  };
  for (const [name, value] of Object.entries(texts))
    if (value !== undefined) metadata[name] = { string: String(value) };
  return metadata;
}
