import { randomUUID } from "node:crypto";
import type { FaultPlan } from "../faults/fault-plan";
import { AmqpServer } from "./amqp-server";
import { Broker, type EntityCounts, type QueueOptions } from "./broker";
import { Dispatcher } from "./dispatcher";
import { FaultGate } from "./fault-gate";
import { Journal } from "./journal";
import type { MessageQueue } from "./message-queue";
import type { NamedKey } from "./sas-token";

export interface ServiceBusOptions {
  /** 0 takes a free port. */
  readonly port: number;
  /** SQLite file that holds the messages across restarts. */
  readonly dataFile: string;
  readonly queues: readonly QueueOptions[];
  /** Keys that may sign tokens for the namespace; the first is the one of the connection string. */
  readonly keys: readonly [NamedKey, ...NamedKey[]];
  readonly faults: FaultPlan;
  readonly log: (line: string) => void;
}

export interface ServiceBusServer {
  readonly port: number;
  readonly connectionString: string;
  counts(queue: string): EntityCounts;
  close(): Promise<void>;
}

/** Starts the Service Bus emulator: AMQP 1.0 over plain TCP, as `UseDevelopmentEmulator=true` makes the clients speak. */
export async function startServiceBus(options: ServiceBusOptions): Promise<ServiceBusServer> {
  const now = steadyClock();
  const journal = new Journal(options.dataFile, () => {
    for (const dispatcher of dispatchers.values()) dispatcher.run();
  });
  const broker = new Broker({
    queues: options.queues,
    record: (change) => journal.record(change),
    newLockToken: () => randomUUID().replaceAll("-", ""),
  });
  const dispatchers = new Map<MessageQueue, Dispatcher>();
  for (const queue of broker.list())
    dispatchers.set(queue, new Dispatcher(queue, { now, commit: () => journal.commit() }));
  broker.restore((queue) => journal.snapshotOf(queue), now());
  let closed = false;
  const { keys, log } = options;
  const dispatcherOf = (queue: MessageQueue) => dispatchers.get(queue) as Dispatcher;
  const parts = {
    broker,
    journal,
    keys,
    now,
    log,
    dispatcherOf,
    faults: new FaultGate(options.faults),
    isClosed: () => closed,
  };
  const server = await AmqpServer.listen(parts, options.port).catch((error: unknown) => {
    journal.close();
    throw error;
  });
  for (const dispatcher of dispatchers.values()) dispatcher.run();
  return {
    port: server.port,
    connectionString: connectionString(server.port, keys[0]),
    counts: (queue) => countsOf(broker, queue),
    close: async () => {
      if (closed) return;
      // Sends and settlements that have arrived are answered before the connections end.
      journal.commit();
      closed = true;
      await new Promise((resolve) => setImmediate(resolve));
      for (const dispatcher of dispatchers.values()) dispatcher.close();
      await server.close();
      journal.close();
    },
  };
}

function connectionString(port: number, key: NamedKey): string {
  return `Endpoint=sb://127.0.0.1:${port};SharedAccessKeyName=${key.name};SharedAccessKey=${key.value};UseDevelopmentEmulator=true;`;
}

function countsOf(broker: Broker, queue: string): EntityCounts {
  const counts = broker.counts(queue);
  if (!counts) throw new Error(`The Service Bus emulator has no queue ${queue}.`);
  return counts;
}

/** The wall clock, as clients are shown it, but never backwards: the broker's order of expiry depends on that. */
function steadyClock(): () => number {
  let last = 0;
  return () => (last = Math.max(last, Date.now()));
}
