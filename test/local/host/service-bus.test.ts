import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { ServiceBusClient } from "@azure/service-bus";
import type { ServiceBusMessage } from "@azure/service-bus";
import { FaultPlan } from "../../../local/faults/fault-plan";
import { startServiceBus } from "../../../local/service-bus/service-bus";
import type { ServiceBusServer } from "../../../local/service-bus/service-bus";
import { TestApp, endAppsAfterEach, until } from "./support";

interface Seen {
  readonly message: { readonly n: number };
  readonly messageId: string;
  readonly deliveryCount: number;
}

// Apps end before their broker does.
endAppsAfterEach();

let folder: string;
let dataFile: string;
let broker: ServiceBusServer;
let client: ServiceBusClient | undefined;

function startBroker(port: number): Promise<ServiceBusServer> {
  const queues = [{ name: "jobs", maxDeliveryCount: 2, lockSeconds: 5 }];
  const keys = [{ name: "RootManageSharedAccessKey", value: "a2V5LWZvci10ZXN0cw==" }] as const;
  return startServiceBus({ port, dataFile, queues, keys, faults: new FaultPlan(), log: () => undefined });
}

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), "corral-bus-"));
  dataFile = join(folder, "bus.sqlite");
  broker = await startBroker(0);
});
afterEach(async () => {
  await client?.close();
  client = undefined;
  await broker.close();
  rmSync(folder, { recursive: true });
});
async function send(...messages: ServiceBusMessage[]): Promise<void> {
  client ??= new ServiceBusClient(broker.connectionString, {
    retryOptions: { timeoutInMs: 5_000, retryDelayInMs: 300, maxRetries: 20 },
  });
  await client.createSender("jobs").sendMessages(messages);
}

function startApp(): Promise<TestApp> {
  return TestApp.start("queue", { env: { QUEUE: "jobs", Bus: broker.connectionString } });
}

async function seenBy(app: TestApp, count: number): Promise<Seen[]> {
  return until(
    async () => (await app.json("/seen")) as Seen[],
    (seen) => seen.length >= count,
  );
}

it("hands each message to the function and completes it", async () => {
  const app = await startApp();
  await send(...[1, 2, 3].map((n) => ({ body: { n }, messageId: `m${n}` })));
  const seen = await seenBy(app, 3);
  const { active } = await until(
    () => broker.counts("jobs"),
    (counts) => counts.active === 0,
  );

  expect(
    seen
      .map(({ message, messageId, deliveryCount }) => ({ n: message.n, messageId, deliveryCount }))
      .sort((a, b) => a.n - b.n),
  ).toEqual([
    { n: 1, messageId: "m1", deliveryCount: 1 },
    { n: 2, messageId: "m2", deliveryCount: 1 },
    { n: 3, messageId: "m3", deliveryCount: 1 },
  ]);
  expect(active).toBe(0);
});

it("gives a message back whose function throws, until the queue parks it", async () => {
  const app = await startApp();
  await send({ body: { n: 1, fails: true }, messageId: "poison" });
  const counts = await until(
    () => broker.counts("jobs"),
    ({ deadLetter }) => deadLetter === 1,
  );
  const seen = await seenBy(app, 2);

  expect(counts.active).toBe(0);
  expect(seen.map(({ deliveryCount }) => deliveryCount)).toEqual([1, 2]);
});

it("goes on pumping when the broker was restarted", async () => {
  const app = await startApp();
  await send({ body: { n: 1 }, messageId: "before" });
  await seenBy(app, 1);
  const { port } = broker;
  await client?.close();
  client = undefined;
  await broker.close();
  broker = await startBroker(port);
  await send({ body: { n: 2 }, messageId: "after" });
  const seen = await seenBy(app, 2);

  expect(seen.map(({ messageId }) => messageId)).toEqual(["before", "after"]);
});

it("stops with 0 while its queue is quiet", async () => {
  const app = await startApp();
  await send({ body: { n: 1 } });
  await seenBy(app, 1);
  const code = await app.kill("SIGTERM");

  expect(code).toBe(0);
});

it("refuses to start without its connection", async () => {
  const app = TestApp.launch("queue", { env: { QUEUE: "jobs" } });
  const code = await app.exit();

  expect(code).toBe(1);
  expect(app.log).toContain("Function 'onMessage' needs the setting 'Bus'");
});
