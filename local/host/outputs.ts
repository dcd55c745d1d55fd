import type { ServiceBusSender } from "@azure/service-bus";
import type { RegisteredFunction } from "./core-api";
import { textOf } from "./entity-name";
import type { QueuesConfig } from "./host-json";
import { elementsOf } from "./output-values";
import type { Binding, InvocationResponse, TypedData } from "./rpc";
import type { ServiceBusClients } from "./service-bus-clients";
import { messagesOf } from "./service-bus-message";
import type { Settings } from "./settings";
import { storageStatusOf } from "./storage-queue-clients";
import type { StorageQueueClients } from "./storage-queue-clients";

interface OutputParts {
  readonly settings: Settings;
  readonly queues: QueuesConfig;
  readonly serviceBus: ServiceBusClients;
  readonly storageQueues: StorageQueueClients;
}

/** Under this key the library gives the binding that a function's return value goes to. */
const RETURN = "$return";

/** Carries out what functions gave to their output bindings. A failure fails the invocation, as on Azure. */
export class Outputs {
  constructor(private readonly parts: OutputParts) {}

  /** Throws when a binding of the function lacks a setting. */
  check({ metadata }: RegisteredFunction): void {
    for (const binding of Object.values(metadata.bindings)) {
      if (binding.direction !== "out" || binding.type === "http") continue;
      const isQueue = binding.type.toLowerCase() === "queue";
      this.entityOf(metadata.name, binding);
      (isQueue ? this.parts.storageQueues : this.parts.serviceBus).check(metadata.name, binding);
    }
  }

  async emit(fn: RegisteredFunction, { returnValue, outputData = [] }: InvocationResponse): Promise<void> {
    const { bindings } = fn.metadata;
    if (returnValue) await this.put(fn, bindings[RETURN], returnValue);
    for (const { name, data } of outputData) await this.put(fn, bindings[name], data);
  }

  private async put({ metadata }: RegisteredFunction, binding: Binding | undefined, data: TypedData): Promise<void> {
    if (!binding || binding.type === "http") return;
    const entity = this.entityOf(metadata.name, binding);
    if (binding.type.toLowerCase() === "queue") await this.enqueue({ name: metadata.name, binding, entity }, data);
    else await send(await this.parts.serviceBus.senderFor(metadata.name, binding, entity), data);
  }

  /** A queue that is missing is made, as the Storage extension does. */
  private async enqueue(target: { name: string; binding: Binding; entity: string }, data: TypedData): Promise<void> {
    const queue = await this.parts.storageQueues.queueFor(target.name, target.binding, target.entity);
    const encoding = this.parts.queues.messageEncoding === "base64" ? "base64" : "utf8";
    for (const { bytes } of elementsOf(data)) {
      const text = Buffer.from(bytes).toString(encoding);
      try {
        await queue.sendMessage(text);
      } catch (error) {
        if (storageStatusOf(error) !== 404) throw error;
        await queue.createIfNotExists();
        await queue.sendMessage(text);
      }
    }
  }

  private entityOf(functionName: string, binding: Binding): string {
    const property = binding["topicName"] === undefined ? "queueName" : "topicName";
    return textOf(property, { functionName, binding, settings: this.parts.settings });
  }
}

/** In as few transfers as the messages fit into. */
async function send(sender: ServiceBusSender, data: TypedData): Promise<void> {
  const messages = messagesOf(data);
  const [first] = messages;
  if (!first) return;
  if (messages.length === 1) {
    await sender.sendMessages(first);
    return;
  }
  let batch = await sender.createMessageBatch();
  for (const message of messages) {
    if (batch.tryAddMessage(message)) continue;
    if (batch.count > 0) await sender.sendMessages(batch);
    batch = await sender.createMessageBatch();
    if (!batch.tryAddMessage(message)) throw new Error("A message is larger than Service Bus takes");
  }
  await sender.sendMessages(batch);
}
