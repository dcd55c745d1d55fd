import { containing, matching } from "./loose-values";
import type { EventSubscription } from "@azure/arm-eventgrid";
import { GROUP, GROUP_ID, LOCATION, SUBSCRIPTION } from "../../local/azure/azure-fixture";
import { call, codeOf, messageOf } from "../../local/azure/wire";
import { type GridFixture, gridOf, makeTopic, startGrid, stopGrid, subscribe } from "./grid-fixture";

const fast = { updateIntervalInMs: 20 };
const SOURCE = `/subscriptions/${SUBSCRIPTION}`;
const QUEUE_ID = `${GROUP_ID}/providers/Microsoft.ServiceBus/namespaces/bus/queues/events`;

async function all<Item>(pages: AsyncIterable<Item>): Promise<Item[]> {
  const items: Item[] = [];
  for await (const item of pages) items.push(item);
  return items;
}

let fixture: GridFixture;

beforeAll(async () => {
  fixture = await startGrid();
});
afterAll(() => stopGrid(fixture));

const webhook = (): NonNullable<EventSubscription["destination"]> => ({
  endpointType: "WebHook",
  endpointUrl: fixture.webhook.url,
});

it("makes a topic with an endpoint and two keys, and lists, tags and deletes it (@azure/arm-eventgrid 14.1.0, topics)", async () => {
  const { grid } = fixture;

  const made = await makeTopic(fixture, "first", { tags: { a: "1" }, identity: { type: "SystemAssigned" } });
  await grid.topics.beginUpdateAndWait(
    GROUP,
    "first",
    { tags: { b: "2" }, identity: { type: "SystemAssigned" } },
    fast,
  );

  expect(made).toMatchObject({ provisioningState: "Succeeded", inputSchema: "EventGridSchema", location: LOCATION });
  expect(made.endpoint).toMatch(/\/first\.westus3-1\/api\/events$/);
  expect(made.identity?.principalId).toMatch(/^[0-9a-f-]{36}$/);
  const { key1, key2 } = await grid.topics.listSharedAccessKeys(GROUP, "first");
  expect(Buffer.from(key1 ?? "", "base64")).toHaveLength(32);
  expect(key2).not.toBe(key1);
  expect((await grid.topics.get(GROUP, "first")).tags).toEqual({ b: "2" });
  expect((await all(grid.topics.listBySubscription())).map(({ name }) => name)).toContain("first");
  await grid.topics.beginDeleteAndWait(GROUP, "first", fast);
  await expect(grid.topics.get(GROUP, "first")).rejects.toMatchObject({ statusCode: 404, code: "ResourceNotFound" });
});

it("keeps the keys to whoever holds listKeys (docs: Event Grid authorization)", async () => {
  await makeTopic(fixture, "kept");
  const reader = fixture.azure.addServicePrincipal({ displayName: "grid reader" });
  fixture.azure.grant({ principalId: reader.objectId, role: "Reader", scope: GROUP_ID });
  const grid = gridOf(fixture, reader);

  const keys = grid.topics.listSharedAccessKeys(GROUP, "kept");

  await expect(keys).rejects.toMatchObject({ statusCode: 403, code: "AuthorizationFailed" });
  expect((await grid.topics.get(GROUP, "kept")).name).toBe("kept");
});

it("refuses names that are too short, reserved or taken in the region (docs: Troubleshoot errors, Event Grid)", async () => {
  await makeTopic(fixture, "taken");

  const short = makeTopic(fixture, "ab");
  const reserved = makeTopic(fixture, "system-topic");

  await expect(short).rejects.toMatchObject({
    statusCode: 400,
    message: containing("between 3 and 50"),
  });
  await expect(reserved).rejects.toMatchObject({ statusCode: 400 });
  await fixture.grid.topics.get(GROUP, "taken");
  const other = await call(fixture, {
    method: "PUT",
    path: `${SOURCE}/resourceGroups/other`,
    body: { location: LOCATION },
  });
  expect(other.status).toBe(201);
  const taken = fixture.grid.topics.beginCreateOrUpdateAndWait("other", "taken", { location: LOCATION }, fast);
  await expect(taken).rejects.toMatchObject({ statusCode: 409, message: containing("already exists") });
});

it("makes one global system topic for a source and no second (@azure/arm-eventgrid 14.1.0, systemTopics; docs: System topics)", async () => {
  const { grid } = fixture;
  const topic = { location: "global", source: GROUP_ID, topicType: "Microsoft.Resources.ResourceGroups" };

  const made = await grid.systemTopics.beginCreateOrUpdateAndWait(GROUP, "group-events", topic, fast);
  const second = grid.systemTopics.beginCreateOrUpdateAndWait(GROUP, "again", topic, fast);
  const regional = grid.systemTopics.beginCreateOrUpdateAndWait(
    GROUP,
    "group-events",
    { ...topic, location: LOCATION },
    fast,
  );
  const storage = { ...topic, topicType: "Microsoft.Storage.StorageAccounts" };
  const unknown = grid.systemTopics.beginCreateOrUpdateAndWait(GROUP, "blobs", storage, fast);

  expect(made).toMatchObject({ source: GROUP_ID, provisioningState: "Succeeded", location: "global" });
  await expect(second).rejects.toMatchObject({ message: "Only one system topic is allowed per source." });
  await expect(regional).rejects.toMatchObject({ statusCode: 400 });
  await expect(unknown).rejects.toMatchObject({ statusCode: 400, code: "InvalidRequest" });
  expect((await all(grid.systemTopics.listByResourceGroup(GROUP))).map(({ name }) => name)).toEqual(["group-events"]);
  await grid.systemTopics.beginDeleteAndWait(GROUP, "group-events", fast);
});

