import { type AddressInfo, createServer } from "node:net";
import fc from "fast-check";
import { eventually, GROUP } from "../../local/azure/azure-fixture";
import { send } from "../../local/azure/wire";
import { type GridFixture, makeTopic, publisherOf, sample, startGrid, stopGrid, subscribe } from "./grid-fixture";

const TIMEOUT_MS = 300;

let fixture: GridFixture;
let topics = 0;
let topic = "";

beforeAll(async () => {
  fixture = await startGrid({ speed: 200, eventGrid: { responseTimeoutMs: TIMEOUT_MS } });
});
afterAll(() => stopGrid(fixture));
beforeEach(async () => {
  topic = `hostile-${(topics += 1)}`;
  await makeTopic(fixture, topic);
  fixture.webhook.received.length = 0;
  fixture.webhook.respond = (_received, response) => response.writeHead(200).end();
});

const publish = async (...subjects: string[]) =>
  (await publisherOf(fixture, topic, "EventGrid")).send(subjects.map((one) => sample(one)));
const statusOf = async () => {
  const { value } = (await (await fetch(`${fixture.azure.portalUrl}/event-grid`)).json()) as {
    value: { subscription: string; failed: number; delivered: number; pending: number }[];
  };
  return value.find(({ subscription }) => subscription.includes(`/${topic}/`));
};

it("answers any request at a topic's endpoint with 200 or with a documented error (fuzz; docs: Post to custom topic)", async () => {
  const { endpoint = "" } = await fixture.grid.topics.get(GROUP, topic);
  const { key1 = "" } = await fixture.grid.topics.listSharedAccessKeys(GROUP, topic);
  const { pathname } = new URL(endpoint);
  const event = fc.record(
    {
      id: fc.oneof(fc.string(), fc.integer()),
      subject: fc.string(),
      eventType: fc.string(),
      eventTime: fc.oneof(
        fc.date({ noInvalidDate: true }).map((date) => date.toISOString()),
        fc.string(),
      ),
      data: fc.anything(),
      dataVersion: fc.oneof(fc.string(), fc.boolean()),
      topic: fc.option(fc.string()),
      specversion: fc.constantFrom("1.0", "0.3"),
      source: fc.string(),
      type: fc.string(),
    },
    { requiredKeys: [] },
  );
  const text = fc.oneof(
    fc.string(),
    fc.array(event).map((events) => JSON.stringify(events)),
    fc.json(),
    fc.constantFrom("[", '"', "[".repeat(5000), '[{"id":"\\ud800"}]', "null"),
  );
  const header = fc.constantFrom<Record<string, string>>(
    { "aeg-sas-key": key1 },
    { "aeg-sas-key": "x" },
    { "aeg-sas-token": "r=%zz&e=1&s=%" },
    { Authorization: "Bearer a.b.c" },
    { Authorization: "SharedAccessSignature r=a&e=b&s=c" },
    { "aeg-sas-key": key1, "Content-Type": "application/cloudevents+json" },
    { "aeg-sas-key": key1, "ce-specversion": "1.0", "ce-id": "%" },
    {},
  );
  const query = fc.constantFrom("", "?api-version=2018-01-01", "?api-version=1999-01-01", "?api-version=%zz");
  const method = fc.constantFrom("POST", "POST", "POST", "GET", "PUT", "DELETE");

  await fc.assert(
    fc.asyncProperty(fc.record({ text, headers: header, query, method }), async ({ query: asked, ...request }) => {
      // Node's client writes no length for a DELETE, and the body would be taken for the next request.
      const headers = { ...request.headers, "Content-Length": String(Buffer.byteLength(request.text)) };
      const reply = await send(fixture, { ...request, headers, path: `${pathname}${asked}` });

      if (reply.status === 200) return;
      expect([400, 401, 403, 405, 413]).toContain(reply.status);
      const { error } = reply.body as { error: { code: string; message: string; details: unknown[] } };
      expect([typeof error.code, typeof error.message, error.details.length]).toEqual(["string", "string", 1]);
    }),
    { numRuns: 200 },
  );
});

