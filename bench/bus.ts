import { fork } from "node:child_process";
import type { ChildProcess } from "node:child_process";
import { join } from "node:path";
import { ServiceBusClient } from "@azure/service-bus";
import type { ServiceBusSender } from "@azure/service-bus";
import { statsOf } from "./process-stats";
import type { BenchReport } from "./report";

const MESSAGES = 6_000;
/** Without a warm-up the compiler's work would be counted instead of the broker's. */
const WARM_UP = 1_500;
const AT_ONCE = 50;
const BODY = "x".repeat(200);
const retryOptions = { timeoutInMs: 10_000, retryDelayInMs: 300, maxRetries: 5 };

interface Broker {
  readonly child: ChildProcess;
  readonly client: ServiceBusClient;
}

/** One Service Bus client against the emulator, each message on disk, and against a bare AMQP server that accepts every send. */
export async function benchBus(log: (line: string) => void): Promise<BenchReport> {
  const bare = await start("bare-amqp-echo.js");
  const bus = await start("bus-emulator.js");
  try {
    log("warming up");
    await measureSends(bare, WARM_UP);
    await measureSends(bus, WARM_UP);
    await measureReceives(bus, WARM_UP);
    log(`${MESSAGES} sends of ${BODY.length} bytes, ${AT_ONCE} at once, to a bare AMQP server`);
    const bareSendPerSecond = await measureSends(bare, MESSAGES);
    log(`${MESSAGES} sends and receives, ${AT_ONCE} at once, on the emulator`);
    const cpuBefore = statsOf(bus.child.pid ?? 0).cpuSeconds;
    const sendPerSecond = await measureSends(bus, MESSAGES);
    const receivePerSecond = await measureReceives(bus, MESSAGES);
    const { cpuSeconds, peakRssMb } = statsOf(bus.child.pid ?? 0);
    return {
      result: { sendPerSecond, receivePerSecond, bareSendPerSecond },
      notes: [
        `the emulator used ${(((cpuSeconds - cpuBefore) * 1e6) / MESSAGES).toFixed(0)} microseconds of processor time for a message sent, received and completed, and ${Math.round(peakRssMb)} MB at most`,
        "client and server share this machine's processors",
      ],
    };
  } finally {
    await end(bare);
    await end(bus);
  }
}

async function measureSends({ client }: Broker, total: number): Promise<number> {
  const sender = client.createSender("bench");
  const startedAt = performance.now();
  let left = total;
  const lane = async (own: ServiceBusSender) => {
    while (left-- > 0) await own.sendMessages({ body: BODY });
  };
  await Promise.all(Array.from({ length: AT_ONCE }, () => lane(sender)));
  const perSecond = Math.round(total / ((performance.now() - startedAt) / 1000));
  await sender.close();
  return perSecond;
}

/** Each message is completed, and counted when that was acknowledged. */
async function measureReceives({ client }: Broker, total: number): Promise<number> {
  const receiver = client.createReceiver("bench");
  const { promise, resolve, reject } = Promise.withResolvers<undefined>();
  const startedAt = performance.now();
  let completed = 0;
  receiver.subscribe(
    {
      processMessage: async (message) => {
        await receiver.completeMessage(message);
        completed += 1;
        if (completed === total) resolve(undefined);
      },
      processError: ({ error }) => {
        reject(error);
        return Promise.resolve();
      },
    },
    { autoCompleteMessages: false, maxConcurrentCalls: AT_ONCE },
  );
  await promise;
  const perSecond = Math.round(total / ((performance.now() - startedAt) / 1000));
  await receiver.close();
  return perSecond;
}

async function start(script: string): Promise<Broker> {
  const child = fork(join(__dirname, script), [], { stdio: ["ignore", "ignore", "pipe", "ipc"] });
  const { promise, resolve, reject } = Promise.withResolvers<string>();
  let output = "";
  child.stderr?.on("data", (chunk: Buffer) => (output = `${output}${chunk.toString()}`.slice(-4_000)));
  child.once("message", (message) => resolve((message as { connectionString: string }).connectionString));
  child.once("exit", (code) =>
    reject(new Error(`${script} ended with ${code ?? "a signal"} before it was ready:\n${output}`)),
  );
  return { child, client: new ServiceBusClient(await promise, { retryOptions }) };
}

async function end({ child, client }: Broker): Promise<void> {
  await client.close();
  const { promise, resolve } = Promise.withResolvers<undefined>();
  child.once("exit", () => resolve(undefined));
  child.kill("SIGTERM");
  await promise;
}
