import type { QueueClient, QueueServiceClient } from "@azure/storage-queue" with { "resolution-mode": "import" };
import { connectionOf } from "./connection";
import type { Connection } from "./connection";
import type { Binding } from "./rpc";
import type { Settings } from "./settings";

/** The queue services that the app's bindings name, opened when they are first needed. */
export class StorageQueueClients {
  private readonly services = new Map<string, Promise<QueueServiceClient>>();

  constructor(private readonly settings: Settings) {}

  /** Throws when the app's settings do not say how to reach the account. */
  check(functionName: string, binding: Binding): void {
    this.read(functionName, binding);
  }

  async queueFor(functionName: string, binding: Binding, queueName: string): Promise<QueueClient> {
    const name = nameOf(binding);
    let service = this.services.get(name);
    if (!service) {
      service = open(this.read(functionName, binding));
      this.services.set(name, service);
    }
    return (await service).getQueueClient(queueName);
  }

  private read(functionName: string, binding: Binding): Connection {
    return connectionOf({
      ...{ functionName, name: nameOf(binding), settings: this.settings, what: "a storage connection string" },
      endpoint: (property) => {
        const account = property("accountName");
        return property("queueServiceUri") ?? (account && `https://${account}.queue.core.windows.net`);
      },
    });
  }
}

async function open(connection: Connection): Promise<QueueServiceClient> {
  // Loaded only by apps that need it.
  const { QueueServiceClient: Client } = await import("@azure/storage-queue");
  return connection.kind === "string"
    ? Client.fromConnectionString(connection.connectionString)
    : new Client(connection.endpoint, await connection.credential());
}

function nameOf(binding: Binding): string {
  const name = binding["connection"];
  return typeof name === "string" && name !== "" ? name : "AzureWebJobsStorage";
}

export function storageStatusOf(error: unknown): number | undefined {
  if (typeof error !== "object" || error === null || !("statusCode" in error)) return undefined;
  return typeof error.statusCode === "number" ? error.statusCode : undefined;
}
