import type { ServiceBusReceivedMessage } from "@azure/service-bus";
import { useEmulator } from "./emulator";

const emulator = useEmulator();
const wait = { maxWaitTimeInMs: 3000 };

async function send(...ids: string[]): Promise<void> {
  const messages = ids.map((messageId) => ({ messageId, body: messageId }));
  await emulator.client().createSender("jobs").sendMessages(messages);
}

it("delivers what was sent, and never again once it is completed", async () => {
  const sender = emulator.client().createSender("jobs");
  const receiver = emulator.client().createReceiver("jobs");
  const sent = { messageId: "m1", subject: "greeting", applicationProperties: { size: 3 }, body: { hello: "world" } };

  await sender.sendMessages(sent);
  const [message] = await receiver.receiveMessages(1, wait);
  if (message) await receiver.completeMessage(message);

  expect(message).toMatchObject({ ...sent, deliveryCount: 0, state: "active" });
  expect(message?.sequenceNumber?.toString()).toBe("1");
  expect(emulator.server().counts("jobs")).toEqual({ active: 0, deadLetter: 0, scheduled: 0 });
});

it.each([
  ["text", "grüße"],
  ["bytes", Buffer.from([0, 1, 255])],
  ["a list", [1, "two", { three: 3 }]],
  ["nothing", null],
])("brings back %s as it was", async (_what, body) => {
  const receiver = emulator.client().createReceiver("jobs");

  await emulator.client().createSender("jobs").sendMessages({ body });
  const [message] = await receiver.receiveMessages(1, wait);

  expect(message?.body).toEqual(body);
});

it("gives a message without an id one of its own, so that clients can settle it", async () => {
  const receiver = emulator.client().createReceiver("jobs");

  await emulator
    .client()
    .createSender("jobs")
    .sendMessages({ body: "anonymous", applicationProperties: { a: 1 } });
  const [message] = await receiver.receiveMessages(1, wait);
  if (message) await receiver.completeMessage(message);

  expect(message?.messageId).toMatch(/^[0-9a-f-]{32,36}$/);
  expect(message?.applicationProperties).toEqual({ a: 1 });
});

it("unpacks a batch in its order", async () => {
  const sender = emulator.client().createSender("jobs");
  const batch = await sender.createMessageBatch();
  const ids = Array.from({ length: 300 }, (_, index) => `m${index}`);
  for (const messageId of ids) batch.tryAddMessage({ messageId, body: messageId });

  await sender.sendMessages(batch);
  const received = await emulator.client().createReceiver("jobs").receiveMessages(300, wait);

  expect(received.map(({ messageId }) => messageId)).toEqual(ids);
});

it("drops a message whose id it has seen inside the window", async () => {
  await send("m1", "m1");
  await send("m1", "m2");

  const received = await emulator.client().createReceiver("jobs").receiveMessages(10, { maxWaitTimeInMs: 1000 });

  expect(received.map(({ messageId }) => messageId)).toEqual(["m1", "m2"]);
});

it("answers a receive on an empty queue when the wait is over, as often as it is asked", async () => {
  const receiver = emulator.client().createReceiver("jobs");
  const counts: number[] = [];

  for (const round of [1, 2, 3]) counts.push((await receiver.receiveMessages(round, { maxWaitTimeInMs: 50 })).length);
  await send("m1");
  const [message] = await receiver.receiveMessages(1, wait);

  expect(counts).toEqual([0, 0, 0]);
  expect(message?.messageId).toBe("m1");
});

it("keeps to the number of messages that a subscriber takes at once", async () => {
  await send(...Array.from({ length: 60 }, (_, index) => `m${index}`));
  const receiver = emulator.client().createReceiver("jobs");
  const seen = { now: 0, most: 0, done: new Set<unknown>() };
  const all = Promise.withResolvers<undefined>();

  const subscription = receiver.subscribe(
    {
      processMessage: async ({ messageId }) => {
        seen.most = Math.max(seen.most, (seen.now += 1));
        await new Promise((resolve) => setImmediate(resolve));
        seen.now -= 1;
        if (seen.done.add(messageId).size === 60) all.resolve(undefined);
      },
      processError: ({ error }) => {
        all.reject(error);
        return Promise.resolve();
      },
    },
    { maxConcurrentCalls: 5 },
  );
  await all.promise;
  await subscription.close();

  expect(seen.most).toBe(5);
});

