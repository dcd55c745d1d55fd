import type { QueueServiceClient } from "@azure/storage-queue";
import { TestApp, endAppsAfterEach, until } from "../../local/host/support";
import { useQueues } from "./queue-service";

interface Seen {
  readonly seen: readonly {
    readonly order: { readonly n: number };
    readonly dequeueCount: number;
    readonly queueTrigger: unknown;
    readonly insertionTime: string;
  }[];
  readonly lost: readonly unknown[];
  readonly most: number;
}

// Apps end before their storage does.
endAppsAfterEach();
const storage = useQueues();

function startApp(env: Readonly<Record<string, string>> = {}): Promise<TestApp> {
  const { connectionString, orders } = storage();
  return TestApp.start("storage-queue", { env: { AzureWebJobsStorage: connectionString, ORDERS: orders, ...env } });
}

async function send(service: QueueServiceClient, ...orders: unknown[]): Promise<void> {
  const queue = service.getQueueClient(storage().orders);
  await queue.createIfNotExists();
  for (const order of orders) {
    const text = typeof order === "string" ? order : Buffer.from(JSON.stringify(order)).toString("base64");
    await queue.sendMessage(text);
  }
}

async function seenBy(app: TestApp, satisfies: (seen: Seen) => boolean): Promise<Seen> {
  return until(async () => (await app.json("/seen")) as Seen, satisfies);
}

async function textsOf(queueName: string, count: number): Promise<string[]> {
  const queue = storage().service.getQueueClient(queueName);
  const texts: string[] = [];
  await until(
    async () => {
      const { receivedMessageItems } = await queue.receiveMessages({ numberOfMessages: 32 }).catch(() => ({
        receivedMessageItems: [],
      }));
      for (const { messageText } of receivedMessageItems) texts.push(Buffer.from(messageText, "base64").toString());
      return texts;
    },
    ({ length }) => length >= count,
  );
  return texts;
}

it("hands a message to its function with its metadata, and deletes it (docs: Azure Queue storage trigger)", async () => {
  const app = await startApp();
  await send(storage().service, { n: 1, silent: true });
  const { seen } = await seenBy(app, (each) => each.seen.length > 0);
  const queue = storage().service.getQueueClient(storage().orders);
  const left = await until(
    async () => (await queue.getProperties()).approximateMessagesCount,
    (count) => count === 0,
  );

  expect(seen).toMatchObject([{ order: { n: 1 }, dequeueCount: 1, queueTrigger: { n: 1 }, id: "string" }]);
  expect(Date.parse(seen[0]?.insertionTime ?? "")).not.toBeNaN();
  expect(left).toBe(0);
});

it("puts what an HTTP function gives on a queue, which it makes when it is missing (docs: Azure Queue storage output binding)", async () => {
  const app = await startApp();
  await app.request("POST", "/order", { body: JSON.stringify({ n: 7 }) });
  const { seen } = await seenBy(app, (each) => each.seen.length > 0);
  const receipts = await textsOf(`${storage().orders}-receipts`, 1);

  expect(seen).toMatchObject([{ order: { n: 7 } }]);
  expect(receipts.map((text) => JSON.parse(text) as unknown)).toEqual([{ n: 7, taken: true }]);
});

it("makes a message of each element of an array (docs: Azure Queue storage output binding, usage)", async () => {
  await startApp();
  await send(storage().service, { n: 3, lines: ["a", "b", "c"] });
  const receipts = await textsOf(`${storage().orders}-receipts`, 3);

  expect(receipts.map((text) => JSON.parse(text) as unknown)).toEqual(
    expect.arrayContaining(["a", "b", "c"].map((line) => ({ n: 3, line }))),
  );
});

it("tries a message five times and then moves it to the poison queue (docs: Azure Queue storage trigger, poison messages)", async () => {
  const app = await startApp();
  await send(storage().service, { n: 13, fails: true });
  const { seen, lost } = await seenBy(app, (each) => each.lost.length > 0);

  expect(seen.map(({ dequeueCount }) => dequeueCount)).toEqual([1, 2, 3, 4, 5]);
  expect(lost).toEqual([{ n: 13, fails: true }]);
  await app.said(
    new RegExp(`Message has reached MaxDequeueCount of 5\\. Moving message to queue '${storage().orders}-poison'\\.`),
  );
});

