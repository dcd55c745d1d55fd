import { spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { ServiceBusClient, type ServiceBusSender } from "@azure/service-bus";
import { buildSync } from "esbuild";
import { retryOptions } from "./emulator";

const folder = mkdtempSync(join(tmpdir(), "corral-bus-kill-"));
const program = join(folder, "emulator.cjs");
const children: ChildProcess[] = [];

beforeAll(() => {
  const entryPoints = [join(__dirname, "emulator-process.ts")];
  buildSync({ entryPoints, outfile: program, bundle: true, platform: "node", logLevel: "error" });
});

afterAll(async () => {
  await Promise.all(children.map((child) => kill(child)));
  rmSync(folder, { recursive: true, force: true });
});

async function start(port: number): Promise<{ child: ChildProcess; port: number; connectionString: string }> {
  const child = spawn(process.execPath, [program, join(folder, "bus.sqlite"), String(port)], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  children.push(child);
  const [line] = (await once(createInterface(child.stdout), "line")) as [string];
  return { child, ...(JSON.parse(line) as { port: number; connectionString: string }) };
}

async function kill(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const exited = once(child, "exit");
  child.kill("SIGKILL");
  await exited;
}

/** Sends one after another until told to stop, and notes what was accepted. */
async function sendUntil(sender: ServiceBusSender, state: { stopped: boolean }, accepted: Set<string>): Promise<void> {
  for (let n = 0; !state.stopped; n += 1) {
    const messageId = `m${process.hrtime.bigint()}-${n}`;
    try {
      await sender.sendMessages({ messageId, body: "x".repeat(200) });
      accepted.add(messageId);
    } catch {
      // Not accepted: the broker was down.
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
  }
}

it("loses nothing that it accepted when it is killed under load", async () => {
  let emulator = await start(0);
  // A send that was under way when the broker died is only tried again after this timeout.
  const client = new ServiceBusClient(emulator.connectionString, {
    retryOptions: { ...retryOptions, timeoutInMs: 1500 },
  });
  const [state, accepted] = [{ stopped: false }, new Set<string>()];
  const lanes = Array.from({ length: 4 }, () => sendUntil(client.createSender("jobs"), state, accepted));

  for (const acceptedBefore of [200, 400]) {
    while (accepted.size < acceptedBefore) await new Promise((resolve) => setTimeout(resolve, 5));
    await kill(emulator.child);
    emulator = await start(emulator.port);
  }
  while (accepted.size < 500) await new Promise((resolve) => setTimeout(resolve, 5));
  state.stopped = true;
  await Promise.all(lanes);
  const found = await drain(emulator.connectionString);
  await client.close();

  expect([...accepted].filter((id) => !found.includes(id))).toEqual([]);
  expect(new Set(found).size).toBe(found.length);
});

async function drain(connectionString: string): Promise<string[]> {
  const client = new ServiceBusClient(connectionString, { retryOptions });
  const receiver = client.createReceiver("jobs", { receiveMode: "receiveAndDelete" });
  const found: string[] = [];
  for (;;) {
    const messages = await receiver.receiveMessages(500, { maxWaitTimeInMs: 1000 });
    if (messages.length === 0) break;
    found.push(...messages.map(({ messageId }) => String(messageId)));
  }
  await client.close();
  return found;
}
