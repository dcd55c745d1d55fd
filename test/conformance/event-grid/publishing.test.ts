import { anyText, containing } from "./loose-values";
import {
  AzureKeyCredential,
  AzureSASCredential,
  EventGridPublisherClient,
  generateSharedAccessSignature,
} from "@azure/eventgrid";
import { credentialOf, eventually, GROUP } from "../../local/azure/azure-fixture";
import { send, tokenFor } from "../../local/azure/wire";
import {
  type GridFixture,
  makeTopic,
  publisherOf,
  publisherOptions,
  sample,
  startGrid,
  stopGrid,
  subscribe,
} from "./grid-fixture";

let fixture: GridFixture;

beforeAll(async () => {
  fixture = await startGrid();
  await makeTopic(fixture, "orders");
  await subscribe(fixture, ["orders", "all-orders"]);
});
afterAll(() => stopGrid(fixture));
beforeEach(() => {
  fixture.webhook.received.length = 0;
});

const arrived = (subject: string) => fixture.webhook.events.find((event) => event["subject"] === subject);

const post = async (text: string, headers: Record<string, string> = {}) => {
  const { endpoint = "" } = await fixture.grid.topics.get(GROUP, "orders");
  const { key1 = "" } = await fixture.grid.topics.listSharedAccessKeys(GROUP, "orders");
  const path = `${new URL(endpoint).pathname}?api-version=2018-01-01`;
  return send(fixture, { method: "POST", path, text, headers: { "aeg-sas-key": key1, ...headers } });
};

it("takes an event with a key of the topic and delivers it with the topic's id (@azure/eventgrid 5.12.0, AzureKeyCredential)", async () => {
  const publisher = await publisherOf(fixture, "orders", "EventGrid");

  await publisher.send([sample("order/1", { size: 3 })]);

  await eventually(() => arrived("order/1") !== undefined);
  const { id } = await fixture.grid.topics.get(GROUP, "orders");
  expect(arrived("order/1")).toMatchObject({
    ...{ topic: id, eventType: "Corral.Sampled", dataVersion: "1.0", metadataVersion: "1", data: { size: 3 } },
  });
});

it("takes a signature that the client made of a key, until it expires (@azure/eventgrid 5.12.0, AzureSASCredential)", async () => {
  const { endpoint = "" } = await fixture.grid.topics.get(GROUP, "orders");
  const { key2 = "" } = await fixture.grid.topics.listSharedAccessKeys(GROUP, "orders");
  const publisherFor = async (expiresOn: Date) => {
    const signature = await generateSharedAccessSignature(endpoint, new AzureKeyCredential(key2), expiresOn);
    const credential = new AzureSASCredential(signature);
    return new EventGridPublisherClient(endpoint, "EventGrid", credential, publisherOptions(fixture.azure.caPem));
  };

  await (await publisherFor(new Date(Date.now() + 60_000))).send([sample("order/sas")]);
  const late = (await publisherFor(new Date(Date.now() - 60_000))).send([sample("order/late")]);

  await expect(late).rejects.toMatchObject({ statusCode: 401, code: "Unauthorized" });
  await eventually(() => arrived("order/sas") !== undefined);
});

it("lets a principal send that holds EventGrid Data Sender, and no other (@azure/eventgrid 5.12.0, TokenCredential over https)", async () => {
  const { endpoint = "", id = "" } = await fixture.grid.topics.get(GROUP, "orders");
  const sender = fixture.azure.addServicePrincipal({ displayName: "sender" });
  const stranger = fixture.azure.addServicePrincipal({ displayName: "stranger" });
  fixture.azure.grant({ principalId: sender.objectId, role: "EventGrid Data Sender", scope: id });
  const publisherFor = (principal: typeof sender) => {
    const credential = {
      getToken: async (scope: string | string[]) => {
        expect([scope].flat()).toEqual(["https://eventgrid.azure.net/.default"]);
        const token = await tokenFor(fixture, principal, "https://eventgrid.azure.net/.default");
        return { token, expiresOnTimestamp: Date.now() + 3_000_000 };
      },
    };
    return new EventGridPublisherClient(endpoint, "EventGrid", credential, publisherOptions(fixture.azure.caPem));
  };

  await publisherFor(sender).send([sample("order/entra")]);
  const refused = publisherFor(stranger).send([sample("order/stranger")]);

  await expect(refused).rejects.toMatchObject({ statusCode: 403, code: "Forbidden" });
  await eventually(() => arrived("order/entra") !== undefined);
  expect(arrived("order/stranger")).toBeUndefined();
});

it("refuses a token for another audience with 401 (docs: Authenticate with Microsoft Entra ID)", async () => {
  const { endpoint = "" } = await fixture.grid.topics.get(GROUP, "orders");
  const publisher = new EventGridPublisherClient(
    endpoint,
    "EventGrid",
    credentialOf(fixture),
    publisherOptions(fixture.azure.caPem),
  );

  const refused = publisher.send([sample("order/arm-token")]);

  await expect(refused).rejects.toMatchObject({ statusCode: 401, code: "Unauthorized" });
});

it("refuses a wrong key with 401 and the documented error body (docs: Post to custom topic)", async () => {
  const reply = await post("[]", { "aeg-sas-key": Buffer.alloc(32).toString("base64") });

  expect(reply.status).toBe(401);
  expect(reply.body).toEqual({
    error: {
      code: "Unauthorized",
      message: anyText,
      details: [{ code: "Unauthorized", message: anyText }],
    },
  });
});

