import { randomBytes } from "node:crypto";
import type { AddressInfo } from "node:net";
import { QueueServiceClient } from "@azure/storage-queue";
import { createAzurite } from "../../../local/storage/azurite-servers";

export interface Queues {
  readonly connectionString: string;
  readonly service: QueueServiceClient;
  /** A queue's name that no other test uses. */
  readonly orders: string;
}

/** Azurite's queue service in this process, in memory, with a name of its own for each test. */
export function useQueues(): () => Queues {
  const account = { name: "devstoreaccount1", key: randomBytes(64).toString("base64") };
  const server = createAzurite("queue", { folder: undefined, port: 0, account });
  let queues: Queues | undefined;
  let count = 0;
  beforeAll(() => server.start());
  beforeEach(() => {
    const { port } = server.httpServer.address() as AddressInfo;
    const connectionString = `DefaultEndpointsProtocol=http;AccountName=${account.name};AccountKey=${account.key};QueueEndpoint=http://127.0.0.1:${port}/${account.name};`;
    const service = QueueServiceClient.fromConnectionString(connectionString, { retryOptions: { maxTries: 1 } });
    queues = { connectionString, service, orders: `orders${(count += 1)}` };
  });
  afterAll(async () => {
    await server.close();
    server.httpServer.closeAllConnections();
  });
  return () => {
    if (!queues) throw new Error("queues are there within a test only");
    return queues;
  };
}
