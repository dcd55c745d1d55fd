import { fromCloudEvent, type GridEvent } from "../../../local/event-grid/grid-event";
import { answered, EngineFixture, gridEvent, HOUR, MINUTE, START, webhookSubscription } from "./engine-fixture";

let fixture: EngineFixture;

beforeEach(() => {
  fixture = new EngineFixture();
  fixture.answer = () => answered(400);
});
afterEach(() => fixture.close());

const publish = (event: GridEvent) =>
  fixture.engine.publish([event], fixture.subscription ? [fixture.subscription] : []);

it("writes an event five minutes after its last attempt with what became of it (docs: Event Grid delivery and retry, Dead-letter events)", async () => {
  publish(gridEvent("one", { data: { a: 1 } }));

  await fixture.clock.pass(5 * MINUTE - 1);
  const early = fixture.blobs.length;
  await fixture.clock.pass(1);

  expect(early).toBe(0);
  expect(fixture.deadLetters()).toEqual([
    {
      id: "one",
      topic: "/subscriptions/s/resourceGroups/g/providers/Microsoft.EventGrid/topics/t",
      subject: "subject/one",
      eventType: "Corral.Sampled",
      eventTime: "2026-01-31T22:29:59.000Z",
      data: { a: 1 },
      dataVersion: "1.0",
      metadataVersion: "1",
      deadLetterReason: "UndeliverableDueToHttpBadRequest",
      deliveryAttempts: 1,
      lastDeliveryOutcome: "BadRequest",
      publishTime: "2026-01-31T22:30:00.000Z",
      lastDeliveryAttemptTime: "2026-01-31T22:30:00.000Z",
    },
  ]);
});

it("names the blob by the subscription in upper case and the unpadded hour, with many events in one array (docs: Set dead-letter location and retry policy)", async () => {
  for (const id of ["one", "two", "three"]) publish(gridEvent(id));

  await fixture.clock.pass(6 * MINUTE);

  expect(fixture.blobs).toHaveLength(1);
  expect(fixture.blobs[0]?.blobName).toMatch(/^MY-SUB\/2026\/1\/31\/22\/[0-9a-f-]{36}\.json$/);
  expect(fixture.deadLetters()).toHaveLength(3);
});

it("gives a CloudEvent attributes in lower case (docs: Event Grid delivery and retry, CloudEvents 1.0 schema)", async () => {
  fixture.subscription = webhookSubscription({ schema: "CloudEventSchemaV1_0" });
  publish(fromCloudEvent({ specversion: "1.0", id: "c", source: "mysource", type: "foo" }, Date.parse(START)));

  await fixture.clock.pass(6 * MINUTE);

  expect(fixture.deadLetters()).toMatchObject([
    {
      ...{ id: "c", source: "mysource", specversion: "1.0", deliveryattempts: 1, lastdeliveryoutcome: "BadRequest" },
      ...{ deadletterreason: "UndeliverableDueToHttpBadRequest", publishtime: "2026-01-31T22:30:00.000Z" },
    },
  ]);
});

it("wraps a custom event into Event Grid's schema (docs: Event Grid delivery and retry, Custom schema)", async () => {
  fixture.subscription = webhookSubscription({ schema: "CustomInputSchema" });
  const original = { prop1: "my property", myEventType: "fooEventType" };
  publish({ ...gridEvent("custom"), schema: "CustomEventSchema", original, data: original });

  await fixture.clock.pass(6 * MINUTE);

  expect(fixture.deadLetters()).toMatchObject([
    { id: "custom", metadataVersion: "1", data: original, deliveryAttempts: 1 },
  ]);
});

it("drops an event whose subscription has no dead-letter destination (docs: Event Grid delivery and retry)", async () => {
  fixture.subscription = webhookSubscription({ deadLetter: undefined });
  publish(gridEvent("one"));

  await fixture.clock.pass(HOUR);

  expect(fixture.blobs).toEqual([]);
  expect(fixture.status()).toMatchObject({ pending: 0, dropped: 1, deadLettered: 0 });
});

it("keeps trying for four hours while the container cannot be reached, then drops the event (docs: Event Grid delivery and retry, Dead-letter events)", async () => {
  fixture.writeAnswer = "unavailable";
  publish(gridEvent("one"));

  await fixture.clock.pass(3 * HOUR);
  const waiting = fixture.engine.deadLettersWaiting();
  await fixture.clock.pass(2 * HOUR);

  expect(waiting).toBe(1);
  expect(fixture.engine.deadLettersWaiting()).toBe(0);
  expect(fixture.status()).toMatchObject({ dropped: 1, deadLettered: 0 });
});

it("writes it after all when the container comes back within the four hours (docs: Event Grid delivery and retry, Dead-letter events)", async () => {
  fixture.writeAnswer = "unavailable";
  publish(gridEvent("one"));
  await fixture.clock.pass(HOUR);
  fixture.writeAnswer = "written";

  await fixture.clock.pass(HOUR);

  expect(fixture.status()).toMatchObject({ dropped: 0, deadLettered: 1 });
});

it("loses it at once when the container does not exist (docs: Event Grid delivery and retry, note on the destination)", async () => {
  fixture.writeAnswer = "missing";
  publish(gridEvent("one"));

  await fixture.clock.pass(6 * MINUTE);

  expect(fixture.status()).toMatchObject({ dropped: 1 });
});

it("still writes after a restart what was waiting before it (faults-and-invariants: F39)", async () => {
  publish(gridEvent("one"));
  await fixture.clock.pass(MINUTE);
  const killed = fixture.engine;

  fixture.open();
  await fixture.clock.pass(5 * MINUTE);

  expect(fixture.deadLetters().map(({ id }) => id)).toContain("one");
  await killed.close();
});
