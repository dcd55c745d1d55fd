import { matching } from "./loose-values";
import { resultOfStatus } from "../../../local/event-grid/retry-policy";
import { answered, EngineFixture, HOUR, MINUTE, SECOND, webhookSubscription } from "./engine-fixture";

let fixture: EngineFixture;

beforeEach(() => {
  fixture = new EngineFixture();
});
afterEach(() => fixture.close());

const waits = () =>
  fixture.attempts.map(({ atSeconds }, at, all) => atSeconds - (all[at - 1]?.atSeconds ?? 0)).slice(1);

it("waits 10 s, 30 s, 1, 5, 10 and 30 min, 1, 3 and 6 h, then every 12 h up to 24 h (docs: Event Grid delivery and retry, Retry schedule)", async () => {
  fixture.answer = () => answered(500);
  fixture.publish("one");

  await fixture.clock.pass(48 * HOUR);

  // The next one would be due after 34 hours.
  expect(waits()).toEqual([10, 30, 60, 300, 600, 1800, 3600, 10_800, 21_600, 43_200]);
  expect(fixture.status()).toMatchObject({ pending: 0, failed: 11, deadLettered: 1 });
  expect(fixture.deadLetters()).toMatchObject([{ deadLetterReason: "TimeToLiveExceeded", deliveryAttempts: 11 }]);
});

it("makes six attempts in thirty minutes, and looks at the age when the seventh is due (docs: Event Grid delivery and retry, note on both limits)", async () => {
  fixture.subscription = webhookSubscription({ retry: { maxDeliveryAttempts: 10, eventTimeToLiveInMinutes: 30 } });
  fixture.answer = () => answered(500);
  fixture.publish("one");

  await fixture.clock.pass(46 * MINUTE);
  const before = { attempts: fixture.attempts.length, pending: fixture.status().pending };
  await fixture.clock.pass(MINUTE);

  expect(before).toEqual({ attempts: 6, pending: 1 });
  expect(fixture.attempts).toHaveLength(6);
  expect(fixture.status().pending).toBe(0);
});

it.each([400, 401, 403, 413])(
  "does not retry a webhook that answers %d (docs: Event Grid delivery and retry, endpoints and errors for which retry does not happen)",
  async (status) => {
    fixture.answer = () => answered(status);
    fixture.publish("one");

    await fixture.clock.pass(HOUR);

    expect(fixture.attempts).toHaveLength(1);
    expect(fixture.deadLetters()).toMatchObject([
      { deliveryAttempts: 1, deadLetterReason: matching(/^Undeliverable/) },
    ]);
  },
);

it.each([
  [408, 120],
  [503, 30],
  [500, 10],
  [302, 10],
  [404, 10],
  [429, 10],
])("waits after %d for at least %d s (docs: Event Grid delivery and retry, Failure codes)", async (status, seconds) => {
  fixture.answer = () => (fixture.attempts.length === 1 ? answered(status) : answered(200));
  fixture.publish("one");

  await fixture.clock.pass(HOUR);

  expect(waits()).toEqual([seconds]);
  expect(fixture.status()).toMatchObject({ delivered: 1, failed: 1, pending: 0 });
});

it("retries an Azure resource after 401 and 404 in five minutes, and after 400, 403 and 413 never (docs: Event Grid delivery and retry, Failure codes)", () => {
  const waitOf = (status: number) => {
    const result = resultOfStatus(status, "azure-resource");
    return result.kind === "failed" ? result.retryAfterMs : "delivered";
  };

  expect([401, 404].map(waitOf)).toEqual([5 * MINUTE, 5 * MINUTE]);
  expect([400, 403, 413].map(waitOf)).toEqual([undefined, undefined, undefined]);
  expect([200, 201, 202, 203, 204].map(waitOf)).toEqual(Array(5).fill("delivered"));
  expect([205, 206, 301].map(waitOf)).toEqual(Array(3).fill(10 * SECOND));
});

it("gives up after maxDeliveryAttempts and counts each attempt in its header (docs: Event Grid delivery and retry, Retry policy)", async () => {
  fixture.subscription = webhookSubscription({ retry: { maxDeliveryAttempts: 3, eventTimeToLiveInMinutes: 1440 } });
  fixture.answer = () => answered(500);
  fixture.publish("one");

  await fixture.clock.pass(HOUR);

  expect(fixture.attempts.map(({ count }) => count)).toEqual([0, 1, 2]);
  expect(fixture.deadLetters()).toMatchObject([
    { deadLetterReason: "MaxDeliveryAttemptsExceeded", deliveryAttempts: 3 },
  ]);
});

it("goes faster with the stack's speed (local: --speed)", async () => {
  await fixture.close();
  fixture = new EngineFixture({ speed: 10 });
  fixture.answer = () => answered(500);
  fixture.publish("one");

  await fixture.clock.pass(11 * SECOND);

  expect(waits()).toEqual([1, 3, 6]);
});

it("leaves an endpoint alone whose first ten deliveries failed, new events too (docs: Event Grid delivery and retry, Delayed delivery and Probation)", async () => {
  fixture.answer = () => ({ kind: "failed", outcome: "SocketError", retryAfterMs: 10 * SECOND });
  fixture.publish(...Array.from({ length: 10 }, (_, at) => `event-${at}`));
  await fixture.clock.pass(0);
  expect(fixture.attempts).toHaveLength(10);
  expect(fixture.status().probationUntil).toBe("2026-01-31T22:30:30.000Z");
  fixture.answer = () => ({ kind: "delivered" });

  fixture.publish("new");
  await fixture.clock.pass(29 * SECOND);
  const during = fixture.attempts.length;
  await fixture.clock.pass(2 * SECOND);

  expect(during).toBe(10);
  expect(fixture.status()).toMatchObject({ pending: 0, delivered: 11 });
});

it("brings the events of one endpoint at once and in no certain order, never more than sixteen requests at a time (docs: Event Grid delivery and retry)", async () => {
  const held: (() => void)[] = [];
  fixture.answer = () => new Promise((resolve) => held.push(() => resolve({ kind: "delivered" })));
  fixture.publish(...Array.from({ length: 40 }, (_, at) => `event-${at}`));
  await fixture.clock.pass(0);
  const atOnce = held.length;

  while (held.length > 0) {
    held.pop()?.();
    await fixture.clock.pass(0);
  }

  expect(atOnce).toBe(16);
  expect(fixture.status()).toMatchObject({ pending: 0, delivered: 40 });
});

it("bounds what waits for one subscription, and dead-letters the rest with its reason (local: limit of the embedded cloud)", async () => {
  await fixture.close();
  fixture = new EngineFixture({ maxPendingPerSubscription: 5 });
  fixture.answer = () => answered(500);

  fixture.publish(...Array.from({ length: 8 }, (_, at) => `event-${at}`));
  await fixture.clock.pass(6 * MINUTE);

  expect(fixture.status()).toMatchObject({ pending: 5, deadLettered: 3, matched: 8 });
  expect(fixture.deadLetters().map(({ deadLetterReason }) => deadLetterReason)).toEqual(
    Array(3).fill("PendingLimitExceeded"),
  );
});
