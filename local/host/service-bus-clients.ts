import type { ServiceBusClient, ServiceBusSender } from "@azure/service-bus";
import { connectionOf } from "./connection";
import type { Connection } from "./connection";
import type { ServiceBusConfig } from "./host-json";
import type { Binding } from "./rpc";
import type { Settings } from "./settings";

/** One client for each connection that the app's bindings name, opened when it is first needed. */
export class ServiceBusClients {
  private readonly clients = new Map<string, Promise<ServiceBusClient>>();
  private readonly senders = new Map<string, Promise<ServiceBusSender>>();

  constructor(
    private readonly settings: Settings,
    private readonly config: ServiceBusConfig,
  ) {}

  /** Throws when the app's settings do not say how to reach the namespace. */
  check(functionName: string, binding: Binding): void {
    this.read(functionName, binding);
  }

  clientFor(functionName: string, binding: Binding): Promise<ServiceBusClient> {
    const name = nameOf(binding);
    let client = this.clients.get(name);
    if (!client) {
      client = this.open(this.read(functionName, binding));
      this.clients.set(name, client);
    }
    return client;
  }

  senderFor(functionName: string, binding: Binding, entity: string): Promise<ServiceBusSender> {
    const name = `${nameOf(binding)}/${entity}`;
    let sender = this.senders.get(name);
    if (!sender) {
      sender = this.clientFor(functionName, binding).then((client) => client.createSender(entity));
      this.senders.set(name, sender);
    }
    return sender;
  }

  async close(): Promise<void> {
    this.senders.clear();
    const opened = [...this.clients.values()];
    this.clients.clear();
    for (const client of await Promise.allSettled(opened))
      if (client.status === "fulfilled") await client.value.close();
  }

  private read(functionName: string, binding: Binding): Connection {
    return connectionOf({
      ...{ functionName, name: nameOf(binding), settings: this.settings, what: "a Service Bus connection string" },
      endpoint: (property) => property("fullyQualifiedNamespace"),
    });
  }

  private async open(connection: Connection): Promise<ServiceBusClient> {
    // Loaded only by apps that need it: it takes longer to load than all of this host.
    const { ServiceBusClient: Client } = await import("@azure/service-bus");
    const options = { retryOptions: this.config.retry };
    if (connection.kind === "string") return new Client(connection.connectionString, options);
    const credential = await connection.credential();
    // On Azure a namespace has no port. Here one may follow it: with a credential the client knows port 5671 only.
    const [host = "", port] = connection.endpoint.split(":");
    const address = port === undefined ? {} : { customEndpointAddress: `sb://${connection.endpoint}` };
    return new Client(host, credential, { ...options, ...address });
  }
}

function nameOf(binding: Binding): string {
  return typeof binding["connection"] === "string" ? binding["connection"] : "AzureWebJobsServiceBus";
}
