import type { FaultRule } from "../../../local/faults/fault-plan";
import { retryOptions, useEmulator } from "./emulator";

const emulator = useEmulator();
const rule = { service: "service-bus", skip: 0, times: 1 } as const;
const hold = (stage: FaultRule["stage"], operation: string, subject?: string) =>
  emulator.faults.arm({ ...rule, stage, operation, subject, action: { kind: "hold" } });

/** A client that soon notices when an answer does not come. */
const impatient = () => emulator.connect(undefined, { ...retryOptions, timeoutInMs: 1000 });
const send = (messageId: string, client = emulator.client()) =>
  client.createSender("jobs").sendMessages({ messageId, body: messageId });
const receive = (maxWaitTimeInMs: number) =>
  emulator.client().createReceiver("jobs").receiveMessages(1, { maxWaitTimeInMs });

it("holds the delivery of one message while others pass", async () => {
  const held = hold("before", "^deliver jobs$", "^m1$");
  await send("m1");
  await send("m2");
  const receiver = emulator.client().createReceiver("jobs");

  const first = await receiver.receiveMessages(2, { maxWaitTimeInMs: 300 });
  emulator.faults.disarm(held);
  const second = await receiver.receiveMessages(1, { maxWaitTimeInMs: 3000 });

  expect(first.map(({ messageId }) => messageId)).toEqual(["m2"]);
  expect(second[0]).toMatchObject({ messageId: "m1", deliveryCount: 0 });
});

it("holds a settlement that has arrived, and does it once it may", async () => {
  const held = hold("before", "^settle jobs$", "^m1$");
  await send("m1");
  const receiver = emulator.client().createReceiver("jobs");
  const [message] = await receiver.receiveMessages(1, { maxWaitTimeInMs: 3000 });
  if (!message) throw new Error("no message came");

  const completing = receiver.completeMessage(message);
  await emulator.faults.waitForHits(held, 1);
  const activeWhileHeld = emulator.server().counts("jobs").active;
  emulator.faults.disarm(held);
  await completing;

  expect(activeWhileHeld).toBe(1);
  expect(emulator.server().counts("jobs").active).toBe(0);
});

it.each([
  ["before", 0],
  ["after", 1],
] as const)("holds a send %s it is stored", async (stage, activeWhileHeld) => {
  const held = hold(stage, "^send jobs$");

  const sending = send("m1");
  await emulator.faults.waitForHits(held, 1);
  const { active } = emulator.server().counts("jobs");
  emulator.faults.disarm(held);
  await sending;

  expect(active).toBe(activeWhileHeld);
  expect(emulator.server().counts("jobs").active).toBe(1);
});

it("refuses a send as it is told, and takes the next", async () => {
  const action = { kind: "fail", status: 400, code: "amqp:not-allowed", message: "Not today." } as const;
  emulator.faults.arm({ ...rule, stage: "before", operation: "^send jobs$", action });

  const refused = send("m1");
  await expect(refused).rejects.toThrow("Not today.");
  await send("m2");

  expect(emulator.server().counts("jobs").active).toBe(1);
});

it("loses the answer to a send with the connection, and the client's second try is a duplicate", async () => {
  const dropped = emulator.faults.arm({ ...rule, stage: "after", operation: "^send jobs$", action: { kind: "drop" } });

  await send("m1", impatient());

  expect(emulator.faults.stateOf(dropped)?.hits).toBe(1);
  expect(emulator.server().counts("jobs").active).toBe(1);
});

it("cuts the connection before a delivery, which then does not count", async () => {
  emulator.faults.arm({ ...rule, stage: "before", operation: "^deliver jobs$", action: { kind: "drop" } });
  await send("m1");

  await receive(1000).catch(() => []);
  const [message] = await receive(3000);

  expect(message).toMatchObject({ messageId: "m1", deliveryCount: 0 });
});