it("gives up waiting for a webhook that hangs and tries it again later (docs: Event Grid delivery and retry, 30 seconds)", async () => {
  await subscribe(fixture, [topic, "hanging"]);
  let requests = 0;
  fixture.webhook.respond = (_received, response) => {
    if ((requests += 1) > 1) response.writeHead(200).end();
  };

  const startedAt = performance.now();
  await publish("a");

  await eventually(async () => (await statusOf())?.delivered === 1);
  expect(performance.now() - startedAt).toBeGreaterThan(TIMEOUT_MS);
  expect(await statusOf()).toMatchObject({ failed: 1, pending: 0 });
});

it("reads no endless answer: memory stays, and the try ends (local: bounded memory)", async () => {
  await subscribe(fixture, [topic, "endless"], { retryPolicy: { maxDeliveryAttempts: 2 } });
  let sent = 0;
  fixture.webhook.respond = (_received, response) => {
    response.writeHead(500);
    const chunk = Buffer.alloc(64 * 1024);
    const pour = (): void => {
      while (!response.destroyed && response.write(chunk)) sent += chunk.length;
      if (!response.destroyed) response.once("drain", pour);
    };
    pour();
  };
  const before = process.memoryUsage().rss;

  await publish("a");

  await eventually(async () => (await statusOf())?.pending === 0);
  expect(sent).toBeLessThan(64 * 1024 * 1024);
  expect(process.memoryUsage().rss - before).toBeLessThan(128 * 1024 * 1024);
});

it("follows no redirect, so that no webhook sends events elsewhere (docs: Event Grid delivery and retry, Success codes)", async () => {
  await subscribe(fixture, [topic, "moved"]);
  let answers = 0;
  fixture.webhook.respond = (_received, response) => {
    response.writeHead((answers += 1) === 1 ? 307 : 200, { location: "/elsewhere" }).end();
  };

  await publish("a");

  await eventually(async () => (await statusOf())?.delivered === 1);
  expect(fixture.webhook.received.map(({ path }) => path)).not.toContain("/elsewhere");
  expect(await statusOf()).toMatchObject({ failed: 1 });
});

it("bears webhooks that answer garbage, half an answer, or close at once (fuzz of answers)", async () => {
  const whole = (body: string) =>
    `HTTP/1.1 200 OK\r\nContent-Length: ${body.length}\r\nConnection: close\r\n\r\n${body}`;
  const strange = [
    "",
    "garbage\r\n\r\n",
    "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nabc",
    "HTTP/1.1 999 \r\n\r\n",
    "\0\0\0",
  ];
  let answered = 0;
  const server = createServer((socket) => {
    socket.on("error", () => undefined);
    socket.once("data", (bytes) => {
      const code = /"validationCode":"([^"]*)"/.exec(bytes.toString())?.[1];
      if (code !== undefined) socket.end(whole(JSON.stringify({ validationResponse: code })));
      else socket.end(strange[(answered += 1) - 1] ?? whole(""));
    });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const endpointUrl = `http://127.0.0.1:${(server.address() as AddressInfo).port}/`;
  await subscribe(fixture, [topic, "garbage"], { destination: { endpointType: "WebHook", endpointUrl } });

  await publish("a");

  await eventually(async () => (await statusOf())?.delivered === 1);
  expect(await statusOf()).toMatchObject({ failed: strange.length, pending: 0 });
  await new Promise((resolve) => server.close(resolve));
});

it("does not let one bad endpoint keep another from its events (local: deliveries are independent)", async () => {
  await subscribe(fixture, [topic, "good"]);
  const id = fixture.faults.arm({
    ...{ service: "event-grid", subject: "^bad ", stage: "before", skip: 0, times: 1000 },
    action: { kind: "hold" },
  });
  await subscribe(fixture, [topic, "bad"]);

  await publish(...Array.from({ length: 50 }, (_, at) => `event-${at}`));

  await eventually(
    () => fixture.webhook.deliveries.filter(({ headers }) => headers["aeg-subscription-name"] === "GOOD").length === 50,
  );
  fixture.faults.disarm(id);
});
