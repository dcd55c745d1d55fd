import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { ServiceBusClient } from "@azure/service-bus";
import { FaultPlan } from "../../../local/faults/fault-plan";
import { startServiceBus, type ServiceBusOptions, type ServiceBusServer } from "../../../local/service-bus/service-bus";

/** What the app uses: without it a broker restart takes the client up to 90 seconds. */
export const retryOptions = { timeoutInMs: 5000, retryDelayInMs: 300, maxRetries: 20 };

export interface Emulator {
  readonly folder: string;
  readonly faults: FaultPlan;
  readonly server: () => ServiceBusServer;
  readonly client: () => ServiceBusClient;
  readonly logged: string[];
  start(options?: Partial<ServiceBusOptions>): Promise<ServiceBusServer>;
  connect(connectionString?: string, retries?: object): ServiceBusClient;
}

/** An emulator with its own folder for each test of a file, and everything that it needs stopped afterwards. */
export function useEmulator(defaults: Partial<ServiceBusOptions> = {}): Emulator {
  const state = {
    folder: "",
    clients: [] as ServiceBusClient[],
    servers: [] as ServiceBusServer[],
    faults: new FaultPlan(),
  };
  const logged: string[] = [];
  const start = async (options: Partial<ServiceBusOptions> = {}) => {
    const server = await startServiceBus({
      port: 0,
      dataFile: join(state.folder, "bus.sqlite"),
      queues: [{ name: "jobs", lockSeconds: 5, maxDeliveryCount: 3 }],
      keys: [{ name: "Root", value: "c2VjcmV0" }],
      faults: state.faults,
      log: (line) => logged.push(line),
      ...defaults,
      ...options,
    });
    state.servers.push(server);
    return server;
  };
  const connect = (connectionString = lastOf(state.servers).connectionString, retries: object = retryOptions) => {
    const client = new ServiceBusClient(connectionString, { retryOptions: retries });
    state.clients.push(client);
    return client;
  };
  beforeEach(async () => {
    state.folder = mkdtempSync(join(tmpdir(), "corral-bus-"));
    await start();
    connect();
  });
  afterEach(async () => {
    state.faults.disarmAll();
    await Promise.all(state.clients.splice(0).map((client) => client.close()));
    await Promise.all(state.servers.splice(0).map((server) => server.close()));
    rmSync(state.folder, { recursive: true, force: true });
  });
  return {
    ...{ faults: state.faults, logged, start, connect },
    get folder() {
      return state.folder;
    },
    server: () => lastOf(state.servers),
    client: () => lastOf(state.clients),
  };
}

function lastOf<T>(list: readonly T[]): T {
  const last = list.at(-1);
  if (last === undefined) throw new Error("nothing was started");
  return last;
}
