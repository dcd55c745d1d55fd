import { get } from "node:https";
import type { EventSubscription } from "@azure/arm-eventgrid";
import { eventually, GROUP } from "../../local/azure/azure-fixture";
import { type GridFixture, makeTopic, publisherOf, sample, startGrid, stopGrid, subscribe } from "./grid-fixture";
import { repeatCode } from "./webhook-server";

interface ValidationData {
  readonly validationCode: string;
  readonly validationUrl: string;
}

let fixture: GridFixture;

beforeEach(async () => {
  // At this speed ten minutes of Azure are three seconds.
  fixture = await startGrid({ speed: 200 });
  await makeTopic(fixture, "topic");
});
afterEach(() => stopGrid(fixture));

const stateOf = async (name: string) =>
  (await fixture.grid.topicEventSubscriptions.get(GROUP, "topic", name)).provisioningState;
const asked = () => fixture.webhook.received[0];
const dataOf = (): ValidationData => (asked()?.body as [{ data: ValidationData }])[0].data;
const open = (url: string): Promise<number> =>
  new Promise((resolve, reject) => {
    get(url, { ca: fixture.azure.caPem }, (response) => {
      response.resume();
      resolve(response.statusCode ?? 0);
    }).on("error", reject);
  });
const cloudEvents: EventSubscription = { eventDeliverySchema: "CloudEventSchemaV1_0" };

it("sends a validation event alone, with its headers, and succeeds once the code comes back (docs: Endpoint validation with Event Grid event schema)", async () => {
  const created = await subscribe(fixture, ["topic", "sync"]);

  expect(created.provisioningState).toBe("Succeeded");
  expect(asked()?.headers).toMatchObject({
    "aeg-event-type": "SubscriptionValidation",
    "aeg-subscription-name": "SYNC",
  });
  expect(asked()?.body).toMatchObject([
    {
      eventType: "Microsoft.EventGrid.SubscriptionValidationEvent",
      topic: (await fixture.grid.topics.get(GROUP, "topic")).id,
      subject: "",
      metadataVersion: "1",
    },
  ]);
  expect(dataOf().validationUrl).toMatch(/^https:\/\/.*\/eventsubscriptions\/sync\/validate\?id=.*&token=/);
});

it("waits as AwaitingManualAction for the validation URL and delivers nothing until it is opened (docs: Endpoint validation, asynchronous handshake)", async () => {
  fixture.webhook.handshake = (_received, response) => response.writeHead(200).end("thanks");
  await subscribe(fixture, ["topic", "manual"]);
  const publisher = await publisherOf(fixture, "topic", "EventGrid");
  expect(await stateOf("manual")).toBe("AwaitingManualAction");
  await publisher.send([sample("early")]);

  const status = await open(dataOf().validationUrl);

  expect(status).toBe(200);
  expect(await stateOf("manual")).toBe("Succeeded");
  await publisher.send([sample("late")]);
  await eventually(() => fixture.webhook.events.length > 0);
  expect(fixture.webhook.events.map((event) => event["subject"])).toEqual(["late"]);
});

it("takes the validation URL once, and not with another token (docs: Endpoint validation, asynchronous handshake)", async () => {
  fixture.webhook.handshake = (_received, response) => response.writeHead(200).end();
  await subscribe(fixture, ["topic", "once"]);
  const { validationUrl } = dataOf();

  const forged = await open(validationUrl.replace(/token=.*/, "token=guessed"));
  const first = await open(validationUrl);
  const second = await open(validationUrl);

  expect([forged, first, second]).toEqual([400, 200, 400]);
});

it("fails with code Url validation when the webhook answers anything but 200 (az eventgrid, docs: Troubleshoot subscription validation)", async () => {
  for (const status of [202, 301, 404, 500]) {
    fixture.webhook.handshake = (_received, response) => response.writeHead(status, { location: "/elsewhere" }).end();

    const created = subscribe(fixture, ["topic", `no-${status}`]);

    await expect(created).rejects.toThrow(/The attempt to validate the provided endpoint .*esvalidation/);
    expect(await stateOf(`no-${status}`)).toBe("Failed");
  }
  expect(fixture.webhook.received.some(({ path }) => path === "/elsewhere")).toBe(false);
});

it("asks CloudEvents webhooks with OPTIONS and WebHook-Request-Origin (CloudEvents 1.0 HTTP webhook, section 4)", async () => {
  const created = await subscribe(fixture, ["topic", "abuse"], cloudEvents);

  expect(created.provisioningState).toBe("Succeeded");
  expect(asked()).toMatchObject({ method: "OPTIONS", headers: { "webhook-request-origin": "eventgrid.azure.net" } });
});

it("is refused by another origin, and waits for the callback where the headers are withheld (CloudEvents 1.0 HTTP webhook, section 4.2)", async () => {
  fixture.webhook.handshake = (_received, response) =>
    response.writeHead(200, { "WebHook-Allowed-Origin": "example.com" }).end();
  const refused = subscribe(fixture, ["topic", "refused"], cloudEvents);
  await expect(refused).rejects.toThrow(/esvalidationcloudevent/);
  fixture.webhook.received.length = 0;
  fixture.webhook.handshake = (_received, response) => response.writeHead(200, { Allow: "POST" }).end();
  await subscribe(fixture, ["topic", "callback"], cloudEvents);
  expect(await stateOf("callback")).toBe("AwaitingManualAction");

  const status = await open(String(asked()?.headers["webhook-request-callback"]));

  expect(status).toBe(200);
  expect(await stateOf("callback")).toBe("Succeeded");
});

it("asks again when the endpoint of a subscription changes, and holds its events until then (@azure/arm-eventgrid 14.1.0, beginUpdate)", async () => {
  await subscribe(fixture, ["topic", "moved"]);
  const publisher = await publisherOf(fixture, "topic", "EventGrid");
  fixture.webhook.handshake = (_received, response) => response.writeHead(500).end();
  const destination = { endpointType: "WebHook", endpointUrl: `${fixture.webhook.url}&moved=1` } as const;
  const update = () =>
    fixture.grid.topicEventSubscriptions.beginUpdateAndWait(
      GROUP,
      "topic",
      "moved",
      { destination },
      { updateIntervalInMs: 20 },
    );

  await expect(update()).rejects.toThrow(/validate the provided endpoint/);
  await publisher.send([sample("while it fails")]);
  fixture.webhook.handshake = repeatCode;
  await update();
  await publisher.send([sample("afterwards")]);

  await eventually(() => fixture.webhook.deliveries.length > 0);
  expect(fixture.webhook.deliveries.map(({ path }) => path)).toEqual(["/hook?code=secret&moved=1"]);
  expect(fixture.webhook.events[0]).toMatchObject({ subject: "afterwards" });
});