it("moves a text that is no Base64 to the poison queue at once (docs: Azure Queue storage trigger, encoding)", async () => {
  const poison = storage().service.getQueueClient(`${storage().orders}-poison`);
  const app = await startApp({ "AzureWebJobs.lostOrder.Disabled": "true" });
  await send(storage().service, "not base64!");
  const moved = await until(
    async () => (await poison.receiveMessages().catch(() => ({ receivedMessageItems: [] }))).receivedMessageItems,
    ({ length }) => length > 0,
  );
  const { seen } = await seenBy(app, () => true);

  expect(moved.map(({ messageText }) => messageText)).toEqual(["not base64!"]);
  expect(seen).toEqual([]);
});

it("takes texts as they are where host.json says so (docs: Azure Queue storage bindings, messageEncoding)", async () => {
  const app = await startApp({ AzureFunctionsJobHost__extensions__queues__messageEncoding: "none" });
  await send(storage().service, JSON.stringify({ n: 5 }));
  const { seen } = await seenBy(app, (each) => each.seen.length > 0);

  expect(seen).toMatchObject([{ order: { n: 5 } }]);
});

it("runs at most batchSize and newBatchThreshold messages at a time (docs: Azure Queue storage bindings, host.json settings)", async () => {
  const orders = Array.from({ length: 20 }, (_each, n) => ({ n, waitMs: 50, silent: true }));
  await send(storage().service, ...orders);
  const app = await startApp();
  const { most } = await seenBy(app, ({ seen }) => seen.length === 20);

  expect(most).toBeGreaterThan(2);
  expect(most).toBeLessThanOrEqual(4 + 2);
});

it("keeps a message hidden for visibilityTimeout after a failure (docs: Azure Queue storage bindings, visibilityTimeout)", async () => {
  const app = await startApp({ AzureFunctionsJobHost__extensions__queues__visibilityTimeout: "00:10:00" });
  await send(storage().service, { n: 1, fails: true }, { n: 2, silent: true });
  await app.said(/Executed 'Functions\.takeOrder' \(Failed/);
  await send(storage().service, { n: 3, silent: true });
  const { seen } = await seenBy(app, (each) => each.seen.length >= 3);

  expect(seen.map(({ order }) => order.n).sort()).toEqual([1, 2, 3]);
});

it("says when a function begins and why (azure-webjobs-sdk, QueueTriggerParameterDescriptor)", async () => {
  const app = await startApp();
  await send(storage().service, { n: 1, silent: true });

  expect(
    await app.said(
      new RegExp(
        `Executing 'Functions\\.takeOrder' \\(Reason='New queue message detected on '${storage().orders}'\\.', Id=`,
      ),
    ),
  ).toBeTruthy();
  expect(await app.said(/Trigger Details: MessageId: [0-9a-f-]{36}, DequeueCount: 1, InsertedOn: /)).toBeTruthy();
});

it("finishes the message under way when it is stopped, and leaves the others (docs: Azure Queue storage trigger, concurrency)", async () => {
  const app = await startApp();
  await send(storage().service, { n: 1, waitMs: 400, silent: true });
  await app.said(/Executing 'Functions\.takeOrder'/);
  const code = await app.kill("SIGTERM");
  const { approximateMessagesCount } = await storage().service.getQueueClient(storage().orders).getProperties();

  expect(code).toBe(0);
  expect(approximateMessagesCount).toBe(0);
});

it("names the setting that a queue's connection lacks (docs: Azure Functions developer guide, connections)", async () => {
  const app = TestApp.launch("storage-queue", { env: { ORDERS: "orders", AzureWebJobsStorage: "" } });
  const code = await app.exit();

  expect(code).toBe(1);
  expect(app.log).toContain("needs the setting 'AzureWebJobsStorage' (a storage connection string)");
});
