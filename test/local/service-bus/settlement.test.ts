import type { ServiceBusReceivedMessage, ServiceBusReceiver } from "@azure/service-bus";
import { useEmulator } from "./emulator";

const emulator = useEmulator();

async function receiveOne(receiver: ServiceBusReceiver): Promise<ServiceBusReceivedMessage> {
  const [message] = await receiver.receiveMessages(1, { maxWaitTimeInMs: 5000 });
  if (!message) throw new Error("no message came");
  return message;
}

async function sendOne(applicationProperties = {}): Promise<ServiceBusReceiver> {
  await emulator.client().createSender("jobs").sendMessages({ messageId: "m1", body: "work", applicationProperties });
  return emulator.client().createReceiver("jobs");
}

const deadLetters = () => emulator.client().createReceiver("jobs", { subQueueType: "deadLetter" });

it("delivers an abandoned message again, with the properties that were changed", async () => {
  const receiver = await sendOne({ kept: 1, changed: "before" });

  await receiver.abandonMessage(await receiveOne(receiver), { changed: "after", added: true });
  const again = await receiveOne(receiver);

  expect(again).toMatchObject({ deliveryCount: 1, applicationProperties: { kept: 1, changed: "after", added: true } });
});

it("keeps an abandoned message at its place in the queue", async () => {
  const receiver = await sendOne();
  await emulator.client().createSender("jobs").sendMessages({ messageId: "m2", body: "later" });

  await receiver.abandonMessage(await receiveOne(receiver));
  const again = await receiveOne(receiver);

  expect(again.messageId).toBe("m1");
});

it("parks a message with its reason", async () => {
  const receiver = await sendOne({ size: 3 });

  await receiver.deadLetterMessage(await receiveOne(receiver), {
    deadLetterReason: "NotAJob",
    deadLetterErrorDescription: "It has no image.",
    hint: "look",
  });
  const parked = await receiveOne(deadLetters());

  expect(parked).toMatchObject({
    ...{ messageId: "m1", body: "work", deadLetterSource: "jobs" },
    ...{ deadLetterReason: "NotAJob", deadLetterErrorDescription: "It has no image." },
    applicationProperties: { size: 3, hint: "look" },
  });
  expect(emulator.server().counts("jobs")).toEqual({ active: 0, deadLetter: 1, scheduled: 0 });
});

it("parks a message that was delivered as often as the queue allows", async () => {
  const receiver = await sendOne();

  for (const deliveryCount of [0, 1, 2]) {
    const message = await receiveOne(receiver);
    expect(message.deliveryCount).toBe(deliveryCount);
    await receiver.abandonMessage(message);
  }
  const parked = await receiveOne(deadLetters());

  expect(parked.deadLetterReason).toBe("MaxDeliveryCountExceeded");
  expect(parked.deadLetterErrorDescription).toBe("Message could not be consumed after 3 delivery attempts.");
});

it("lets a dead letter be completed", async () => {
  const receiver = await sendOne();
  await receiver.deadLetterMessage(await receiveOne(receiver));

  const parked = deadLetters();
  await parked.completeMessage(await receiveOne(parked));

  expect(emulator.server().counts("jobs").deadLetter).toBe(0);
});

it("delivers a message again whose lock expired, and refuses the late settlement", async () => {
  await emulator.server().close();
  await emulator.start({ queues: [{ name: "jobs", lockSeconds: 0.3 }] });
  emulator.connect();
  await sendOne();
  // The client renews by itself otherwise.
  const receiver = emulator.client().createReceiver("jobs", { maxAutoLockRenewalDurationInMs: 0 });

  const first = await receiveOne(receiver);
  const second = await receiveOne(emulator.connect().createReceiver("jobs"));
  const late = receiver.completeMessage(first);

  await expect(late).rejects.toMatchObject({ code: "MessageLockLost" });
  expect(second).toMatchObject({ messageId: "m1", deliveryCount: 1 });
});

it("renews a lock", async () => {
  const receiver = await sendOne();
  const message = await receiveOne(receiver);
  const before = message.lockedUntilUtc?.getTime() ?? Infinity;

  const until = await receiver.renewMessageLock(message);
  await receiver.completeMessage(message);

  expect(until.getTime()).toBeGreaterThan(before);
});

it("refuses to renew a lock that is gone", async () => {
  const receiver = await sendOne();
  const message = await receiveOne(receiver);
  await receiver.completeMessage(message);

  const renewal = receiver.renewMessageLock(message);

  await expect(renewal).rejects.toThrow();
});

it("puts a deferred message aside until it is asked for by its number", async () => {
  const receiver = await sendOne();
  const message = await receiveOne(receiver);
  const number = message.sequenceNumber;
  if (!number) throw new Error("the message has no sequence number");

  await receiver.deferMessage(message, { why: "too early" });
  const nothing = await receiver.receiveMessages(1, { maxWaitTimeInMs: 50 });
  const [deferred] = await receiver.receiveDeferredMessages(number);
  if (deferred) await receiver.completeMessage(deferred);

  expect(nothing).toEqual([]);
  expect(deferred).toMatchObject({ messageId: "m1", state: "deferred", applicationProperties: { why: "too early" } });
  expect(emulator.server().counts("jobs").active).toBe(0);
});

it("keeps the lock of a message whose receiver was closed", async () => {
  const receiver = await sendOne();
  await receiveOne(receiver);

  await receiver.close();
  const seen = await emulator.client().createReceiver("jobs").receiveMessages(1, { maxWaitTimeInMs: 50 });

  expect(seen).toEqual([]);
  expect(emulator.server().counts("jobs").active).toBe(1);
});

it("takes the settlement of a message after its link was cut from the server's side", async () => {
  const receiver = await sendOne();
  const message = await receiveOne(receiver);
  const action = { kind: "fail", status: 500, code: "amqp:link:detach-forced", message: "Idle." } as const;
  const id = emulator.faults.arm({
    service: "service-bus",
    operation: "deliver",
    stage: "before",
    skip: 0,
    times: 1,
    action,
  });

  const receiving = receiver.receiveMessages(1, { maxWaitTimeInMs: 500 }).catch(() => []);
  await emulator.client().createSender("jobs").sendMessages({ messageId: "m2", body: "next" });
  await emulator.faults.waitForHits(id, 1);
  await receiving;
  await receiver.completeMessage(message);

  expect(emulator.server().counts("jobs").active).toBe(1);
});

it("parks a message when the subscriber's handler keeps failing", async () => {
  const receiver = await sendOne();
  const failed = Promise.withResolvers<undefined>();
  let attempts = 0;

  const subscription = receiver.subscribe({
    processMessage: () => {
      attempts += 1;
      throw new Error("cannot");
    },
    processError: () => {
      if (attempts === 3) failed.resolve(undefined);
      return Promise.resolve();
    },
  });
  await failed.promise;
  const parked = await receiveOne(deadLetters());
  await subscription.close();

  expect(attempts).toBe(3);
  expect(parked.deadLetterReason).toBe("MaxDeliveryCountExceeded");
});
