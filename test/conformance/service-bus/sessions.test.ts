import type { ServiceBusSessionReceiver } from "@azure/service-bus";
import { useEmulator } from "../../local/service-bus/emulator";
import { idsOf, nextOf, receiveAll } from "../../local/service-bus/received";

const queues = [
  { name: "orders", requiresSession: true, lockSeconds: 1, maxDeliveryCount: 3 },
  { name: "steady", requiresSession: true, lockSeconds: 30 },
  { name: "plain" },
];
const emulator = useEmulator({ queues });
const once = { maxRetries: 0, timeoutInMs: 2000 };
const noRenewal = { maxAutoLockRenewalDurationInMs: 0 };

async function send(queue: string, ...messages: [sessionId: string, messageId: string][]): Promise<void> {
  const sender = emulator.client().createSender(queue);
  await sender.sendMessages(messages.map(([sessionId, messageId]) => ({ sessionId, messageId, body: messageId })));
}

/** Resolves when the lock of a session is over, as the receiver itself was told. */
async function untilLost(receiver: ServiceBusSessionReceiver): Promise<void> {
  const left = receiver.sessionLockedUntilUtc.getTime() - Date.now();
  await new Promise((resolve) => setTimeout(resolve, Math.max(0, left) + 50));
}

it("gives the next session with messages to whoever asks for any (@azure/service-bus 7.9.5, acceptNextSession)", async () => {
  await send("steady", ["s1", "m1"], ["s2", "m2"]);

  const first = await emulator.client().acceptNextSession("steady");
  const second = await emulator.client().acceptNextSession("steady");

  expect([first.sessionId, second.sessionId]).toEqual(["s1", "s2"]);
  expect(idsOf([await nextOf(first), await nextOf(second)])).toEqual(["m1", "m2"]);
});

it("holds an attach until a session has a message (@azure/service-bus 7.9.5, acceptNextSession)", async () => {
  const accepting = emulator.client().acceptNextSession("steady");
  await send("steady", ["late", "m1"]);

  const receiver = await accepting;

  expect(receiver.sessionId).toBe("late");
});

it("answers ServiceTimeout when no session comes in time (@azure/service-bus 7.9.5, acceptNextSession)", async () => {
  const client = emulator.connect(undefined, once);

  const accepting = client.acceptNextSession("steady");

  await expect(accepting).rejects.toMatchObject({ code: "ServiceTimeout" });
});

it("accepts a session by its id, also before it has messages (@azure/service-bus 7.9.5, acceptSession)", async () => {
  const receiver = await emulator.client().acceptSession("steady", "mine");
  await send("steady", ["other", "m1"], ["mine", "m2"]);

  const messages = await receiveAll(receiver, 1);

  expect(receiver.sessionId).toBe("mine");
  expect(idsOf(messages)).toEqual(["m2"]);
});

it("tells the time until which a session is locked (@azure/service-bus 7.9.5, sessionLockedUntilUtc)", async () => {
  const before = Date.now();

  const receiver = await emulator.client().acceptSession("steady", "s1");

  const lockedForMs = receiver.sessionLockedUntilUtc.getTime() - before;
  expect(lockedForMs).toBeGreaterThan(29_000);
  expect(lockedForMs).toBeLessThan(35_000);
});

it("refuses a session that somebody holds (@azure/service-bus 7.9.5, SessionCannotBeLocked)", async () => {
  await emulator.client().acceptSession("steady", "s1");

  const second = emulator.connect(undefined, once).acceptSession("steady", "s1");

  await expect(second).rejects.toMatchObject({ code: "SessionCannotBeLocked" });
});

it("frees a session when its receiver is closed (docs: Message sessions, session lock)", async () => {
  await send("steady", ["s1", "m1"]);
  const first = await emulator.client().acceptNextSession("steady");
  await nextOf(first);

  await first.close();
  const second = await emulator.client().acceptNextSession("steady");
  const again = await nextOf(second);

  expect(again).toMatchObject({ messageId: "m1", deliveryCount: 1 });
});

