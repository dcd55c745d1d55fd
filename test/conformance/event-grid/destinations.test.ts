import { matching } from "./loose-values";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { EventSubscription } from "@azure/arm-eventgrid";
import { ServiceBusClient, type ServiceBusReceivedMessage } from "@azure/service-bus";
import { BlobServiceClient } from "@azure/storage-blob";
import { QueueServiceClient } from "@azure/storage-queue";
import { FaultPlan } from "../../../local/faults/fault-plan";
import { type ServiceBusServer, startServiceBus } from "../../../local/service-bus/service-bus";
import { type Storage, startStorage } from "../../../local/storage/storage";
import { eventually, GROUP_ID, LOCATION } from "../../local/azure/azure-fixture";
import { call } from "../../local/azure/wire";
import { sharedApp } from "../../local/host/support";
import { type GridFixture, makeTopic, publisherOf, sample, startGrid, stopGrid, subscribe } from "./grid-fixture";

const QUEUE_ID = `${GROUP_ID}/providers/Microsoft.ServiceBus/namespaces/bus/queues/events`;
const STORAGE_ID = `${GROUP_ID}/providers/Microsoft.Storage/storageAccounts/letters`;
const FUNCTION_ID = `${GROUP_ID}/providers/Microsoft.Web/sites/app/functions/onEvent`;
const IDENTITY_ID = `${GROUP_ID}/providers/Microsoft.ManagedIdentity/userAssignedIdentities/sender`;

const app = sharedApp("triggers", { env: { TICK: "0 0 0 1 1 *" } });
const folder = mkdtempSync(join(tmpdir(), "corral-grid-bus-"));
let fixture: GridFixture;
let bus: ServiceBusServer;
let storage: Storage;
let client: ServiceBusClient;

beforeAll(async () => {
  const common = { faults: new FaultPlan(), log: () => undefined };
  bus = await startServiceBus({
    ...{ port: 0, dataFile: join(folder, "bus.sqlite"), queues: [{ name: "events" }] },
    keys: [{ name: "RootManageSharedAccessKey", value: Buffer.alloc(32, 1).toString("base64") }],
    ...common,
  });
  storage = await startStorage({ folder: undefined, ports: { blob: 0, queue: 0, table: 0 }, ...common });
  client = new ServiceBusClient(bus.connectionString);
  fixture = await startGrid({
    eventGrid: {
      serviceBus: () => bus.connectionString,
      storage: () => storage.connectionString,
      functionWebhook: (id) =>
        `http://127.0.0.1:${app().port}/runtime/webhooks/EventGrid?functionName=${id.slice(id.lastIndexOf("/") + 1)}`,
    },
  });
});
afterAll(async () => {
  await stopGrid(fixture);
  await client.close();
  await bus.close();
  await storage.close();
  rmSync(folder, { recursive: true, force: true });
});

const receive = async (): Promise<ServiceBusReceivedMessage | undefined> => {
  const receiver = client.createReceiver("events", { receiveMode: "receiveAndDelete" });
  const [message] = await receiver.receiveMessages(1, { maxWaitTimeInMs: 5000 });
  await receiver.close();
  return message;
};
const queue = { endpointType: "ServiceBusQueue", resourceId: QUEUE_ID } as const;
const publish = async (topic: string, subject: string) =>
  (await publisherOf(fixture, topic, "EventGrid")).send([sample(subject, { job: 7 })]);
const statusOf = async (name: string) => {
  const { value } = (await (await fetch(`${fixture.azure.portalUrl}/event-grid`)).json()) as {
    value: { subscription: string; failed: number; delivered: number; deadLettered: number; pending: number }[];
  };
  return value.find(({ subscription }) => subscription.endsWith(`/${name}`));
};
const failedOnce = (name: string) => eventually(async () => ((await statusOf(name))?.failed ?? 0) > 0);

