import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { ServiceBusClient } from "@azure/service-bus";
import type { ServiceBusMessage } from "@azure/service-bus";
import { FaultPlan } from "../../../local/faults/fault-plan";
import { startServiceBus } from "../../../local/service-bus/service-bus";
import type { ServiceBusOptions, ServiceBusServer } from "../../../local/service-bus/service-bus";

export interface Bus {
  readonly server: () => ServiceBusServer;
  readonly client: () => ServiceBusClient;
  readonly faults: FaultPlan;
  send(entity: string, ...messages: ServiceBusMessage[]): Promise<void>;
}

/** A namespace with these entities for each test of a file, and a client of the tests' own. */
export function useBus(entities: Pick<ServiceBusOptions, "queues" | "topics">): Bus {
  const faults = new FaultPlan();
  let server: ServiceBusServer | undefined;
  let client: ServiceBusClient | undefined;
  let folder = "";
  const theClient = (): ServiceBusClient => {
    if (!client) throw new Error("the client is there within a test only");
    return client;
  };
  beforeEach(async () => {
    folder = mkdtempSync(join(tmpdir(), "corral-bus-"));
    server = await startServiceBus({
      ...{ ...entities, port: 0, dataFile: join(folder, "bus.sqlite"), faults, log: () => undefined },
      keys: [{ name: "RootManageSharedAccessKey", value: "a2V5LWZvci10ZXN0cw==" }],
    });
    client = new ServiceBusClient(server.connectionString);
  });
  afterEach(async () => {
    faults.disarmAll();
    await client?.close();
    await server?.close();
    rmSync(folder, { recursive: true, force: true });
  });
  return {
    faults,
    client: theClient,
    server: () => {
      if (!server) throw new Error("the server is there within a test only");
      return server;
    },
    send: async (entity, ...messages) => {
      const sender = theClient().createSender(entity);
      await sender.sendMessages(messages);
      await sender.close();
    },
  };
}