it("keeps the order of each session, whatever lies between (docs: Message sessions, first-in first-out)", async () => {
  const ids = Array.from({ length: 60 }, (_, index) => index);
  await send("steady", ...ids.map((n): [string, string] => [`s${n % 3}`, `m${n}`]));

  const receiver = await emulator.client().acceptSession("steady", "s1");
  const messages = await receiveAll(receiver, 20);

  expect(idsOf(messages)).toEqual(ids.filter((n) => n % 3 === 1).map((n) => `m${n}`));
});

it("redelivers an abandoned message before those behind it (docs: Message sessions, ordering)", async () => {
  await send("steady", ["s1", "m1"], ["s1", "m2"]);
  const receiver = await emulator.client().acceptSession("steady", "s1");

  await receiver.abandonMessage(await nextOf(receiver));
  const messages = await receiveAll(receiver, 2);

  expect(messages.map(({ messageId, deliveryCount }) => [messageId, deliveryCount])).toEqual([
    ["m1", 1],
    ["m2", 0],
  ]);
});

it("prolongs the lock of a session (@azure/service-bus 7.9.5, renewSessionLock)", async () => {
  const receiver = await emulator.client().acceptSession("orders", "s1", noRenewal);
  const before = receiver.sessionLockedUntilUtc;
  await new Promise((resolve) => setTimeout(resolve, 300));

  const until = await receiver.renewSessionLock();

  expect(until.getTime()).toBeGreaterThan(before.getTime());
});

it("takes a session away when its lock is not renewed (@azure/service-bus 7.9.5, SessionLockLost)", async () => {
  await send("orders", ["s1", "m1"]);
  const receiver = await emulator.client().acceptSession("orders", "s1", noRenewal);
  const message = await nextOf(receiver);
  await untilLost(receiver);

  const completing = receiver.completeMessage(message);

  await expect(completing).rejects.toMatchObject({ code: "SessionLockLost" });
  expect(emulator.server().counts("orders").active).toBe(1);
});

it("gives a lost session to the next receiver, with its messages in order (docs: Message sessions)", async () => {
  await send("orders", ["s1", "m1"], ["s1", "m2"]);
  const first = await emulator.client().acceptSession("orders", "s1", noRenewal);
  await receiveAll(first, 2);
  await untilLost(first);

  const second = await emulator.client().acceptNextSession("orders");
  const messages = await receiveAll(second, 2);

  expect(idsOf(messages)).toEqual(["m1", "m2"]);
});

it("keeps a state with a session over receivers (@azure/service-bus 7.9.5, setSessionState)", async () => {
  const first = await emulator.client().acceptSession("steady", "s1");
  const untouched: unknown = await first.getSessionState();
  await first.setSessionState({ step: 3 });
  await first.close();

  const second = await emulator.client().acceptSession("steady", "s1");
  const state: unknown = await second.getSessionState();
  await second.setSessionState(null);
  const cleared: unknown = await second.getSessionState();

  expect([untouched ?? null, state, cleared ?? null]).toEqual([null, { step: 3 }, null]);
});

it("does not let somebody without the session write its state (docs: Message sessions, session state)", async () => {
  const receiver = await emulator.client().acceptSession("orders", "s1", noRenewal);
  await untilLost(receiver);

  const writing = receiver.setSessionState("mine");

  await expect(writing).rejects.toMatchObject({ code: "SessionLockLost" });
});

it("keeps the state of a session over a restart (docs: Message sessions, session state)", async () => {
  const first = await emulator.client().acceptSession("steady", "s1");
  await first.setSessionState("half way");

  await emulator.client().close();
  await emulator.server().close();
  await emulator.start();
  const second = await emulator.connect().acceptSession("steady", "s1");

  expect(await second.getSessionState()).toBe("half way");
});

