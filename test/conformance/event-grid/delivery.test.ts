import type { EventSubscription } from "@azure/arm-eventgrid";
import { EventGridDeserializer, isSystemEvent } from "@azure/eventgrid";
import { decodeJwt } from "jose";
import { eventually } from "../../local/azure/azure-fixture";
import { type GridFixture, makeTopic, publisherOf, sample, startGrid, stopGrid, subscribe } from "./grid-fixture";

let fixture: GridFixture;
let topics = 0;
let topic = "";

beforeAll(async () => {
  fixture = await startGrid();
});
afterAll(() => stopGrid(fixture));
beforeEach(async () => {
  topic = `delivery-${(topics += 1)}`;
  await makeTopic(fixture, topic);
  fixture.webhook.received.length = 0;
  fixture.webhook.respond = (_received, response) => response.writeHead(200).end();
});
afterEach(() => fixture.faults.disarmAll());

const webhook = (more: object): NonNullable<EventSubscription["destination"]> => ({
  ...{ endpointType: "WebHook", endpointUrl: fixture.webhook.url },
  ...more,
});
const publish = async (...subjects: string[]) => {
  const publisher = await publisherOf(fixture, topic, "EventGrid");
  await publisher.send(subjects.map((subject) => sample(subject, { kind: "spot", n: 3 })));
};
const subjects = () => fixture.webhook.events.map((event) => event["subject"]);

it("posts one event in an array with the aeg headers (docs: Webhook event delivery; Service Bus handler, Message headers)", async () => {
  await subscribe(fixture, [topic, "headers"]);

  await publish("a");

  await eventually(() => subjects().length === 1);
  const [delivery] = fixture.webhook.deliveries;
  expect(delivery?.headers).toMatchObject({
    "content-type": "application/json; charset=utf-8",
    "aeg-event-type": "Notification",
    "aeg-subscription-name": "HEADERS",
    "aeg-delivery-count": "0",
    "aeg-data-version": "1.0",
    "aeg-metadata-version": "1",
  });
  expect(delivery?.path).toBe("/hook?code=secret");
  expect(delivery?.body).toHaveLength(1);
});

it("posts what the client's own deserializer reads, in both schemas (@azure/eventgrid 5.12.0, EventGridDeserializer)", async () => {
  await subscribe(fixture, [topic, "grid"]);
  await subscribe(fixture, [topic, "cloud"], { eventDeliverySchema: "CloudEventSchemaV1_0" });
  const deserializer = new EventGridDeserializer();

  await publish("a");

  await eventually(() => fixture.webhook.deliveries.length === 2);
  const bodyOf = (name: string) =>
    JSON.stringify(fixture.webhook.deliveries.find(({ headers }) => headers["aeg-subscription-name"] === name)?.body);
  const [gridEvent] = await deserializer.deserializeEventGridEvents(bodyOf("GRID"));
  const [cloudEvent] = await deserializer.deserializeCloudEvents(bodyOf("CLOUD"));
  expect(gridEvent).toMatchObject({ subject: "a", eventType: "Corral.Sampled", data: { kind: "spot" } });
  expect(cloudEvent).toMatchObject({
    subject: "a",
    type: "Corral.Sampled",
    source: gridEvent?.topic,
    data: { kind: "spot" },
  });
  expect(gridEvent && isSystemEvent("Microsoft.Resources.ResourceWriteSuccess", gridEvent)).toBe(false);
});

it("adds fixed and dynamic delivery attributes (docs: Custom delivery properties)", async () => {
  const deliveryAttributeMappings = [
    { name: "x-fixed", type: "Static", value: "one", isSecret: true },
    { name: "x-kind", type: "Dynamic", sourceField: "data.kind" },
    { name: "x-number", type: "Dynamic", sourceField: "data.n" },
    { name: "x-missing", type: "Dynamic", sourceField: "data.nowhere" },
    { name: "x-bad", type: "Static", value: "line\nbreak" },
  ];
  await subscribe(fixture, [topic, "attributes"], { destination: webhook({ deliveryAttributeMappings }) }).catch(
    () => undefined,
  );
  const usable = deliveryAttributeMappings.slice(0, 4);
  await subscribe(fixture, [topic, "attributes"], { destination: webhook({ deliveryAttributeMappings: usable }) });

  await publish("a");

  await eventually(() => subjects().length === 1);
  const headers = fixture.webhook.deliveries[0]?.headers;
  expect(headers).toMatchObject({ "x-fixed": "one", "x-kind": "spot", "x-number": "3" });
  expect(headers?.["x-missing"]).toBeUndefined();
});

it("puts up to maxEventsPerBatch events into one request, all or none (docs: Event Grid delivery and retry, Output batching)", async () => {
  await subscribe(fixture, [topic, "batch"], {
    destination: webhook({ maxEventsPerBatch: 4, preferredBatchSizeInKilobytes: 1024 }),
  });

  await publish(...Array.from({ length: 10 }, (_, at) => `event-${at}`));

  await eventually(() => subjects().length === 10);
  expect(fixture.webhook.deliveries.map(({ body }) => (body as unknown[]).length).sort()).toEqual([2, 4, 4]);
});

