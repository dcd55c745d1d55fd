import { mkdtempSync, rmSync } from "node:fs";
import { request } from "node:https";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { ServiceBusAdministrationClient } from "@azure/service-bus";
import fc from "fast-check";
import { loadOrCreateCa, type LocalTls } from "../../../local/tls/certificate-authority";
import { useEmulator } from "../../local/service-bus/emulator";
import { nextOf } from "../../local/service-bus/received";

const folder = mkdtempSync(join(tmpdir(), "corral-bus-admin-"));
const emulator = useEmulator();
let tls: LocalTls;

beforeAll(async () => {
  tls = await loadOrCreateCa(folder);
});
beforeEach(() => start());
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const declared = {
  queues: [
    { name: "jobs", lockSeconds: 5, maxDeliveryCount: 3, defaultTtlSeconds: 3600 },
    { name: "team/a", requiresSession: true, duplicateDetectionSeconds: 0 },
  ],
  topics: [{ name: "events", subscriptions: [{ name: "all" }, { name: "some", forwardTo: "jobs" }] }],
};

async function start(): Promise<void> {
  const dataFile = join(emulator.folder, "admin.sqlite");
  await emulator.start({ ...declared, dataFile, tls: { port: 0, ...tls }, managementPort: 0 });
  emulator.connect();
}

async function restart(): Promise<void> {
  await emulator.client().close();
  await emulator.server().close();
  await start();
}

const admin = () =>
  new ServiceBusAdministrationClient(emulator.server().managementConnectionString ?? "", {
    tlsOptions: { ca: tls.caPem },
    retryOptions: { maxRetries: 0 },
  });

async function all<T>(list: AsyncIterable<T>): Promise<T[]> {
  const found: T[] = [];
  for await (const item of list) found.push(item);
  return found;
}

/** A request without a client; resolves with its status and body. */
async function ask(method: string, path: string, body = ""): Promise<{ status: number; body: string }> {
  const { promise, resolve, reject } = Promise.withResolvers<{ status: number; body: string }>();
  const headers = { "content-length": Buffer.byteLength(body) };
  const { managementPort: port } = emulator.server();
  const options = { port, host: "localhost", ca: tls.caPem, method, path, headers, agent: false };
  const call = request(options, (answer) => {
    let text = "";
    answer.on("data", (chunk: Buffer) => (text += chunk.toString()));
    answer.on("end", () => resolve({ status: answer.statusCode ?? 0, body: text }));
  });
  call.on("error", reject);
  call.end(body);
  return promise;
}

it("tells how a queue is set up (@azure/service-bus 7.9.5, getQueue)", async () => {
  const queue = await admin().getQueue("jobs");

  expect(queue).toMatchObject({
    name: "jobs",
    lockDuration: "PT5S",
    maxDeliveryCount: 3,
    requiresSession: false,
    requiresDuplicateDetection: true,
    duplicateDetectionHistoryTimeWindow: "PT10M",
    defaultMessageTimeToLive: "PT1H",
    deadLetteringOnMessageExpiration: false,
    status: "Active",
  });
});

it("counts a queue's messages by their state (@azure/service-bus 7.9.5, getQueueRuntimeProperties)", async () => {
  const sender = emulator.client().createSender("jobs");
  await sender.sendMessages([{ body: 1 }, { body: 2 }]);
  await sender.scheduleMessages({ body: 3 }, new Date(Date.now() + 60_000));
  const receiver = emulator.client().createReceiver("jobs");
  await receiver.deadLetterMessage(await nextOf(receiver));

  const counts = await admin().getQueueRuntimeProperties("jobs");

  expect(counts).toMatchObject({
    totalMessageCount: 3,
    activeMessageCount: 1,
    deadLetterMessageCount: 1,
    scheduledMessageCount: 1,
    transferMessageCount: 0,
  });
  expect(counts.sizeInBytes).toBeGreaterThan(0);
});

it("lists queues and topics (@azure/service-bus 7.9.5, listQueues and listTopics)", async () => {
  const queues = await all(admin().listQueues());
  const topics = await all(admin().listTopics());

  expect(queues.map(({ name }) => name)).toEqual(["jobs", "team/a"]);
  expect(topics.map(({ name }) => name)).toEqual(["events"]);
});

