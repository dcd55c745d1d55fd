import { connect, type Socket } from "node:net";
import fc from "fast-check";
import { create_container, message as amqpMessage, type Connection, type EventContext } from "rhea";
import { FrameMeasure } from "../../../local/service-bus/frame-limit";
import { messagesOf } from "../../../local/service-bus/message-format";
import { useEmulator } from "../../local/service-bus/emulator";
import { nextOf } from "../../local/service-bus/received";

const emulator = useEmulator();
const header = Buffer.from("AMQP\x00\x01\x00\x00", "latin1");
const saslHeader = Buffer.from("AMQP\x03\x01\x00\x00", "latin1");

/** Writes bytes and resolves when the emulator has closed the connection, or has had time to read them. */
async function throwAt(bytes: Buffer, patienceMs = 100): Promise<"closed" | "open"> {
  const socket: Socket = connect(emulator.server().port, "127.0.0.1");
  const closed = new Promise<"closed">((resolve) => socket.once("close", () => resolve("closed")));
  socket.on("error", () => undefined);
  socket.resume();
  socket.write(bytes);
  const { promise: patience, resolve } = Promise.withResolvers<"open">();
  const timer = setTimeout(() => resolve("open"), patienceMs);
  const outcome = await Promise.race([closed, patience]);
  clearTimeout(timer);
  socket.destroy();
  return outcome;
}

/** The emulator still does its work. */
async function expectAlive(): Promise<void> {
  const client = emulator.connect();
  await client.createSender("jobs").sendMessages({ body: "alive" });
  const receiver = client.createReceiver("jobs");
  const message = await nextOf(receiver);
  await receiver.completeMessage(message);
  expect(message.body).toBe("alive");
}

function frame(body: Buffer, channel = 0, type = 0): Buffer {
  const head = Buffer.from([0, 0, 0, 0, 2, type, channel >> 8, channel & 255]);
  head.writeUInt32BE(8 + body.length);
  return Buffer.concat([head, body]);
}

/** What a client says first: open, begin, and an attach of a sender to `$cbs`. */
const opening = [
  Buffer.from("005310c00401a10161", "hex"),
  Buffer.from("005311c0050440525050", "hex"),
  Buffer.from("005312c00e07a1016c434240404043c00100", "hex"),
];

/** A client with a link to `$cbs`, to which anybody may send. */
async function openCbs(): Promise<{ connection: Connection; send: (bytes: Buffer) => void }> {
  const container = create_container();
  container.on("error", () => undefined);
  container.on("disconnected", () => undefined);
  const connection = container.connect({
    ...{ port: emulator.server().port, host: "127.0.0.1", username: "anyone", reconnect: false },
  });
  const sendable = new Promise<EventContext>((resolve) => connection.once("sendable", resolve));
  connection.open_sender("$cbs");
  const { sender } = await sendable;
  return { connection, send: (bytes) => void sender?.send(bytes, undefined, 0) };
}

it("goes on after any bytes from anybody (docs: AMQP 1.0, part 2.3 framing)", async () => {
  const bytes = fc.uint8Array({ maxLength: 400 }).map((array) => Buffer.from(array));
  const start = fc.constantFrom(header, saslHeader, Buffer.alloc(0));

  await fc.assert(
    fc.asyncProperty(start, bytes, async (first, rest) => {
      await throwAt(Buffer.concat([first, rest]), 15);
    }),
    { numRuns: 100 },
  );

  await expectAlive();
});

it("goes on after frames that are whole and make no sense (docs: AMQP 1.0, part 2.7 performatives)", async () => {
  const value = fc.oneof(
    fc.uint8Array({ maxLength: 60 }).map((array) => Buffer.from(array)),
    fc.nat(10).map((code) => Buffer.from([0, 0x53, 0x10 + code, 0xc0, 1, 0])),
    fc.nat(10).map((code) => Buffer.from([0, 0x53, 0x10 + code, 0x45])),
    fc
      .tuple(fc.nat(10), fc.uint8Array({ minLength: 1, maxLength: 20 }))
      .map(([code, array]) =>
        Buffer.concat([Buffer.from([0, 0x53, 0x10 + code, 0xc0, array.length + 1, array.length]), Buffer.from(array)]),
      ),
  );
  const frames = fc.array(fc.tuple(value, fc.nat(3)), { maxLength: 6 });

  await fc.assert(
    fc.asyncProperty(frames, fc.nat(3), async (bodies, usual) => {
      const start = opening.slice(0, usual).map((body) => frame(body));
      const rest = bodies.map(([body, channel]) => frame(body, channel));
      await throwAt(Buffer.concat([header, ...start, ...rest]), 15);
    }),
    { numRuns: 150 },
  );

  await expectAlive();
});

