import type { DequeuedMessageItem, QueueClient } from "@azure/storage-queue" with { "resolution-mode": "import" };
import { setTimeout as pause } from "node:timers/promises";
import type { RegisteredFunction } from "./core-api";
import { textOf } from "./entity-name";
import type { QueuesConfig } from "./host-json";
import type { Invoker, TriggerData } from "./invoker";
import type { Log } from "./log";
import type { Binding } from "./rpc";
import type { Settings } from "./settings";
import { storageStatusOf } from "./storage-queue-clients";
import type { StorageQueueClients } from "./storage-queue-clients";
import { QueueLease } from "./storage-queue-lease";

const SHORTEST_WAIT_MS = 100;
const POISON = "-poison";

export interface StorageQueueTriggerParts {
  readonly invoker: Invoker;
  readonly config: QueuesConfig;
  readonly clients: StorageQueueClients;
  readonly settings: Settings;
  readonly log: Log;
}

/**
 * Polls one storage queue: messages are invisible while their function runs, deleted on success, and after too many tries moved to
 * `<queue>-poison` (docs: Azure Queue storage trigger, Poison messages).
 */
export class StorageQueueTrigger {
  private readonly name: string;
  private readonly queueName: string;
  private readonly processing = new Set<Promise<void>>();
  private readonly stopping = new AbortController();
  private pump: Promise<void> | undefined;

  constructor(
    private readonly fn: RegisteredFunction,
    private readonly binding: Binding,
    private readonly parts: StorageQueueTriggerParts,
  ) {
    this.name = fn.metadata.name;
    this.queueName = textOf("queueName", { functionName: this.name, binding, settings: parts.settings });
    parts.clients.check(this.name, binding);
  }

  async start(): Promise<void> {
    const queue = await this.parts.clients.queueFor(this.name, this.binding, this.queueName);
    this.pump = this.poll(queue);
  }

  stop(): void {
    this.stopping.abort();
  }

  async close(timeoutMs: number): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<undefined>();
    const handle = setTimeout(() => resolve(undefined), timeoutMs);
    await Promise.race([Promise.allSettled([this.pump, ...this.processing]), promise]);
    clearTimeout(handle);
  }

  private async poll(queue: QueueClient): Promise<void> {
    const { signal } = this.stopping;
    let waitMs = SHORTEST_WAIT_MS;
    while (!signal.aborted) {
      const messages = await this.receive(queue);
      for (const message of messages) this.begin(queue, message);
      if (messages.length > 0) {
        waitMs = SHORTEST_WAIT_MS;
        while (this.processing.size > this.parts.config.newBatchThreshold) await Promise.race(this.processing);
        continue;
      }
      await pause(waitMs, undefined, { signal }).catch(() => undefined);
      waitMs = Math.min(waitMs * 2, this.parts.config.maxPollingIntervalMs);
    }
  }

  private async receive(queue: QueueClient): Promise<readonly DequeuedMessageItem[]> {
    try {
      const { receivedMessageItems } = await queue.receiveMessages({
        numberOfMessages: this.parts.config.batchSize,
        visibilityTimeout: QueueLease.SECONDS,
        abortSignal: this.stopping.signal,
      });
      return receivedMessageItems;
    } catch (error) {
      // A queue that nobody has made yet is an empty one.
      if (storageStatusOf(error) !== 404 && !this.stopping.signal.aborted)
        this.parts.log(`[${this.name}] ${this.queueName}: ${error instanceof Error ? error.message : String(error)}`);
      return [];
    }
  }

  private begin(queue: QueueClient, message: DequeuedMessageItem): void {
    const work = this.process(queue, message).catch((error: unknown) => {
      // The message becomes visible again when its lease has run out.
      this.parts.log(`[${this.name}] ${this.queueName}: ${error instanceof Error ? error.message : String(error)}`);
    });
    this.processing.add(work);
    void work.finally(() => this.processing.delete(work));
  }

  private async process(queue: QueueClient, message: DequeuedMessageItem): Promise<void> {
    const { maxDequeueCount, visibilityTimeoutMs, messageEncoding } = this.parts.config;
    const lease = new QueueLease(queue, message);
    const content = decode(message.messageText, messageEncoding);
    // A text that is not of the encoding can never be handled.
    if (message.dequeueCount > maxDequeueCount || !content) return this.moveToPoison(lease, message);
    lease.keep();
    try {
      await this.parts.invoker.invoke(this.fn, triggerOf(message, content, this.queueName));
    } catch {
      // The invoker has logged it.
      if (message.dequeueCount >= maxDequeueCount) return this.moveToPoison(lease, message);
      return lease.release(visibilityTimeoutMs / 1000);
    }
    return lease.delete();
  }

  private async moveToPoison(lease: QueueLease, { messageText }: DequeuedMessageItem): Promise<void> {
    // A poison queue has none of its own: the message stays hidden for the rest of its lease.
    if (this.queueName.endsWith(POISON)) return;
    const poisonName = `${this.queueName}${POISON}`;
    this.parts.log(
      `Message has reached MaxDequeueCount of ${this.parts.config.maxDequeueCount}. Moving message to queue '${poisonName}'.`,
    );
    const poison = await this.parts.clients.queueFor(this.name, this.binding, poisonName);
    await poison.createIfNotExists();
    await poison.sendMessage(messageText);
    await lease.delete();
  }
}

function decode(text: string, encoding: QueuesConfig["messageEncoding"]): Buffer | undefined {
  if (encoding === "none") return Buffer.from(text);
  const bytes = Buffer.from(text, "base64");
  // Node reads past what is no base64.
  return bytes.toString("base64").replace(/=+$/, "") === text.replace(/=+$/, "") ? bytes : undefined;
}

function triggerOf(message: DequeuedMessageItem, content: Buffer, queueName: string): TriggerData {
  const text = content.toString("utf8");
  const isText = Buffer.from(text, "utf8").equals(content);
  const { messageId, dequeueCount, insertedOn, expiresOn, nextVisibleOn, popReceipt } = message;
  return {
    data: isText ? { string: text } : { bytes: content },
    metadata: {
      QueueTrigger: { string: isText ? text : message.messageText },
      DequeueCount: { int: dequeueCount },
      Id: { string: messageId },
      PopReceipt: { string: popReceipt },
      InsertionTime: { json: JSON.stringify(insertedOn) },
      ExpirationTime: { json: JSON.stringify(expiresOn) },
      NextVisibleTime: { json: JSON.stringify(nextVisibleOn) },
    },
    reason: `New queue message detected on '${queueName}'.`,
    details: `MessageId: ${messageId}, DequeueCount: ${dequeueCount}, InsertedOn: ${insertedOn.toISOString()}`,
  };
}