it("lists page by page (@azure/service-bus 7.9.5, byPage)", async () => {
  for (let n = 0; n < 5; n += 1) await admin().createQueue(`q${n}`);

  const pages = await all(admin().listQueues().byPage({ maxPageSize: 3 }));

  expect(pages.map((page) => page.length)).toEqual([3, 3, 1]);
});

it("knows which entities there are (@azure/service-bus 7.9.5, queueExists, topicExists, subscriptionExists)", async () => {
  const known = await Promise.all([
    admin().queueExists("jobs"),
    admin().queueExists("TEAM/A"),
    admin().queueExists("nowhere"),
    admin().topicExists("events"),
    admin().subscriptionExists("events", "all"),
    admin().subscriptionExists("events", "nobody"),
  ]);

  expect(known).toEqual([true, true, false, true, true, false]);
});

it("answers 404 for an entity that is not there (@azure/service-bus 7.9.5, MessageEntityNotFoundError)", async () => {
  const getting = admin().getQueue("nowhere");

  await expect(getting).rejects.toMatchObject({ code: "MessageEntityNotFoundError", statusCode: 404 });
});

it("makes a queue that works at once (@azure/service-bus 7.9.5, createQueue)", async () => {
  const made = await admin().createQueue("fresh", {
    lockDuration: "PT30S",
    maxDeliveryCount: 7,
    requiresSession: true,
  });

  await emulator.client().createSender("fresh").sendMessages({ messageId: "m1", sessionId: "s1", body: 1 });
  const session = await emulator.client().acceptNextSession("fresh");

  expect(made).toMatchObject({ name: "fresh", lockDuration: "PT30S", maxDeliveryCount: 7, requiresSession: true });
  expect((await nextOf(session)).messageId).toBe("m1");
});

it("does not make an entity twice (@azure/service-bus 7.9.5, MessageEntityAlreadyExistsError)", async () => {
  const making = admin().createQueue("jobs");

  await expect(making).rejects.toMatchObject({ code: "MessageEntityAlreadyExistsError", statusCode: 409 });
});

it.each([
  [{ lockDuration: "PT10M" }, 'LockDuration is "PT10M"; allowed are ISO 8601 durations from PT5S to PT5M'],
  [{ maxDeliveryCount: 0 }, 'MaxDeliveryCount is "0"; allowed are whole numbers from 1 to 2000'],
  [{ enablePartitioning: true }, "EnablePartitioning is 'true'; this emulator allows 'false'"],
])("refuses a queue with %j, and says what is allowed (docs: Quotas)", async (options, reason) => {
  const making = admin().createQueue("fresh", options);

  await expect(making).rejects.toThrow(reason);
});

it("keeps what was made over a restart, with its messages (@azure/service-bus 7.9.5, createQueue)", async () => {
  await admin().createQueue("fresh", { maxDeliveryCount: 7 });
  await emulator.client().createSender("fresh").sendMessages({ messageId: "m1", body: 1 });

  await restart();
  const queue = await admin().getQueue("fresh");

  expect(queue.maxDeliveryCount).toBe(7);
  expect((await nextOf(emulator.client().createReceiver("fresh"))).messageId).toBe("m1");
});

it("deletes a queue with its messages and cuts its receivers off (@azure/service-bus 7.9.5, deleteQueue)", async () => {
  await admin().createQueue("fresh");
  await emulator.client().createSender("fresh").sendMessages({ body: 1 });
  const { promise, resolve } = Promise.withResolvers<unknown>();
  const receiver = emulator.connect(undefined, { maxRetries: 0, timeoutInMs: 1000 }).createReceiver("fresh");
  await nextOf(receiver);
  receiver.subscribe({
    processMessage: () => Promise.resolve(),
    processError: ({ error }) => {
      resolve(error);
      return Promise.resolve();
    },
  });

  await admin().deleteQueue("fresh");
  const error = await promise;
  await admin().createQueue("fresh");

  expect(error).toMatchObject({ code: "MessagingEntityNotFound" });
  expect(emulator.server().counts("fresh")).toEqual({ active: 0, deadLetter: 0, scheduled: 0 });
});