it("sends each event as one message with aeg properties and an id of its own (@azure/service-bus 7.9.5; docs: Service Bus as event handler)", async () => {
  await makeTopic(fixture, "plain");
  const deliveryAttributeMappings = [
    { name: "CorrelationId", type: "Dynamic", sourceField: "data.job" },
    { name: "Label", type: "Static", value: "from the grid" },
    { name: "own", type: "Static", value: "property" },
  ];
  const destination = { ...queue, deliveryAttributeMappings } as NonNullable<EventSubscription["destination"]>;
  await subscribe(fixture, ["plain", "to-queue"], { destination });

  await publish("plain", "a");

  const message = await receive();
  expect(message?.body).toMatchObject({
    subject: "a",
    eventType: "Corral.Sampled",
    data: { job: 7 },
    metadataVersion: "1",
  });
  expect(message).toMatchObject({ correlationId: "7", subject: "from the grid" });
  expect(message?.messageId).toMatch(/^[0-9a-f-]{36}$/);
  expect(message?.applicationProperties).toMatchObject({
    ...{ "aeg-subscription-name": "TO-QUEUE", "aeg-delivery-count": "0", "aeg-event-type": "Notification" },
    ...{
      "aeg-data-version": "1.0",
      "aeg-metadata-version": "1",
      "aeg-output-event-id": message?.messageId,
      own: "property",
    },
  });
});

it("delivers with the topic's system-assigned identity once it holds Azure Service Bus Data Sender (docs: Deliver events using managed identity)", async () => {
  const topic = await makeTopic(fixture, "own", { identity: { type: "SystemAssigned" } });
  const principalId = topic.identity?.principalId ?? "";
  await subscribe(fixture, ["own", "system"], {
    deliveryWithResourceIdentity: { identity: { type: "SystemAssigned" }, destination: queue },
  });

  await publish("own", "b");
  await failedOnce("system");
  const before = bus.counts("events").active;
  fixture.azure.grant({ principalId, role: "Azure Service Bus Data Sender", scope: QUEUE_ID });

  expect(before).toBe(0);
  // Tried again after five minutes, which are 30 ms here.
  const message = await receive();
  expect(message?.body).toMatchObject({ subject: "b" });
  expect(Number(message?.applicationProperties?.["aeg-delivery-count"])).toBeGreaterThan(0);
});

it("delivers with a user-assigned identity of the topic, and not with another (docs: Deliver events using managed identity)", async () => {
  const made = await call(fixture, { method: "PUT", path: IDENTITY_ID, body: { location: LOCATION } });
  const { principalId } = (made.body as { properties: { principalId: string } }).properties;
  fixture.azure.grant({ principalId, role: "Azure Service Bus Data Sender", scope: QUEUE_ID });
  const identity = { type: "UserAssigned", userAssignedIdentities: { [IDENTITY_ID]: {} } };
  await makeTopic(fixture, "user", { identity });
  const with_ = (userAssignedIdentity: string) => ({
    deliveryWithResourceIdentity: { identity: { type: "UserAssigned", userAssignedIdentity }, destination: queue },
  });

  const refused = subscribe(fixture, ["user", "other"], with_(`${IDENTITY_ID}2`));
  await expect(refused).rejects.toMatchObject({ statusCode: 400 });
  await subscribe(fixture, ["user", "assigned"], with_(IDENTITY_ID));
  await publish("user", "c");

  expect((await receive())?.body).toMatchObject({ subject: "c" });
});

it("keeps an event for a queue that is not there, with outcome NotFound (docs: Event Grid delivery and retry, LastDeliveryOutcome)", async () => {
  await makeTopic(fixture, "lost");
  const destination = { ...queue, resourceId: `${QUEUE_ID}-missing` };
  await subscribe(fixture, ["lost", "nowhere"], { destination, retryPolicy: { maxDeliveryAttempts: 30 } });

  await publish("lost", "d");

  await failedOnce("nowhere");
  expect(await statusOf("nowhere")).toMatchObject({ delivered: 0 });
});

