import { type ChildProcess, fork } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { eventually, GROUP, startFixture } from "../../local/azure/azure-fixture";
import { closeWire } from "../../local/azure/wire";
import { EngineFixture, HOUR } from "./engine-fixture";
import { gridOf, makeTopic, publisherOf, sample, startGrid, stopGrid, subscribe } from "./grid-fixture";
import { WebhookServer } from "./webhook-server";

describe("the engine after a crash", () => {
  let webhook: WebhookServer;
  let folder: string;
  const children: ChildProcess[] = [];

  beforeEach(async () => {
    webhook = await WebhookServer.start();
    folder = mkdtempSync(join(tmpdir(), "corral-grid-crash-"));
  });
  afterEach(async () => {
    for (const child of children.splice(0)) await kill(child);
    await webhook.close();
    rmSync(folder, { recursive: true, force: true });
  });

  const start = async (...ids: string[]): Promise<ChildProcess> => {
    const args = [join(folder, "grid.sqlite"), webhook.url, ...ids];
    const execArgv = ["-r", join(__dirname, "typescript-hook.cjs")];
    const child = fork(join(__dirname, "engine-process.ts"), args, {
      execArgv,
      stdio: ["ignore", "ignore", "inherit", "ipc"],
    });
    children.push(child);
    await once(child, "message");
    return child;
  };
  const kill = async (child: ChildProcess): Promise<void> => {
    if (child.exitCode !== null || child.signalCode !== null) return;
    child.kill("SIGKILL");
    await once(child, "exit");
  };
  const ids = () => webhook.events.map((event) => String(event["id"]));

  it("delivers after a kill -9 what it had taken and not delivered (docs: Event Grid delivery and retry, at least once; faults-and-invariants F11)", async () => {
    webhook.respond = () => undefined; // takes the request and never answers
    const first = await start("a", "b", "c");
    await eventually(() => ids().length === 3);

    await kill(first);
    webhook.received.length = 0;
    webhook.respond = (_received, response) => response.writeHead(200).end();
    await start();

    await eventually(() => ids().length === 3);
    expect(ids().sort()).toEqual(["a", "b", "c"]);
  });

  it("does not deliver again what was acknowledged before the kill (local: durable acknowledgements)", async () => {
    const first = await start("a", "b");
    await eventually(() => ids().length === 2);
    webhook.respond = () => undefined;

    await kill(first);
    webhook.received.length = 0;
    webhook.respond = (_received, response) => response.writeHead(200).end();
    await start("c");

    await eventually(() => ids().includes("c"));
    // An acknowledgement that was under way may be lost; what was stored is not delivered again.
    expect(ids().length).toBeLessThanOrEqual(3);
    expect(ids().filter((id) => id === "c")).toHaveLength(1);
  });

  it("keeps count of the attempts and the schedule over a restart (docs: Event Grid delivery and retry)", async () => {
    const fixture = new EngineFixture();
    fixture.answer = () => ({ kind: "failed", outcome: "GenericError", retryAfterMs: 0 });
    fixture.publish("one");
    await fixture.clock.pass(45_000);
    const killed = fixture.engine;
    const before = fixture.attempts.length;

    fixture.open();
    await fixture.clock.pass(HOUR);

    const counts = fixture.attempts.slice(before).map(({ count }) => count);
    expect(before).toBe(3);
    expect(Math.min(...counts)).toBe(3);
    await killed.close();
    await fixture.close();
  });
});

describe("the cloud after a restart", () => {
  it("still has topics, keys, subscriptions and their pending events (@azure/arm-eventgrid 14.1.0, @azure/eventgrid 5.12.0)", async () => {
    const fixture = await startGrid({ speed: 100 });
    await makeTopic(fixture, "kept");
    await subscribe(fixture, ["kept", "pending"]);
    const publisher = await publisherOf(fixture, "kept", "EventGrid");
    const keys = await fixture.grid.topics.listSharedAccessKeys(GROUP, "kept");
    fixture.webhook.respond = (_received, response) => response.writeHead(503).end();
    await publisher.send([sample("before the restart")]);
    await eventually(() => fixture.webhook.deliveries.length > 0);
    closeWire(fixture.azure);
    await fixture.azure.close();
    fixture.webhook.received.length = 0;
    fixture.webhook.respond = (_received, response) => response.writeHead(200).end();

    const second = await startFixture({ dataFolder: fixture.folder, speed: 100 });

    await eventually(() => fixture.webhook.events.length > 0);
    expect(fixture.webhook.events[0]).toMatchObject({ subject: "before the restart" });
    expect(Number(fixture.webhook.deliveries[0]?.headers["aeg-delivery-count"])).toBeGreaterThan(0);
    expect(await gridOf(second).topics.listSharedAccessKeys(GROUP, "kept")).toEqual(keys);
    await stopGrid({ ...fixture, ...second });
  });
});
