import { ComputeManagementClient } from "@azure/arm-compute";
import { TableClient } from "@azure/data-tables";
import type { ServiceBusReceivedMessage, ServiceBusReceiver, ServiceBusSender } from "@azure/service-bus";
import { DEMO_ORG, ESTATE_PREFIX, EVENT_QUEUE, LOCATIONS, SUBSCRIPTION_ID } from "../local/stack/constants";
import type { OverheadBench } from "./overhead";

const GROUP = `${ESTATE_PREFIX}-${DEMO_ORG}`;
const SUBNET_ID = `/subscriptions/${SUBSCRIPTION_ID}/resourceGroups/${GROUP}/providers/Microsoft.Network/virtualNetworks/vnet-${LOCATIONS[0]}/subnets/machines`;

interface BareParts {
  readonly sender: ServiceBusSender;
  readonly receiver: ServiceBusReceiver;
  readonly table: TableClient;
  readonly compute: ComputeManagementClient;
}

/** The least that any program must do: one open receiver, one row inserted, one PUT with a token at hand and TLS kept alive. */
export class BareLoop {
  private constructor(private readonly parts: BareParts) {}

  static async open({ stack, session, bus }: OverheadBench, ca: string): Promise<BareLoop> {
    const table = TableClient.fromConnectionString(stack.facts.stateStorage, "Bench", {
      allowInsecureConnection: true,
    });
    await table.createTable();
    const token = await session.token("https://management.azure.com");
    const credential = { getToken: () => Promise.resolve({ token, expiresOnTimestamp: Date.now() + 3_000_000 }) };
    const compute = new ComputeManagementClient(credential, SUBSCRIPTION_ID, {
      endpoint: stack.facts.armUrl,
      tlsOptions: { ca },
      retryOptions: { maxRetries: 0 },
    });
    // The queue of resource events has no reader of its own in this run.
    const parts = { sender: bus.createSender(EVENT_QUEUE), receiver: bus.createReceiver(EVENT_QUEUE), table, compute };
    const loop = new BareLoop(parts);
    parts.receiver.subscribe(
      {
        processMessage: (message) => loop.handle(message),
        processError: ({ error }) => Promise.reject(error),
      },
      { maxConcurrentCalls: 1 },
    );
    return loop;
  }

  async send(index: number): Promise<void> {
    await this.parts.sender.sendMessages({ body: { index } });
  }

  async close(): Promise<void> {
    await this.parts.receiver.close();
    await this.parts.sender.close();
  }

  private async handle({ body }: ServiceBusReceivedMessage): Promise<void> {
    const { index } = body as { index: number };
    const name = `vm-bare-${index}`;
    await this.parts.table.createEntity({ partitionKey: "bench", rowKey: name, state: "Queued" });
    const poller = this.parts.compute.virtualMachines.createOrUpdate(GROUP, name, bareVm(name), { ifNoneMatch: "*" });
    await poller.submitted();
  }
}

function bareVm(name: string): Parameters<ComputeManagementClient["virtualMachines"]["createOrUpdate"]>[2] {
  return {
    location: LOCATIONS[0],
    hardwareProfile: { vmSize: "Standard_NC4as_T4_v3" },
    storageProfile: {
      imageReference: { publisher: "microsoft-dsvm", offer: "ubuntu-hpc", sku: "2204", version: "latest" },
      osDisk: { name: `osdisk-${name}`, createOption: "FromImage", deleteOption: "Delete" },
    },
    osProfile: { computerName: name, adminUsername: "bench", adminPassword: "Bench-0nly-here" },
    networkProfile: {
      networkApiVersion: "2024-07-01",
      networkInterfaceConfigurations: [
        {
          name: `nic-${name}`,
          primary: true,
          deleteOption: "Delete",
          ipConfigurations: [{ name: "ipconfig", subnet: { id: SUBNET_ID } }],
        },
      ],
    },
  };
}