it("keeps the query of a webhook's URL and secret attributes out of a GET (@azure/arm-eventgrid 14.1.0, getFullUrl and getDeliveryAttributes)", async () => {
  const { grid } = fixture;
  await makeTopic(fixture, "secrets");
  const deliveryAttributeMappings = [
    { name: "Authorization", type: "Static", value: "Basic dTpw", isSecret: true } as const,
    { name: "x-kind", type: "Dynamic", sourceField: "data.kind" } as const,
  ];
  const destination = {
    endpointType: "WebHook",
    endpointUrl: fixture.webhook.url,
    deliveryAttributeMappings,
  } as const;

  const made = await subscribe(fixture, ["secrets", "hidden"], { destination });

  expect(JSON.stringify(made)).not.toMatch(/code=secret|dTpw/);
  expect(made.destination).toMatchObject({
    endpointBaseUrl: fixture.webhook.url.split("?")[0],
    maxEventsPerBatch: 1,
  });
  expect(await grid.topicEventSubscriptions.getFullUrl(GROUP, "secrets", "hidden")).toEqual({
    endpointUrl: fixture.webhook.url,
  });
  const { value } = await grid.topicEventSubscriptions.getDeliveryAttributes(GROUP, "secrets", "hidden");
  expect(value?.[0]).toMatchObject({ name: "Authorization", value: "Basic dTpw" });
});

it("gives the documented defaults: 30 attempts, 1440 minutes, Event Grid's schema (docs: Event Grid delivery and retry)", async () => {
  await makeTopic(fixture, "defaults");

  const made = await subscribe(fixture, ["defaults", "plain"]);

  expect(made).toMatchObject({
    eventDeliverySchema: "EventGridSchema",
    retryPolicy: { maxDeliveryAttempts: 30, eventTimeToLiveInMinutes: 1440 },
    filter: { subjectBeginsWith: "", subjectEndsWith: "" },
  });
});

it("refuses what the document's limits forbid (docs: Event Grid delivery and retry; Filter limitations; Troubleshoot errors)", async () => {
  await makeTopic(fixture, "limits");
  const many = Array.from({ length: 26 }, (_, at) => String(at));
  const filterOf = (values: string[]) => ({ operatorType: "StringIn", key: "data.a", values }) as const;
  const cases: readonly [string, EventSubscription][] = [
    ["maxDeliveryAttempts", { retryPolicy: { maxDeliveryAttempts: 31 } }],
    ["eventTimeToLiveInMinutes", { retryPolicy: { eventTimeToLiveInMinutes: 1441 } }],
    ["25 advanced filters", { filter: { advancedFilters: many.map((one) => filterOf([one])) } }],
    ["25 values", { filter: { advancedFilters: [filterOf(many)] } }],
    ["values", { filter: { advancedFilters: [filterOf(["x".repeat(513)])] } }],
    ["expiration", { expirationTimeUtc: new Date(Date.now() - 1000) }],
    ["HTTPS", { destination: { endpointType: "WebHook", endpointUrl: "http://example.com/hook" } }],
    ["HTTPS", { destination: { endpointType: "WebHook", endpointUrl: "" } }],
    [
      "maxEventsPerBatch",
      { destination: { endpointType: "WebHook", endpointUrl: "https://e.com", maxEventsPerBatch: 5001 } },
    ],
    ["CustomInputSchema", { eventDeliverySchema: "CustomInputSchema" }],
    ["endpointType", { destination: { endpointType: "EventHub", resourceId: QUEUE_ID } }],
  ];

  for (const [word, more] of cases) {
    const made = subscribe(fixture, ["limits", "refused"], { destination: webhook(), ...more });
    await expect(made).rejects.toMatchObject({
      statusCode: 400,
      message: matching(new RegExp(word, "i")),
    });
  }
  expect(await all(fixture.grid.topicEventSubscriptions.list(GROUP, "limits"))).toEqual([]);
});

it("wants the topic to have the identity that a subscription acts with (docs: Deliver events using managed identity)", async () => {
  await makeTopic(fixture, "bare");
  const destination = { endpointType: "ServiceBusQueue", resourceId: QUEUE_ID } as const;
  const deliveryWithResourceIdentity = { identity: { type: "SystemAssigned" }, destination };

  const made = subscribe(fixture, ["bare", "queue"], { deliveryWithResourceIdentity });

  await expect(made).rejects.toMatchObject({
    statusCode: 400,
    message: containing("system-assigned identity"),
  });
});