it("makes topics and subscriptions with a first rule (@azure/service-bus 7.9.5, createSubscription)", async () => {
  await admin().createTopic("news", { requiresDuplicateDetection: true });
  const rule = { name: "mail", filter: { subject: "mail" } };
  const made = await admin().createSubscription("news", "mail", { maxDeliveryCount: 2, defaultRuleOptions: rule });

  await emulator
    .client()
    .createSender("news")
    .sendMessages([{ body: 1 }, { body: 2, subject: "mail" }]);
  const counts = await admin().getSubscriptionRuntimeProperties("news", "mail");

  expect(made).toMatchObject({ topicName: "news", subscriptionName: "mail", maxDeliveryCount: 2 });
  expect(counts).toMatchObject({ totalMessageCount: 1, activeMessageCount: 1, deadLetterMessageCount: 0 });
});

it("tells of a topic and its subscriptions (@azure/service-bus 7.9.5, getTopic and listSubscriptions)", async () => {
  const topic = await admin().getTopic("events");
  const counts = await admin().getTopicRuntimeProperties("events");
  const subscriptions = await all(admin().listSubscriptions("events"));
  const runtime = await all(admin().listSubscriptionsRuntimeProperties("events"));

  expect(topic).toMatchObject({ name: "events", requiresDuplicateDetection: false });
  expect(counts.subscriptionCount).toBe(2);
  expect(subscriptions.map(({ subscriptionName }) => subscriptionName)).toEqual(["all", "some"]);
  expect(subscriptions[1]?.forwardTo).toMatch(/\/jobs$/);
  expect(runtime.map(({ activeMessageCount }) => activeMessageCount)).toEqual([0, 0]);
});

it("deletes a topic with its subscriptions (@azure/service-bus 7.9.5, deleteTopic)", async () => {
  await admin().deleteTopic("events");

  const left = await Promise.all([admin().topicExists("events"), admin().subscriptionExists("events", "all")]);

  expect(left).toEqual([false, false]);
});

it("makes, lists and deletes rules (@azure/service-bus 7.9.5, createRule and listRules)", async () => {
  const properties = { size: 3, urgent: true, from: "me & you" };
  await admin().createRule("events", "all", "sql", { sqlExpression: "size < 3" });
  await admin().createRule("events", "all", "mail", { subject: "mail", applicationProperties: properties });
  await admin().deleteRule("events", "all", "$Default");

  const rules = await all(admin().listRules("events", "all"));
  const rule = await admin().getRule("events", "all", "mail");

  expect(rules.map(({ name }) => name)).toEqual(["sql", "mail"]);
  expect(rules[0]?.filter).toMatchObject({ sqlExpression: "size < 3" });
  expect(rule.filter).toMatchObject({ subject: "mail", applicationProperties: properties });
});

it("refuses an update, which it does not have (@azure/service-bus 7.9.5, updateQueue)", async () => {
  const queue = await admin().getQueue("jobs");

  const updating = admin().updateQueue({ ...queue, maxDeliveryCount: 5 });

  await expect(updating).rejects.toThrow("Updates of entities are not built into this emulator");
});

it("tells of the namespace (@azure/service-bus 7.9.5, getNamespaceProperties)", async () => {
  const namespace = await admin().getNamespaceProperties();

  expect(namespace).toMatchObject({ messagingSku: "Standard", name: "localhost" });
});

it("tells anybody how many messages wait, as JSON (docs/architecture.md, GET /status)", async () => {
  await emulator.client().createSender("jobs").sendMessages({ body: 1 });

  const { status, body } = await ask("GET", "/status");

  expect(status).toBe(200);
  expect(JSON.parse(body)).toMatchObject({
    entities: expect.arrayContaining([
      { kind: "queue", name: "jobs", active: 1, deadLetter: 0, scheduled: 0 },
      { kind: "topic", name: "events", active: 0, deadLetter: 0, scheduled: 0 },
    ]) as unknown,
  });
});

it("answers any request with a status below 500, and goes on (docs: Service Bus REST API, errors)", async () => {
  const path = fc.string({ unit: "grapheme-ascii", maxLength: 40 }).map((text) => `/${encodeURI(text)}`);
  const method = fc.constantFrom("GET", "PUT", "DELETE", "POST", "PATCH");

  await fc.assert(
    fc.asyncProperty(method, path, fc.string({ maxLength: 200 }), async (verb, target, body) => {
      const { status } = await ask(verb, target.replaceAll("#", ""), body);
      expect([200, 400, 401, 404, 405]).toContain(status);
    }),
    { numRuns: 60 },
  );

  expect((await ask("GET", "/status")).status).toBe(200);
});
