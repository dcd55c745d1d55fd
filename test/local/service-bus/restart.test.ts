import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { retryOptions, useEmulator } from "./emulator";

const emulator = useEmulator();
const wait = { maxWaitTimeInMs: 3000 };

/** Ends the emulator and starts it on the same port with the same file. */
async function restart(): Promise<void> {
  const { port } = emulator.server();
  await emulator.server().close();
  await emulator.start({ port });
}

it("keeps messages, delivery counts, properties and dead letters over a restart", async () => {
  const sender = emulator.client().createSender("jobs");
  const receiver = emulator.client().createReceiver("jobs");
  await sender.sendMessages(["m1", "m2", "m3", "m4"].map((messageId) => ({ messageId, body: messageId })));
  const [first, second, third] = await receiver.receiveMessages(3, wait);
  if (!first || !second || !third) throw new Error("too few messages came");
  await receiver.completeMessage(first);
  await receiver.deadLetterMessage(second, { deadLetterReason: "Bad", deadLetterErrorDescription: "It is." });
  await receiver.abandonMessage(third, { when: new Date(0), size: 7 });

  await restart();
  const client = emulator.connect();
  const [again, fresh] = await client.createReceiver("jobs").receiveMessages(2, wait);
  const [parked] = await client.createReceiver("jobs", { subQueueType: "deadLetter" }).receiveMessages(1, wait);

  expect(again).toMatchObject({ messageId: "m3", deliveryCount: 1, applicationProperties: { size: 7 } });
  expect(fresh).toMatchObject({ messageId: "m4", deliveryCount: 0 });
  expect(parked).toMatchObject({ messageId: "m2", deadLetterReason: "Bad", deadLetterSource: "jobs" });
});

it("still knows duplicates and the next sequence number after a restart", async () => {
  await emulator.client().createSender("jobs").sendMessages({ messageId: "m1", body: 1 });
  const receiver = emulator.client().createReceiver("jobs");
  for (const message of await receiver.receiveMessages(1, wait)) await receiver.completeMessage(message);

  await restart();
  const sender = emulator.connect().createSender("jobs");
  await sender.sendMessages({ messageId: "m1", body: "duplicate" });
  await sender.sendMessages({ messageId: "m2", body: "new" });
  const received = await emulator.client().createReceiver("jobs").receiveMessages(2, { maxWaitTimeInMs: 1000 });

  expect(received.map(({ messageId, sequenceNumber }) => [messageId, sequenceNumber?.toString()])).toEqual([
    ["m2", "2"],
  ]);
});

it("leaves nothing on disk of messages that are done", async () => {
  const sender = emulator.client().createSender("jobs");
  await sender.sendMessages(["m1", "m2", "m3"].map((messageId) => ({ messageId, body: messageId })));
  const receiver = emulator.client().createReceiver("jobs");
  const received = await receiver.receiveMessages(3, wait);

  await Promise.all(received.map((message) => receiver.completeMessage(message)));
  const database = new DatabaseSync(join(emulator.folder, "bus.sqlite"), { readOnly: true });
  const rows = database.prepare("SELECT count(*) AS count FROM messages").get();
  database.close();

  expect(received.length).toBeGreaterThan(0);
  expect(rows).toEqual({ count: 3 - received.length });
});

it("counts a delivery that a restart cut off", async () => {
  await emulator.client().createSender("jobs").sendMessages({ messageId: "m1", body: 1 });
  await emulator.client().createReceiver("jobs").receiveMessages(1, wait);

  await restart();
  const [message] = await emulator.connect().createReceiver("jobs").receiveMessages(1, wait);

  expect(message).toMatchObject({ messageId: "m1", deliveryCount: 1 });
});

it("is found again by a client that sends and subscribes while it restarts", async () => {
  const client = emulator.client();
  const received = new Set<unknown>();
  let expected = 0;
  const all = Promise.withResolvers<undefined>();
  const errors: unknown[] = [];
  client.createReceiver("jobs").subscribe({
    processMessage: ({ messageId }) => {
      if (received.add(messageId).size === expected) all.resolve(undefined);
      return Promise.resolve();
    },
    processError: ({ error }) => Promise.resolve(void errors.push(error)),
  });
  const sender = client.createSender("jobs");
  await sender.sendMessages({ messageId: "before", body: 1 });

  const restarting = restart();
  const sending = ["m1", "m2", "m3"].map((messageId) => sender.sendMessages({ messageId, body: 1 }));
  await restarting;
  const sent = await Promise.allSettled(sending);
  await sender.sendMessages({ messageId: "after", body: 1 });
  expected = 2 + sent.filter(({ status }) => status === "fulfilled").length;
  if (received.size < expected) await all.promise;

  expect([...received]).toEqual(expect.arrayContaining(["before", "after"]));
});

it("answers every send that has arrived before it closes", async () => {
  const sender = emulator.connect(undefined, { ...retryOptions, timeoutInMs: 1000 }).createSender("jobs");
  await sender.sendMessages({ messageId: "first", body: 1 });

  const sending = Array.from({ length: 50 }, (_, index) =>
    sender.sendMessages({ messageId: `m${index}`, body: index }),
  );
  await restart();
  const sent = await Promise.allSettled(sending);

  const stored = emulator.server().counts("jobs").active;
  expect(sent.filter(({ status }) => status === "fulfilled").length).toBeLessThanOrEqual(stored);
});
