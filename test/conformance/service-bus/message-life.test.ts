import { useEmulator } from "../../local/service-bus/emulator";
import { briefly, idsOf, nextOf, receiveAll } from "../../local/service-bus/received";

const queues = [
  { name: "jobs", lockSeconds: 5, duplicateDetectionSeconds: 20 },
  { name: "expiring", defaultTtlSeconds: 0.4, deadLetteringOnMessageExpiration: true, duplicateDetectionSeconds: 0 },
  { name: "fleeting", defaultTtlSeconds: 0.4, duplicateDetectionSeconds: 0 },
  { name: "short-lock", lockSeconds: 1, maxDeliveryCount: 2, duplicateDetectionSeconds: 0 },
];
const emulator = useEmulator({ queues });
const sender = (queue = "jobs") => emulator.client().createSender(queue);
const receiver = (queue = "jobs") => emulator.client().createReceiver(queue);
const deadLetters = (queue: string) => emulator.client().createReceiver(queue, { subQueueType: "deadLetter" });

/** Waits until a queue holds that many messages, dead letters aside. */
async function untilActive(queue: string, count: number): Promise<void> {
  while (emulator.server().counts(queue).active !== count) await new Promise((resolve) => setTimeout(resolve, 20));
}

it("holds a scheduled message back until its time (@azure/service-bus 7.9.5, scheduleMessages)", async () => {
  const due = new Date(Date.now() + 700);
  await sender().scheduleMessages({ messageId: "m1", body: 1 }, due);

  const message = await nextOf(receiver());

  expect(message.messageId).toBe("m1");
  expect(Date.now()).toBeGreaterThanOrEqual(due.getTime());
  expect(message.enqueuedTimeUtc?.getTime()).toBe(due.getTime());
});

it("schedules by the message's own property, too (@azure/service-bus 7.9.5, scheduledEnqueueTimeUtc)", async () => {
  await sender().sendMessages({ messageId: "m1", body: 1, scheduledEnqueueTimeUtc: new Date(Date.now() + 60_000) });

  const counts = emulator.server().counts("jobs");

  expect(counts).toMatchObject({ active: 0, scheduled: 1 });
});

it("gives a scheduled message a new sequence number when it becomes active (docs: Message sequencing and timestamps)", async () => {
  const [scheduled] = await sender().scheduleMessages({ messageId: "m1", body: 1 }, new Date(Date.now() + 300));
  await sender().sendMessages({ messageId: "m2", body: 2 });

  const messages = await receiveAll(receiver(), 2);

  expect(idsOf(messages)).toEqual(["m2", "m1"]);
  expect(messages[1]?.sequenceNumber?.gt(scheduled ?? 0)).toBe(true);
});

it("cancels what is scheduled (@azure/service-bus 7.9.5, cancelScheduledMessages)", async () => {
  const due = new Date(Date.now() + 60_000);
  const numbers = await sender().scheduleMessages([{ body: 1 }, { body: 2 }], due);

  await sender().cancelScheduledMessages(numbers);

  expect(emulator.server().counts("jobs")).toMatchObject({ active: 0, scheduled: 0 });
});

it("does not cancel twice (@azure/service-bus 7.9.5, MessageNotFound)", async () => {
  const numbers = await sender().scheduleMessages({ body: 1 }, new Date(Date.now() + 60_000));
  await sender().cancelScheduledMessages(numbers);

  const again = sender().cancelScheduledMessages(numbers);

  await expect(again).rejects.toMatchObject({ code: "MessageNotFound" });
});

it("shows a scheduled message to who peeks, as such (@azure/service-bus 7.9.5, peekMessages)", async () => {
  await sender().scheduleMessages({ messageId: "m1", body: 1 }, new Date(Date.now() + 60_000));

  const [peeked] = await receiver().peekMessages(1);

  expect(peeked).toMatchObject({ messageId: "m1", state: "scheduled" });
});