it("goes on after requests to $cbs that are no messages (docs: AMQP claims-based security)", async () => {
  const bytes = fc.oneof(
    fc.uint8Array({ maxLength: 80 }).map((array) => Buffer.from(array)),
    fc
      .anything()
      .map((body) => amqpMessage.encode({ application_properties: { operation: "put-token" }, body: String(body) })),
  );

  await fc.assert(
    fc.asyncProperty(fc.array(bytes, { minLength: 1, maxLength: 20 }), async (payloads) => {
      const { connection, send } = await openCbs();
      for (const payload of payloads) send(payload);
      const closed = new Promise((resolve) => connection.once("connection_close", resolve));
      connection.close();
      await closed;
    }),
    { numRuns: 20 },
  );

  await expectAlive();
});

it("cuts a connection off whose frame says that it is huge (docs: AMQP 1.0, max-frame-size)", async () => {
  const huge = Buffer.concat([header, Buffer.from("7fffffff02000000", "hex")]);

  const outcome = await throwAt(huge, 3000);

  expect(outcome).toBe("closed");
  await expectAlive();
});

it("cuts a connection off whose frame is shorter than a frame's head (docs: AMQP 1.0, part 2.3 framing)", async () => {
  const outcome = await throwAt(Buffer.concat([header, Buffer.from("0000000002000000", "hex")]), 3000);

  expect(outcome).toBe("closed");
});

it("does not gather a message without end (docs: AMQP 1.0, transfer with more)", async () => {
  const { connection } = await openCbs();
  const { promise, resolve } = Promise.withResolvers<undefined>();
  connection.container.on("disconnected", () => resolve(undefined));
  const before = process.memoryUsage().rss;

  // As one delivery of 64 MB, in frames of 64 KB; rhea splits it.
  connection.find_sender(() => true)?.send(Buffer.alloc(64 * 1024 * 1024), undefined, 0);
  await promise;

  expect(process.memoryUsage().rss - before).toBeLessThan(400 * 1024 * 1024);
  await expectAlive();
});

it("measures frames however they are cut into chunks (docs: AMQP 1.0, part 2.3 framing)", () => {
  const body = fc.uint8Array({ maxLength: 50 }).map((array) => Buffer.from(array));
  fc.assert(
    fc.property(fc.array(body, { maxLength: 8 }), fc.array(fc.integer({ min: 1, max: 30 })), (bodies, cuts) => {
      const bytes = Buffer.concat([saslHeader, header, ...bodies.map((one) => frame(one))]);
      const measure = new FrameMeasure();
      let at = 0;

      for (const cut of [...cuts, bytes.length]) {
        expect(measure.take(bytes.subarray(at, at + cut))).toBe(true);
        at += cut;
      }

      expect(measure.take(Buffer.from("7fffffff", "hex"))).toBe(false);
    }),
    { numRuns: 200 },
  );
});

it("reads any bytes as messages or throws, and never more (docs: AMQP 1.0, part 3.2 message format)", () => {
  const section = fc
    .tuple(fc.nat(9), fc.uint8Array({ maxLength: 30 }))
    .map(([code, array]) => Buffer.concat([Buffer.from([0, 0x53, 0x70 + code]), Buffer.from(array)]));
  fc.assert(
    fc.property(fc.array(section, { maxLength: 5 }), fc.boolean(), (sections, isBatch) => {
      let outcome: unknown;

      try {
        outcome = messagesOf(Buffer.concat(sections), isBatch ? 0x80013700 : 0);
      } catch (error) {
        outcome = error;
      }

      expect(Array.isArray(outcome) || isError(outcome)).toBe(true);
    }),
    { numRuns: 500 },
  );
});

/** rhea's errors are plain objects that inherit from Error; Node's own are of another realm in jest, where only their tag tells. */
function isError(thrown: unknown): boolean {
  return thrown instanceof Error || Object.prototype.toString.call(thrown) === "[object Error]";
}