it("refuses an event without a required field with 400, and takes none of its array (docs: Post to custom topic)", async () => {
  const good = {
    id: "1",
    eventType: "t",
    subject: "order/good",
    eventTime: new Date().toISOString(),
    data: {},
    dataVersion: "1",
  };
  const { subject: _subject, ...bad } = good;

  const reply = await post(JSON.stringify([good, bad]));

  expect(reply.status).toBe(400);
  expect(reply.body).toMatchObject({ error: { code: "BadRequest", message: containing("'subject'") } });
  expect(arrived("order/good")).toBeUndefined();
});

it("refuses CloudEvents at a topic of Event Grid's schema (docs: Event schema compatibility)", async () => {
  const event = { specversion: "1.0", id: "1", source: "/s", type: "t" };

  const reply = await post(JSON.stringify([event]), { "Content-Type": "application/cloudevents-batch+json" });

  expect(reply.status).toBe(400);
  expect(reply.body).toMatchObject({ error: { message: containing("'EventGridEvent'") } });
});

it("refuses an array above 1 MB with 413 and takes one of just that size (docs: Quotas and limits)", async () => {
  const body = (length: number) =>
    JSON.stringify([{ ...sample("order/large", "x".repeat(length)), id: "1", eventTime: new Date().toISOString() }]);
  const room = 1024 * 1024 - body(0).length;

  const taken = await post(body(room));
  const refused = await post(body(room + 1));

  expect(taken.status).toBe(200);
  expect(refused.status).toBe(413);
  expect(refused.body).toMatchObject({ error: { code: "PayloadTooLarge" } });
});

it("has no topic of another name, and no keys where local authentication is off (docs: Disable local authentication)", async () => {
  await makeTopic(fixture, "sealed", { disableLocalAuth: true });
  const publisher = await publisherOf(fixture, "sealed", "EventGrid");

  const unknown = await send(fixture, {
    method: "POST",
    path: "/eventgrid/topics/nobody.westus3-1/api/events",
    body: [],
  });

  expect(unknown.status).toBe(404);
  await expect(publisher.send([sample("order/sealed")])).rejects.toMatchObject({ statusCode: 401 });
});

it("stops taking a key that was regenerated (@azure/arm-eventgrid 14.1.0, topics.regenerateKey)", async () => {
  await makeTopic(fixture, "rolled");
  const publisher = await publisherOf(fixture, "rolled", "EventGrid");
  await publisher.send([sample("order/before")]);

  await fixture.grid.topics.beginRegenerateKeyAndWait(GROUP, "rolled", { keyName: "key1" });

  await expect(publisher.send([sample("order/after")])).rejects.toMatchObject({ statusCode: 401 });
});

it("answers what the fault plan says instead of taking the events (fault plan: event-grid)", async () => {
  const action = { kind: "fail", status: 503, code: "ServiceUnavailable", message: "later" } as const;
  fixture.faults.arm({ service: "event-grid", operation: "publish", stage: "before", skip: 0, times: 1, action });
  const publisher = await publisherOf(fixture, "orders", "EventGrid");

  const failed = publisher.send([sample("order/fault")]);

  await expect(failed).rejects.toMatchObject({ statusCode: 503, code: "ServiceUnavailable" });
  expect(arrived("order/fault")).toBeUndefined();
});

it("takes CloudEvents one by one and in a batch at a topic of that schema (@azure/eventgrid 5.12.0, CloudEvent)", async () => {
  await makeTopic(fixture, "clouds", { inputSchema: "CloudEventSchemaV1_0" });
  await subscribe(fixture, ["clouds", "all-clouds"], { eventDeliverySchema: "CloudEventSchemaV1_0" });
  const publisher = await publisherOf(fixture, "clouds", "CloudEvent");

  await publisher.send([
    { type: "t", source: "/here", subject: "cloud/1", data: { a: 1 }, extensionAttributes: { place: "sky" } },
  ]);

  await eventually(() => fixture.webhook.deliveries.length > 0);
  const [delivery] = fixture.webhook.deliveries;
  expect(delivery?.headers["content-type"]).toContain("application/cloudevents+json");
  expect(delivery?.body).toMatchObject({
    specversion: "1.0",
    source: "/here",
    subject: "cloud/1",
    data: { a: 1 },
    place: "sky",
  });
});

it("maps the fields of a custom event and keeps the whole as its data (docs: Map custom fields to Event Grid schema)", async () => {
  const inputSchemaMapping = {
    inputSchemaMappingType: "Json",
    eventType: { sourceField: "myEventTypeField" },
    subject: { defaultValue: "DefaultSubject" },
    dataVersion: { defaultValue: "1.0" },
  } as const;
  await makeTopic(fixture, "custom", { inputSchema: "CustomEventSchema", inputSchemaMapping });
  await subscribe(fixture, ["custom", "mapped"]);
  await subscribe(fixture, ["custom", "as-it-came"], { eventDeliverySchema: "CustomInputSchema" });
  const publisher = await publisherOf(fixture, "custom", "Custom");
  const event = { myEventTypeField: "Created", resource: "Users/example/Messages/1000" };

  await publisher.send([event]);

  await eventually(() => fixture.webhook.deliveries.length === 2);
  const bySubscription = Object.fromEntries(
    fixture.webhook.deliveries.map(({ headers, body }) => [String(headers["aeg-subscription-name"]), body]),
  );
  expect(bySubscription["AS-IT-CAME"]).toEqual([event]);
  expect(bySubscription["MAPPED"]).toMatchObject([
    { eventType: "Created", subject: "DefaultSubject", dataVersion: "1.0", data: event },
  ]);
});