it("wants rights at the source and at the handler (docs: Event Grid authorization, EventSubscriptions/write)", async () => {
  const limited = fixture.azure.addServicePrincipal({ displayName: "topic maker" });
  fixture.azure.grant({ principalId: limited.objectId, role: "EventGrid Contributor", scope: GROUP_ID });
  const grid = gridOf(fixture, limited);
  const topic = { location: "global", source: SOURCE, topicType: "Microsoft.Resources.Subscriptions" };
  await makeTopic(fixture, "shared");
  const destination = { endpointType: "ServiceBusQueue", resourceId: QUEUE_ID.replace(GROUP, "foreign") } as const;

  const wide = grid.systemTopics.beginCreateOrUpdateAndWait(GROUP, "wide", topic, fast);
  const foreign = grid.topicEventSubscriptions.beginCreateOrUpdateAndWait(
    GROUP,
    "shared",
    "foreign",
    { destination },
    fast,
  );

  await expect(wide).rejects.toMatchObject({ statusCode: 403, code: "LinkedAuthorizationFailed" });
  await expect(foreign).rejects.toMatchObject({ statusCode: 403, code: "LinkedAuthorizationFailed" });
});

it("hangs subscriptions on a group, a subscription and a topic, and lists each where the client asks (@azure/arm-eventgrid 14.1.0, eventSubscriptions)", async () => {
  const { grid } = fixture;
  const topic = await makeTopic(fixture, "listed");
  const make = (scope: string, name: string) =>
    grid.eventSubscriptions.beginCreateOrUpdateAndWait(scope, name, { destination: webhook() }, fast);

  await make(GROUP_ID, "of-group");
  await make(SOURCE, "of-subscription");
  await make(topic.id ?? "", "of-topic");

  const names = async (pages: AsyncIterable<EventSubscription>) => (await all(pages)).map(({ name }) => name).sort();
  expect(await names(grid.eventSubscriptions.listGlobalBySubscription())).toEqual(["of-group", "of-subscription"]);
  expect(await names(grid.eventSubscriptions.listGlobalByResourceGroup(GROUP))).toEqual(["of-group"]);
  expect(await names(grid.eventSubscriptions.listRegionalBySubscription(LOCATION))).toEqual(["of-topic"]);
  expect(await names(grid.eventSubscriptions.listByResource(GROUP, "Microsoft.EventGrid", "topics", "listed"))).toEqual(
    ["of-topic"],
  );
  const byType = grid.eventSubscriptions.listGlobalBySubscriptionForTopicType("Microsoft.Resources.ResourceGroups");
  expect(await names(byType)).toEqual(["of-group"]);
  for (const [scope, name] of [
    [GROUP_ID, "of-group"],
    [SOURCE, "of-subscription"],
  ] as const)
    await grid.eventSubscriptions.beginDeleteAndWait(scope, name, fast);
  expect(await names(grid.eventSubscriptions.listGlobalBySubscription())).toEqual([]);
});

it("says which event types a topic type has, and refuses others in a filter (@azure/arm-eventgrid 14.1.0, topicTypes)", async () => {
  const { grid } = fixture;
  const filter = { includedEventTypes: ["Microsoft.Storage.BlobCreated"] };

  const types = await all(grid.topicTypes.listEventTypes("Microsoft.Resources.ResourceGroups"));
  const refused = grid.eventSubscriptions.beginCreateOrUpdateAndWait(
    GROUP_ID,
    "blobs",
    { destination: webhook(), filter },
    fast,
  );

  expect(types).toHaveLength(9);
  expect(types.map(({ name }) => name)).toContain("Microsoft.Resources.ResourceActionSuccess");
  await expect(refused).rejects.toMatchObject({ message: containing("Microsoft.Storage.BlobCreated") });
});

it("takes the subscriptions along when their topic is deleted (@azure/arm-eventgrid 14.1.0, topics.beginDelete)", async () => {
  await makeTopic(fixture, "doomed");
  await subscribe(fixture, ["doomed", "along"]);

  await fixture.grid.topics.beginDeleteAndWait(GROUP, "doomed", fast);
  await makeTopic(fixture, "doomed");

  expect(await all(fixture.grid.topicEventSubscriptions.list(GROUP, "doomed"))).toEqual([]);
});

it("has no subscription of a topic that is not there (docs: ARM errors, ParentResourceNotFound)", async () => {
  const path = `${GROUP_ID}/providers/Microsoft.EventGrid/topics/nowhere/eventSubscriptions/one`;

  const reply = await call(fixture, { method: "PUT", path, body: { properties: {} } });

  expect(reply.status).toBe(404);
  expect(codeOf(reply)).toBe("ParentResourceNotFound");
  expect(messageOf(reply)).toContain("topics/nowhere");
});
