import { randomUUID } from "node:crypto";
import type { FaultPlan } from "../faults/fault-plan";
import { AmqpServer } from "./amqp-server";
import { Broker, type EntityCounts } from "./broker";
import { Dispatchers } from "./dispatchers";
import { checkEntities } from "./entity-checks";
import type { QueueOptions, TopicOptions } from "./entity-options";
import { EntityRegistry } from "./entity-registry";
import type { EntraAccess } from "./entra-access";
import { FaultGate } from "./fault-gate";
import { Journal } from "./journal";
import { ManagementServer } from "./management-server";
import type { NamedKey } from "./sas-token";
import type { ServerParts } from "./server-parts";

export interface ServiceBusOptions {
  /** 0 takes a free port. */
  readonly port: number;
  /** SQLite file that holds the messages across restarts. */
  readonly dataFile: string;
  readonly queues: readonly QueueOptions[];
  readonly topics?: readonly TopicOptions[];
  /** Keys that may sign tokens for the namespace or an entity; the first is the one of the connection strings. */
  readonly keys: readonly [NamedKey, ...NamedKey[]];
  /** AMQP over TLS beside the plain port, for clients that know nothing else; 0 takes a free port. */
  readonly tls?: { readonly port: number; readonly key: string; readonly cert: string };
  /** The management API and `GET /status`: over https where there is `tls`, over http otherwise. Absent: not served. */
  readonly managementPort?: number;
  /** Absent: only SAS tokens count. */
  readonly entra?: EntraAccess;
  readonly faults: FaultPlan;
  readonly log: (line: string) => void;
}

export interface ServiceBusServer {
  readonly port: number;
  readonly connectionString: string;
  readonly tlsPort: number | undefined;
  /** Without `UseDevelopmentEmulator`, so that clients speak TLS; they must trust the certificate's authority. */
  readonly tlsConnectionString: string | undefined;
  readonly managementPort: number | undefined;
  /** For ServiceBusAdministrationClient, which knows https only. */
  readonly managementConnectionString: string | undefined;
  counts(queue: string): EntityCounts;
  close(): Promise<void>;
}

/** Starts the Service Bus emulator: AMQP 1.0 over plain TCP, as `UseDevelopmentEmulator=true` makes the clients speak, and over TLS. */
export async function startServiceBus(options: ServiceBusOptions): Promise<ServiceBusServer> {
  checkEntities(options.queues, options.topics ?? []);
  const core = createCore(options);
  const { parts, journal, dispatchers, state } = core;
  const { server, management } = await listen(core, options).catch((error: unknown) => {
    journal.close();
    throw error;
  });
  dispatchers.runAll();
  const [key] = options.keys;
  return {
    port: server.port,
    connectionString: `${connectionString(`127.0.0.1:${server.port}`, key)};UseDevelopmentEmulator=true;`,
    tlsPort: server.tlsPort,
    tlsConnectionString:
      server.tlsPort === undefined ? undefined : connectionString(`localhost:${server.tlsPort}`, key),
    managementPort: management?.port,
    managementConnectionString: management && connectionString(`localhost:${management.port}`, key),
    counts: (queue) => countsOf(parts.broker, queue),
    close: async () => {
      if (state.closed) return;
      // Sends and settlements that have arrived are answered before the connections end.
      journal.commit();
      state.closed = true;
      await new Promise((resolve) => setImmediate(resolve));
      dispatchers.closeAll();
      await Promise.all([server.close(), management?.close()]);
      journal.close();
    },
  };
}

interface Core {
  readonly parts: ServerParts;
  readonly journal: Journal;
  readonly dispatchers: Dispatchers;
  readonly registry: EntityRegistry;
  readonly state: { closed: boolean };
}

function createCore(options: ServiceBusOptions): Core {
  const now = steadyClock();
  const state = { closed: false };
  const journal = new Journal(options.dataFile, (queues) => dispatchers.run(queues));
  const broker = new Broker({
    queues: options.queues,
    topics: options.topics,
    record: (change) => journal.record(change),
    newLockToken: () => randomUUID().replaceAll("-", ""),
  });
  const dispatchers = new Dispatchers(broker, { now, commit: () => journal.commit() });
  const registry = new EntityRegistry({
    ...{ broker, now, record: (change) => journal.record(change) },
    dissolve: (queue) => dispatchers.dissolve(queue),
  });
  registry.restore(journal.entities());
  broker.restore((queue) => journal.snapshotOf(queue), now());
  const { keys, entra, log } = options;
  const parts = {
    ...{ broker, journal, keys, entra, now, log },
    dispatcherOf: (queue: Parameters<typeof dispatchers.of>[0]) => dispatchers.of(queue),
    faults: new FaultGate(options.faults),
    isClosed: () => state.closed,
  };
  return { parts, journal, dispatchers, registry, state };
}

async function listen({ parts, registry }: Core, options: ServiceBusOptions) {
  const { tls, port: plain, managementPort } = options;
  const server = await AmqpServer.listen(parts, { plain, tls: tls && { port: tls.port, material: tls } });
  if (managementPort === undefined) return { server, management: undefined };
  try {
    const management = await ManagementServer.listen({ parts, registry, tls, port: managementPort });
    return { server, management };
  } catch (error) {
    await server.close();
    throw error;
  }
}

function connectionString(host: string, key: NamedKey): string {
  return `Endpoint=sb://${host};SharedAccessKeyName=${key.name};SharedAccessKey=${key.value}`;
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