it("keeps a batch below its preferred size, and sends a larger event alone (docs: Event Grid delivery and retry, Batching policy)", async () => {
  await subscribe(fixture, [topic, "size"], {
    destination: webhook({ maxEventsPerBatch: 10, preferredBatchSizeInKilobytes: 1 }),
  });
  const publisher = await publisherOf(fixture, topic, "EventGrid");

  await publisher.send([sample("large", { text: "x".repeat(5000) }), sample("small-1"), sample("small-2")]);

  await eventually(() => subjects().length === 3);
  const sizes = fixture.webhook.deliveries.map(({ body }) =>
    (body as { subject: string }[]).map(({ subject }) => subject),
  );
  expect(sizes).toContainEqual(["large"]);
});

it("batches CloudEvents as application/cloudevents-batch+json (CloudEvents 1.0, JSON batch format)", async () => {
  const destination = webhook({ maxEventsPerBatch: 5, preferredBatchSizeInKilobytes: 64 });
  await subscribe(fixture, [topic, "clouds"], { destination, eventDeliverySchema: "CloudEventSchemaV1_0" });

  await publish("a", "b");

  await eventually(() => subjects().length === 2);
  expect(fixture.webhook.deliveries[0]?.headers["content-type"]).toBe(
    "application/cloudevents-batch+json; charset=utf-8",
  );
});

it("delivers what the filter lets through and nothing else (@azure/arm-eventgrid 14.1.0, EventSubscriptionFilter)", async () => {
  await subscribe(fixture, [topic, "filtered"], {
    filter: {
      subjectBeginsWith: "jobs/",
      advancedFilters: [{ operatorType: "NumberInRange", key: "data.n", values: [[1, 3]] }],
    },
  });

  await publish("jobs/1", "machines/1", "jobs/2");

  await eventually(() => subjects().length === 2);
  expect(subjects().sort()).toEqual(["jobs/1", "jobs/2"]);
  const status = await statusOf("filtered");
  expect(status).toMatchObject({ matched: 2, delivered: 2, pending: 0 });
});

it("delivers again with a higher count until the webhook takes it (docs: Event Grid delivery and retry)", async () => {
  await subscribe(fixture, [topic, "again"]);
  let answers = 0;
  fixture.webhook.respond = (_received, response) => response.writeHead((answers += 1) < 3 ? 503 : 202).end();

  await publish("a");

  await eventually(() => subjects().length === 3);
  expect(fixture.webhook.deliveries.map(({ headers }) => headers["aeg-delivery-count"])).toEqual(["0", "1", "2"]);
  await eventually(async () => (await statusOf("again"))?.["pending"] === 0);
  expect(await statusOf("again")).toMatchObject({ delivered: 1, failed: 2 });
});

it("delivers an event twice when the fault plan says so (fault plan: duplicate; faults-and-invariants F36)", async () => {
  await subscribe(fixture, [topic, "twice"]);
  const action = { kind: "duplicate", copies: 1 } as const;
  fixture.faults.arm({
    service: "event-grid",
    operation: "^deliver WebHook$",
    subject: "Sampled b",
    stage: "before",
    skip: 0,
    times: 1,
    action,
  });

  await publish("a", "b");

  await eventually(() => subjects().length === 3);
  expect(subjects().sort()).toEqual(["a", "b", "b"]);
  expect(new Set(fixture.webhook.events.map((event) => event["id"])).size).toBe(2);
});

it("lets a later event overtake one that the fault plan delays (fault plan: delay; faults-and-invariants F37)", async () => {
  await subscribe(fixture, [topic, "order"]);
  const action = { kind: "hold" } as const;
  const id = fixture.faults.arm({
    service: "event-grid",
    subject: "Sampled first",
    stage: "before",
    skip: 0,
    times: 1,
    action,
  });

  await publish("first");
  await publish("second");

  await eventually(() => subjects().length === 1);
  fixture.faults.disarm(id);
  await eventually(() => subjects().length === 2);
  expect(subjects()).toEqual(["second", "first"]);
});

it("delivers again what was taken but not acknowledged (fault plan: drop after; faults-and-invariants F36)", async () => {
  await subscribe(fixture, [topic, "unheard"]);
  fixture.faults.arm({
    service: "event-grid",
    operation: "deliver",
    stage: "after",
    skip: 0,
    times: 1,
    action: { kind: "drop" },
  });

  await publish("a");

  await eventually(() => subjects().length === 2);
  expect(fixture.webhook.events[0]?.["id"]).toBe(fixture.webhook.events[1]?.["id"]);
});

it("presents a token of Entra for the webhook's application (docs: Secure webhook delivery with Microsoft Entra ID)", async () => {
  const application = "33333333-3333-4333-8333-333333333333";
  const entra = {
    azureActiveDirectoryTenantId: fixture.azure.tenantId,
    azureActiveDirectoryApplicationIdOrUri: application,
  };
  await subscribe(fixture, [topic, "secured"], { destination: webhook(entra) });

  await publish("a");

  await eventually(() => subjects().length === 1);
  const [scheme, token = ""] = String(fixture.webhook.deliveries[0]?.headers.authorization).split(" ");
  expect(scheme).toBe("Bearer");
  expect(decodeJwt(token)).toMatchObject({
    aud: application,
    azp: "4962773b-9cdb-44cf-a8bf-237846a00ab7",
    roles: ["AzureEventGridSecureWebhookSubscriber"],
  });
});

const statusOf = async (name: string): Promise<Record<string, unknown> | undefined> => {
  const reply = await fetch(`${fixture.azure.portalUrl}/event-grid`);
  const { value } = (await reply.json()) as { value: Record<string, unknown>[] };
  return value.find(({ subscription }) => String(subscription).includes(topic) && String(subscription).endsWith(name));
};