it("carries more messages over one link than its window has places", async () => {
  const sender = emulator.client().createSender("jobs");
  const receiver = emulator.client().createReceiver("jobs");
  const completed = new Set<unknown>();

  for (let batch = 0; batch < 10; batch += 1) {
    await sender.sendMessages(
      Array.from({ length: 250 }, (_, index) => ({ messageId: `m${batch}-${index}`, body: index })),
    );
  }
  while (completed.size < 2500) {
    const messages = await receiver.receiveMessages(200, wait);
    await Promise.all(messages.map((message) => receiver.completeMessage(message)));
    for (const { messageId } of messages) completed.add(messageId);
  }

  expect(emulator.server().counts("jobs").active).toBe(0);
});

it("shares messages between receivers", async () => {
  const receivers = [emulator.client().createReceiver("jobs"), emulator.connect().createReceiver("jobs")];
  const receiving = receivers.map((receiver) => receiver.receiveMessages(2, { maxWaitTimeInMs: 2000 }));

  await send("m1", "m2", "m3", "m4");
  const received: ServiceBusReceivedMessage[][] = await Promise.all(receiving);

  const ids = received.flat().map(({ messageId }) => String(messageId));
  expect(new Set(ids).size).toBe(ids.length);
  expect(ids.length).toBeGreaterThanOrEqual(2);
});

it("deletes at once for a receiver that asks for it", async () => {
  await send("m1");

  const receiver = emulator.client().createReceiver("jobs", { receiveMode: "receiveAndDelete" });
  const [message] = await receiver.receiveMessages(1, wait);

  expect(message).toMatchObject({ messageId: "m1", deliveryCount: 0 });
  expect(emulator.server().counts("jobs").active).toBe(0);
});

it("refuses a message of more than 256 KB", async () => {
  const sender = emulator.client().createSender("jobs");

  const sending = sender.sendMessages({ body: Buffer.alloc(256 * 1024) });

  await expect(sending).rejects.toMatchObject({ code: "MessageSizeExceeded" });
  expect(emulator.server().counts("jobs").active).toBe(0);
});

it("takes a message of 200 KB, which does not fit into one frame", async () => {
  const body = Buffer.alloc(200 * 1024, "x");

  await emulator.client().createSender("jobs").sendMessages({ body });
  const [message] = await emulator.client().createReceiver("jobs").receiveMessages(1, wait);

  expect(body.equals(message?.body as Buffer)).toBe(true);
});

it("shows messages without taking them", async () => {
  await send("m1", "m2");
  const receiver = emulator.client().createReceiver("jobs");

  const peeked = await receiver.peekMessages(10);
  const nothing = await receiver.peekMessages(10);

  expect(peeked.map(({ messageId }) => messageId)).toEqual(["m1", "m2"]);
  expect(nothing).toEqual([]);
  expect(emulator.server().counts("jobs").active).toBe(2);
});

it("holds a scheduled message back until it is due, and lets it be cancelled", async () => {
  const sender = emulator.client().createSender("jobs");
  const inAnHour = new Date(Date.now() + 3_600_000);

  const [kept, cancelled] = await sender.scheduleMessages([{ body: 1 }, { body: 2 }], inAnHour);
  if (cancelled) await sender.cancelScheduledMessages(cancelled);
  await sender.sendMessages({ body: "soon", scheduledEnqueueTimeUtc: new Date(Date.now() + 50) });
  const [message] = await emulator.client().createReceiver("jobs").receiveMessages(1, wait);

  expect(kept?.toString()).toBe("1");
  expect(message?.body).toBe("soon");
  expect(emulator.server().counts("jobs")).toMatchObject({ scheduled: 1 });
});
