import { useEmulator } from "../../local/service-bus/emulator";
import { briefly, idsOf, nextOf, receiveAll } from "../../local/service-bus/received";

const chain = Array.from({ length: 6 }, (_, index) => ({
  name: `hop${index}`,
  ...(index < 5 && { forwardTo: `hop${index + 1}` }),
}));
const queues = [
  ...chain,
  { name: "target", duplicateDetectionSeconds: 0 },
  { name: "source", forwardTo: "target" },
  { name: "graves", duplicateDetectionSeconds: 0 },
  { name: "failing", maxDeliveryCount: 1, forwardDeadLetteredMessagesTo: "graves" },
];
const topics = [{ name: "events", subscriptions: [{ name: "collected", forwardTo: "target" }] }];
const emulator = useEmulator({ queues, topics });
const send = (entity: string, messageId: string) =>
  emulator.client().createSender(entity).sendMessages({ messageId, body: messageId });

it("passes a queue's messages on to another queue (docs: Auto-forwarding)", async () => {
  await send("source", "m1");

  const message = await nextOf(emulator.client().createReceiver("target"));

  expect(message).toMatchObject({ messageId: "m1", deliveryCount: 0 });
  expect(emulator.server().counts("source").active).toBe(0);
});

it("gathers a subscription's messages in a queue (docs: Auto-forwarding)", async () => {
  await send("events", "m1");
  await send("source", "m2");

  const messages = await receiveAll(emulator.client().createReceiver("target"), 2);

  expect(idsOf(messages).sort()).toEqual(["m1", "m2"]);
});

it("passes dead letters on, with their reason (docs: Auto-forwarding, ForwardDeadLetteredMessagesTo)", async () => {
  await send("failing", "m1");
  const receiver = emulator.client().createReceiver("failing");
  await receiver.deadLetterMessage(await nextOf(receiver), {
    deadLetterReason: "Bad",
    deadLetterErrorDescription: "cannot be read",
  });

  const dead = await nextOf(emulator.client().createReceiver("graves"));

  expect(dead).toMatchObject({ messageId: "m1", deadLetterReason: "Bad", deadLetterSource: "failing" });
});

it("refuses a receiver where messages are passed on (docs: Auto-forwarding)", async () => {
  const client = emulator.connect(undefined, { maxRetries: 0, timeoutInMs: 2000 });

  const receiving = client.createReceiver("source").receiveMessages(1, briefly);

  await expect(receiving).rejects.toThrow(/auto-forwarding enabled/);
});

it("passes a message on four times and then buries it (docs: Auto-forwarding, MaxTransferHopCountExceeded)", async () => {
  await send("hop0", "m1");
  await send("hop1", "m2");

  const dead = await nextOf(emulator.client().createReceiver("hop4", { subQueueType: "deadLetter" }));
  const message = await nextOf(emulator.client().createReceiver("hop5"));

  expect(dead).toMatchObject({ messageId: "m1", deadLetterReason: "MaxTransferHopCountExceeded" });
  expect(message.messageId).toBe("m2");
});

it.each([
  ["that does not exist", [{ name: "a", forwardTo: "b" }], "forwardTo of a names b, which is neither"],
  [
    "in a circle",
    [
      { name: "a", forwardTo: "b" },
      { name: "b", forwardTo: "a" },
    ],
    "forwardTo of a leads back to a",
  ],
  ["with sessions", [{ name: "a", requiresSession: true, forwardTo: "b" }, { name: "b" }], "requires sessions"],
])("does not start with forwarding %s (docs: Auto-forwarding)", async (_what, entities, reason) => {
  const starting = emulator.start({ queues: entities, topics: [] });

  await expect(starting).rejects.toThrow(reason);
});