it("hands out a deferred message by its number only (@azure/service-bus 7.9.5, receiveDeferredMessages)", async () => {
  await sender().sendMessages({ messageId: "m1", body: 1 });
  const own = receiver();
  const message = await nextOf(own);
  await own.deferMessage(message, { because: "later" });

  const usual = await own.receiveMessages(1, briefly);
  const [deferred] = await own.receiveDeferredMessages(message.sequenceNumber ?? []);
  if (deferred) await own.completeMessage(deferred);

  expect(usual).toEqual([]);
  expect(deferred).toMatchObject({ messageId: "m1", state: "deferred", applicationProperties: { because: "later" } });
  expect(emulator.server().counts("jobs").active).toBe(0);
});

it("says that a number is no deferred message's (@azure/service-bus 7.9.5, MessageNotFound)", async () => {
  await sender().sendMessages({ messageId: "m1", body: 1 });
  const [peeked] = await receiver().peekMessages(1);

  const receiving = receiver().receiveDeferredMessages(peeked?.sequenceNumber ?? []);

  await expect(receiving).rejects.toMatchObject({ code: "MessageNotFound" });
});

it("dead-letters a message whose own time to live has passed (@azure/service-bus 7.9.5, docs: Message expiration)", async () => {
  await sender("expiring").sendMessages({ messageId: "m1", body: 1, timeToLive: 150 });

  const dead = await nextOf(deadLetters("expiring"));

  expect(dead).toMatchObject({
    messageId: "m1",
    deadLetterReason: "TTLExpiredException",
    deadLetterErrorDescription: "The message expired and was dead lettered.",
    deadLetterSource: "expiring",
  });
});

it("dead-letters by the entity's default where a message brings no time (docs: Message expiration)", async () => {
  await sender("expiring").sendMessages({ messageId: "m1", body: 1 });

  const dead = await nextOf(deadLetters("expiring"));

  expect(dead.messageId).toBe("m1");
});

it("cuts a time to live down to the entity's default (docs: Message expiration, entity-level)", async () => {
  await sender("expiring").sendMessages({ messageId: "m1", body: 1, timeToLive: 3_600_000 });

  const dead = await nextOf(deadLetters("expiring"));

  expect(dead).toMatchObject({ messageId: "m1", deadLetterReason: "TTLExpiredException" });
});

it("lets an expired message vanish where dead-lettering is off (docs: Message expiration)", async () => {
  await sender("fleeting").sendMessages({ messageId: "m1", body: 1 });

  await untilActive("fleeting", 0);

  expect(emulator.server().counts("fleeting")).toEqual({ active: 0, deadLetter: 0, scheduled: 0 });
});

it("lets who holds an expired message finish with it (docs: Message expiration, locked messages)", async () => {
  await sender("expiring").sendMessages({ messageId: "m1", body: 1 });
  const own = receiver("expiring");
  const message = await nextOf(own);
  await new Promise((resolve) => setTimeout(resolve, 500));

  await own.completeMessage(message);

  expect(emulator.server().counts("expiring")).toMatchObject({ active: 0, deadLetter: 0 });
});

it("expires a message that comes back too late (docs: Message expiration)", async () => {
  await sender("expiring").sendMessages({ messageId: "m1", body: 1 });
  const own = receiver("expiring");
  const message = await nextOf(own);
  await new Promise((resolve) => setTimeout(resolve, 500));

  await own.abandonMessage(message);

  expect(emulator.server().counts("expiring")).toMatchObject({ active: 0, deadLetter: 1 });
});

it("counts the time of a scheduled message from when it becomes active (docs: Message expiration)", async () => {
  const due = new Date(Date.now() + 600);
  await sender("fleeting").scheduleMessages({ messageId: "m1", body: 1 }, due);

  const message = await nextOf(receiver("fleeting"));

  expect(message.messageId).toBe("m1");
});

it("keeps dead letters for ever (docs: Dead-letter queues)", async () => {
  await sender("expiring").sendMessages({ messageId: "m1", body: 1, timeToLive: 100 });
  const [dead] = await receiveAll(deadLetters("expiring"), 1);

  await new Promise((resolve) => setTimeout(resolve, 500));

  expect(dead?.timeToLive).toBe(100);
  expect(emulator.server().counts("expiring").deadLetter).toBe(1);
});

