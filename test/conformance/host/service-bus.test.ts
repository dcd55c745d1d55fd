import { TestApp, endAppsAfterEach, until } from "../../local/host/support";
import { useBus } from "./service-bus-fixture";

interface SeenOne {
  readonly message: unknown;
  readonly metadata: Readonly<Record<string, unknown>>;
}

interface SeenMany {
  readonly messages: readonly unknown[];
  readonly metadata: Readonly<Record<string, readonly unknown[]>>;
}

// Apps end before their broker does.
endAppsAfterEach();
const bus = useBus({
  queues: [
    { name: "single", lockSeconds: 5 },
    { name: "batch", lockSeconds: 5, maxDeliveryCount: 2 },
    { name: "conversations", lockSeconds: 5, requiresSession: true },
  ],
  topics: [{ name: "news", subscriptions: [{ name: "archive" }, { name: "mail" }] }],
});

function startApp(name = "bus-bindings", env: Readonly<Record<string, string>> = {}): Promise<TestApp> {
  return TestApp.start(name, { env: { Bus: bus.server().connectionString, ARCHIVE: "archive", MAIL: "mail", ...env } });
}

async function seenBy<T>(app: TestApp, path: string, enough: (seen: T[]) => boolean): Promise<T[]> {
  return until(async () => (await app.json(path)) as T[], enough);
}

it("gives a message's properties to its function (docs: Azure Service Bus trigger, message metadata)", async () => {
  const app = await startApp();
  const applicationProperties = { Color: "red", size: 3 };
  await bus.send("single", {
    ...{ body: { n: 1 }, messageId: "m-1", correlationId: "c-1", subject: "s", contentType: "application/json" },
    applicationProperties,
  });
  const [seen] = await seenBy<SeenOne>(app, "/seen/one", ({ length }) => length > 0);

  expect(seen?.message).toEqual({ n: 1 });
  expect(seen?.metadata).toMatchObject({
    ...{ messageId: "m-1", correlationId: "c-1", subject: "s", contentType: "application/json", deliveryCount: 1 },
    applicationProperties: { color: "red", size: 3 },
  });
  await app.said(/Trigger Details: MessageId: m-1, SequenceNumber: 1, DeliveryCount: 1, EnqueuedTimeUtc: /);
});

it("gives several messages to one run, and completes them together (docs: Azure Service Bus trigger, cardinality)", async () => {
  await bus.send("batch", ...[1, 2, 3, 4].map((n) => ({ body: { n }, messageId: `m${n}` })));
  const app = await startApp();
  const runs = await seenBy<SeenMany>(app, "/seen/many", (all) => all.flatMap(({ messages }) => messages).length === 4);
  const { active } = await until(
    () => bus.server().counts("batch"),
    (counts) => counts.active === 0,
  );

  expect(runs.length).toBeLessThan(4);
  expect(runs.flatMap(({ messages }) => messages)).toEqual([1, 2, 3, 4].map((n) => ({ n })));
  expect(runs.flatMap(({ metadata }) => metadata["messageIdArray"])).toEqual(["m1", "m2", "m3", "m4"]);
  expect(active).toBe(0);
});

it("gives a batch back as a whole when its run fails, until the queue parks it (docs: Azure Service Bus trigger, PeekLock behavior)", async () => {
  await bus.send("batch", { body: { n: 1, fails: true } }, { body: { n: 2 } });
  const app = await startApp();
  const { deadLetter } = await until(
    () => bus.server().counts("batch"),
    (counts) => counts.deadLetter >= 1 && counts.active === 0,
  );

  expect(deadLetter).toBeGreaterThanOrEqual(1);
  await app.said(/Executed 'Functions\.many' \(Failed/);
});

it.each([
  ["an object", { n: 1 }, [{ n: 1 }]],
  ["a text", "just words", ["just words"]],
  ["an array, each element a message of its own,", [{ n: 1 }, "two", 3], [{ n: 1 }, "two", 3]],
])(
  "sends %s that a function gives to a queue (docs: Azure Service Bus output binding, usage)",
  async (_what, value, expected) => {
    const app = await startApp();
    const { status } = await app.request("POST", "/send", { body: JSON.stringify({ single: value }) });
    const seen = await seenBy<SeenOne>(app, "/seen/one", ({ length }) => length >= expected.length);

    expect(status).toBe(202);
    expect(seen.map(({ message }) => JSON.stringify(message)).sort()).toEqual(
      expected.map((each) => JSON.stringify(each)).sort(),
    );
  },
);

it("fails a function whose output cannot be sent (docs: Azure Functions error handling and retries, binding errors)", async () => {
  const action = { kind: "fail", status: 400, code: "amqp:not-allowed", message: "not today" } as const;
  bus.faults.arm({ service: "service-bus", operation: "^send single$", stage: "before", skip: 0, times: 100, action });
  const app = await startApp();
  const { status } = await app.request("POST", "/send", { body: JSON.stringify({ single: { n: 1 } }) });

  expect(status).toBe(500);
  await app.said(/Executed 'Functions\.send' \(Failed/);
  await app.said(/not today/);
});

it("reaches the function of each subscription of a topic (docs: Azure Service Bus trigger, topics)", async () => {
  const app = await startApp("topic-fan-out");
  await app.request("POST", "/publish", { body: JSON.stringify({ title: "fresh" }) });
  const read = await seenBy<{ reader: string; message: unknown }>(app, "/read", ({ length }) => length >= 2);

  expect(read.sort((a, b) => a.reader.localeCompare(b.reader))).toEqual([
    { reader: "archive", message: { title: "fresh" } },
    { reader: "mail", message: { title: "fresh" } },
  ]);
});

it("handles the messages of a session in order, and goes on to the next session (docs: Azure Service Bus trigger, isSessionsEnabled)", async () => {
  const sessions = ["a", "b", "c"];
  for (const sessionId of sessions)
    await bus.send("conversations", ...[1, 2, 3, 4].map((n) => ({ body: { n }, sessionId })));
  const app = await startApp("bus-sessions");
  const seen = await seenBy<{ session: string; n: number }>(app, "/seen", ({ length }) => length >= 12);
  const ordered = sessions.map((session) => seen.filter((each) => each.session === session).map(({ n }) => n));

  expect(ordered).toEqual([
    [1, 2, 3, 4],
    [1, 2, 3, 4],
    [1, 2, 3, 4],
  ]);
});

it("stops with 0 while sessions and batches wait for messages (docs: Azure Service Bus trigger)", async () => {
  const codes = [];
  for (const name of ["bus-sessions", "bus-bindings"]) codes.push(await (await startApp(name)).kill("SIGTERM"));

  expect(codes).toEqual([0, 0]);
});

it("names the setting of a topic's connection that is missing (docs: Azure Functions developer guide, connections)", async () => {
  const app = TestApp.launch("topic-fan-out", { env: { ARCHIVE: "archive", MAIL: "mail" } });
  const code = await app.exit();

  expect(code).toBe(1);
  expect(app.log).toContain("needs the setting 'Bus' (a Service Bus connection string)");
});