it("lists the sessions that have messages or a state (docs: AMQP request-response, get-message-sessions)", async () => {
  await send("steady", ["s2", "m1"], ["s1", "m2"]);
  const receiver = await emulator.client().acceptSession("steady", "s3");
  await receiver.setSessionState("alone");
  const { _connectionContext: context } = emulator.client() as unknown as {
    _connectionContext: {
      getManagementClient(path: string): { listMessageSessions(skip: number, top: number): Promise<string[]> };
    };
  };

  const all = await context.getManagementClient("steady").listMessageSessions(0, 10);
  const some = await context.getManagementClient("steady").listMessageSessions(1, 1);

  expect([all, some]).toEqual([["s1", "s2", "s3"], ["s2"]]);
});

it("peeks into one session only (@azure/service-bus 7.9.5, peekMessages of a session receiver)", async () => {
  await send("steady", ["s1", "m1"], ["s2", "m2"], ["s1", "m3"]);
  const receiver = await emulator.client().acceptSession("steady", "s1");

  const peeked = await receiver.peekMessages(10);

  expect(idsOf(peeked)).toEqual(["m1", "m3"]);
});

it("hands out a deferred message of the session that is held (@azure/service-bus 7.9.5, receiveDeferredMessages)", async () => {
  await send("steady", ["s1", "m1"]);
  const receiver = await emulator.client().acceptSession("steady", "s1");
  const message = await nextOf(receiver);
  await receiver.deferMessage(message);

  const [deferred] = await receiver.receiveDeferredMessages(message.sequenceNumber ?? []);
  if (deferred) await receiver.completeMessage(deferred);

  expect(deferred).toMatchObject({ messageId: "m1", sessionId: "s1" });
  expect(emulator.server().counts("steady").active).toBe(0);
});

it("refuses a receiver without a session where they are required (docs: Message sessions)", async () => {
  const receiver = emulator.connect(undefined, once).createReceiver("steady");

  const receiving = receiver.receiveMessages(1, { maxWaitTimeInMs: 100 });

  await expect(receiving).rejects.toThrow(/requires sessions/);
});

it("refuses a session where there are none (docs: Message sessions)", async () => {
  const accepting = emulator.connect(undefined, once).acceptSession("plain", "s1");

  await expect(accepting).rejects.toMatchObject({ code: "SessionCannotBeLocked" });
});

it("refuses a message without a session id where sessions are required (docs: Message sessions)", async () => {
  const sending = emulator.connect(undefined, once).createSender("steady").sendMessages({ body: 1 });

  await expect(sending).rejects.toThrow(/SessionId was not set/);
});

it("buries a message of a session after its last delivery (docs: Dead-letter queues, MaxDeliveryCountExceeded)", async () => {
  await send("orders", ["s1", "m1"]);
  const receiver = await emulator.client().acceptSession("orders", "s1");

  for (let delivery = 1; delivery <= 3; delivery += 1) await receiver.abandonMessage(await nextOf(receiver));
  const dead = await nextOf(emulator.client().createReceiver("orders", { subQueueType: "deadLetter" }));

  expect(dead).toMatchObject({ messageId: "m1", sessionId: "s1", deadLetterReason: "MaxDeliveryCountExceeded" });
});

it("deletes at once what a session receiver takes that way (@azure/service-bus 7.9.5, receiveAndDelete)", async () => {
  await send("steady", ["s1", "m1"], ["s1", "m2"]);

  const receiver = await emulator.client().acceptSession("steady", "s1", { receiveMode: "receiveAndDelete" });
  const messages = await receiveAll(receiver, 2);

  expect(idsOf(messages)).toEqual(["m1", "m2"]);
  expect(emulator.server().counts("steady").active).toBe(0);
});

it("streams a session's messages to a handler one after another (@azure/service-bus 7.9.5, subscribe)", async () => {
  await send("steady", ...["m1", "m2", "m3"].map((id): [string, string] => ["s1", id]));
  const receiver = await emulator.client().acceptSession("steady", "s1");
  const seen: unknown[] = [];
  const { promise, resolve } = Promise.withResolvers<undefined>();

  receiver.subscribe({
    processMessage: ({ messageId }) => {
      if (seen.push(messageId) === 3) resolve(undefined);
      return Promise.resolve();
    },
    processError: () => Promise.resolve(),
  });
  await promise;
  await receiver.close();

  expect(seen).toEqual(["m1", "m2", "m3"]);
});