it("dead-letters to the blob container, readable as documented (@azure/storage-blob 12; docs: Set dead-letter location)", async () => {
  const container = BlobServiceClient.fromConnectionString(storage.connectionString).getContainerClient("letters-dead");
  await container.create();
  await makeTopic(fixture, "deadly");
  fixture.webhook.respond = (_received, response) => response.writeHead(413).end();
  const deadLetterDestination = {
    endpointType: "StorageBlob",
    resourceId: STORAGE_ID,
    blobContainerName: "dead",
  } as const;
  await subscribe(fixture, ["deadly", "Buried"], { deadLetterDestination });

  await publish("deadly", "e");

  await eventually(async () => (await statusOf("Buried"))?.deadLettered === 1);
  const names: string[] = [];
  for await (const { name } of container.listBlobsFlat()) names.push(name);
  expect(names).toEqual([matching(/^BURIED\/\d{4}\/\d{1,2}\/\d{1,2}\/\d{1,2}\/[0-9a-f-]{36}\.json$/)]);
  const [letter] = JSON.parse(
    (await container.getBlobClient(names[0] ?? "").downloadToBuffer()).toString(),
  ) as unknown[];
  expect(letter).toMatchObject({
    ...{ subject: "e", deliveryAttempts: 1, lastDeliveryOutcome: "PayloadTooLarge" },
    deadLetterReason: "UndeliverableDueToHttpRequestEntityTooLarge",
  });
});

it("puts base64 of the event into a storage queue (@azure/storage-queue 12; docs: Storage queue as event handler)", async () => {
  const target = QueueServiceClient.fromConnectionString(storage.connectionString).getQueueClient("letters-events");
  await target.create();
  await makeTopic(fixture, "queued");
  const destination = { endpointType: "StorageQueue", resourceId: STORAGE_ID, queueName: "events" } as const;
  await subscribe(fixture, ["queued", "to-storage"], { destination });

  await publish("queued", "f");

  await eventually(async () => (await statusOf("to-storage"))?.delivered === 1);
  const { receivedMessageItems } = await target.receiveMessages();
  const text = Buffer.from(receivedMessageItems[0]?.messageText ?? "", "base64").toString();
  expect(JSON.parse(text)).toMatchObject({ subject: "f", eventType: "Corral.Sampled" });
});

it("triggers a function of the embedded host in both schemas (@azure/functions 4, Event Grid trigger; AzureFunctionDestination)", async () => {
  await makeTopic(fixture, "functions");
  const destination = { endpointType: "AzureFunction", resourceId: FUNCTION_ID } as const;
  await subscribe(fixture, ["functions", "classic"], { destination });
  await subscribe(fixture, ["functions", "cloud"], { destination, eventDeliverySchema: "CloudEventSchemaV1_0" });

  await publish("functions", "g");

  const seen = async () => (await app().json("/seen/onEvent")) as { event: Record<string, unknown> }[];
  await eventually(async () => (await seen()).length === 2);
  const events = (await seen()).map(({ event }) => event);
  expect(events.find((event) => event["specversion"] === "1.0")).toMatchObject({
    subject: "g",
    type: "Corral.Sampled",
  });
  expect(events.find((event) => event["metadataVersion"] === "1")).toMatchObject({ subject: "g", data: { job: 7 } });
});

it("shakes hands with the embedded host as with any webhook (@azure/functions 4, /runtime/webhooks/EventGrid)", async () => {
  await makeTopic(fixture, "hooked");
  const endpointUrl = `http://127.0.0.1:${app().port}/runtime/webhooks/EventGrid?functionName=onEvent`;
  const destination = { endpointType: "WebHook", endpointUrl } as const;

  const classic = await subscribe(fixture, ["hooked", "classic"], { destination });
  const cloud = await subscribe(fixture, ["hooked", "cloud"], {
    destination,
    eventDeliverySchema: "CloudEventSchemaV1_0",
  });

  expect([classic.provisioningState, cloud.provisioningState]).toEqual(["Succeeded", "Succeeded"]);
});