it("peeks on from the last number without taking anything (@azure/service-bus 7.9.5, peekMessages)", async () => {
  await sender().sendMessages(["m1", "m2", "m3"].map((messageId) => ({ messageId, body: messageId })));
  const own = receiver();

  const first = await own.peekMessages(2);
  const rest = await own.peekMessages(2);
  const second = first[1]?.sequenceNumber;
  const again = await own.peekMessages(1, second ? { fromSequenceNumber: second } : {});

  expect([idsOf(first), idsOf(rest), idsOf(again)]).toEqual([["m1", "m2"], ["m3"], ["m2"]]);
  expect(emulator.server().counts("jobs").active).toBe(3);
});

it("deletes what is received that way, and nothing comes back (@azure/service-bus 7.9.5, receiveAndDelete)", async () => {
  await sender().sendMessages([
    { messageId: "m1", body: 1 },
    { messageId: "m2", body: 2 },
  ]);

  const own = emulator.client().createReceiver("jobs", { receiveMode: "receiveAndDelete" });
  const messages = await receiveAll(own, 2);

  expect(idsOf(messages)).toEqual(["m1", "m2"]);
  expect(emulator.server().counts("jobs").active).toBe(0);
});

it("gives a message back when its lock ends, and buries it after the last (docs: Locks, MaxDeliveryCount)", async () => {
  await sender("short-lock").sendMessages({ messageId: "m1", body: 1 });
  const own = emulator.client().createReceiver("short-lock", { maxAutoLockRenewalDurationInMs: 0 });
  const first = await nextOf(own);
  const second = await nextOf(own);

  const dead = await nextOf(deadLetters("short-lock"));

  expect([first.deliveryCount, second.deliveryCount]).toEqual([0, 1]);
  expect(dead).toMatchObject({
    messageId: "m1",
    deadLetterReason: "MaxDeliveryCountExceeded",
    deadLetterErrorDescription: "Message could not be consumed after 2 delivery attempts.",
  });
});

it("drops a message id that it has seen inside the window (docs: Duplicate detection)", async () => {
  await sender().sendMessages({ messageId: "m1", body: "first" });
  await sender().sendMessages({ messageId: "m1", body: "second" });
  await sender("short-lock").sendMessages([
    { messageId: "m1", body: 1 },
    { messageId: "m1", body: 2 },
  ]);

  const [found] = await receiver().peekMessages(5);

  expect(found?.body).toBe("first");
  expect(emulator.server().counts("jobs").active).toBe(1);
  expect(emulator.server().counts("short-lock").active).toBe(2);
});

it("refuses a message above 256 KB (@azure/service-bus 7.9.5, docs: Quotas of the standard tier)", async () => {
  const sending = sender().sendMessages({ body: Buffer.alloc(256 * 1024) });

  await expect(sending).rejects.toMatchObject({ code: "MessageSizeExceeded" });
  expect(emulator.server().counts("jobs").active).toBe(0);
});

it("refuses a batch above 256 KB as a whole (@azure/service-bus 7.9.5, docs: Quotas of the standard tier)", async () => {
  const sending = sender().sendMessages(Array.from({ length: 3 }, () => ({ body: Buffer.alloc(100 * 1024) })));

  await expect(sending).rejects.toMatchObject({ code: "MessageSizeExceeded" });
  expect(emulator.server().counts("jobs").active).toBe(0);
});

it("tells the size limit, by which clients fill a batch (@azure/service-bus 7.9.5, createMessageBatch)", async () => {
  const batch = await sender().createMessageBatch();

  while (batch.tryAddMessage({ body: Buffer.alloc(10_000) }));
  await sender().sendMessages(batch);

  expect(batch.maxSizeInBytes).toBe(256 * 1024);
  expect(emulator.server().counts("jobs").active).toBe(batch.count);
});
