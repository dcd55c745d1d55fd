import { fork } from "node:child_process";
import type { ChildProcess } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Stack } from "../local/stack/stack";
import { percentile, runLoad } from "./http-load";
import type { LoadResult } from "./http-load";
import type { BenchReport } from "./report";
import { statsOf } from "./process-stats";

const ACTIVITIES = 5;
const AT_ONCE = 50;
const ORCHESTRATIONS = 2_000;
const REQUESTS = 4_000;
/** Without a warm-up the compiler's work would be counted instead of the host's. */
const WARM_UP = 300;
/** More than this much between the halves of one run, and the machine was busy with something else. */
const NOISE = 0.25;

const built = join(__dirname, "..");

/** The apps are not compiled: they lie in the sources, where the benchmark is started. */
const root = process.cwd();

interface Server {
  readonly child: ChildProcess;
  readonly port: number;
  readonly pid: number;
}

/** Orchestrations of five activities in a row, and plain HTTP functions, on the embedded host, each commit on disk. */
export async function benchHost(log: (line: string) => void): Promise<BenchReport> {
  const dataFolder = mkdtempSync(join(tmpdir(), "corral-bench-"));
  const stack = await Stack.start({
    buildFolder: built,
    appFolder: join(root, "test", "apps", "flow"),
    dataFolder,
    speed: 1,
    port: 0,
    log,
  });
  const bare = await start(join(built, "bench", "bare-server.js"));
  try {
    return await measure({ stack, bare }, log);
  } finally {
    await end(bare);
    await stack.close();
    rmSync(dataFolder, { recursive: true, force: true });
  }
}

async function measure(
  { stack, bare }: { stack: Stack; bare: Server },
  log: (line: string) => void,
): Promise<BenchReport> {
  const host = { port: Number(new URL(stack.hostUrl).port), pid: stack.pids.host };
  const orchestrate = (total: number): Promise<LoadResult> =>
    runLoad({
      port: host.port,
      method: "POST",
      path: "/runtime/webhooks/durabletask/orchestrators/fiveSteps?timeout=60",
      total,
      atOnce: AT_ONCE,
    });
  const get = (port: number, path: string, total: number): Promise<LoadResult> =>
    runLoad({ port, method: "GET", path, total, atOnce: AT_ONCE });
  log("warming up");
  await orchestrate(WARM_UP);
  await get(host.port, "/api/hello", WARM_UP);
  await get(bare.port, "/", WARM_UP);
  log(`${ORCHESTRATIONS} orchestrations of ${ACTIVITIES} activities, ${AT_ONCE} at once`);
  const cpuBefore = statsOf(host.pid).cpuSeconds;
  const halves = [await orchestrate(ORCHESTRATIONS / 2), await orchestrate(ORCHESTRATIONS / 2)];
  const cpuSeconds = statsOf(host.pid).cpuSeconds - cpuBefore;
  const seconds = halves.reduce((total, half) => total + half.seconds, 0);
  log(`${REQUESTS} HTTP requests to a function, and to a bare server`);
  const http = await get(host.port, "/api/hello", REQUESTS);
  const bareHttp = await get(bare.port, "/", REQUESTS);
  const latencies = halves.flatMap(({ latenciesMs }) => latenciesMs);
  const result = {
    orchestrationsPerCpuSecond: Math.round(ORCHESTRATIONS / cpuSeconds),
    orchestrationsPerSecond: Math.round(ORCHESTRATIONS / seconds),
    activitiesPerSecond: Math.round((ORCHESTRATIONS * ACTIVITIES) / seconds),
    httpPerSecond: Math.round(REQUESTS / http.seconds),
    bareHttpPerSecond: Math.round(REQUESTS / bareHttp.seconds),
    peakRssMb: { host: peakOf(stack.pids.host), cloud: peakOf(stack.pids.cloud) },
  };
  const notes = [
    `one orchestration, ${AT_ONCE} at once: p50 ${percentile(latencies, 0.5).toFixed(0)} ms, p99 ${percentile(latencies, 0.99).toFixed(0)} ms`,
    "the cloud runs beside the host with all its parts; this app gives it nothing to do",
    ...noiseNotes(halves),
  ];
  return { result, notes };
}

const peakOf = (pid: number): number => Math.round(statsOf(pid).peakRssMb);

function noiseNotes([first, second]: readonly LoadResult[]): string[] {
  if (!first || !second) return [];
  const difference = Math.abs(first.seconds - second.seconds) / Math.max(first.seconds, second.seconds);
  return difference > NOISE
    ? [
        `the halves of the run differ by ${Math.round(difference * 100)} %: the machine was too noisy, trust only the rate per CPU-second`,
      ]
    : [];
}

async function start(script: string): Promise<Server> {
  const child = fork(script, [], { stdio: ["ignore", "ignore", "pipe", "ipc"] });
  const { promise, resolve, reject } = Promise.withResolvers<number>();
  let output = "";
  child.stderr?.on("data", (chunk: Buffer) => (output = `${output}${chunk.toString()}`.slice(-4_000)));
  child.once("message", (message) => resolve((message as { port: number }).port));
  child.once("exit", (code) =>
    reject(new Error(`${script} ended with ${code ?? "a signal"} before it was ready:\n${output}`)),
  );
  const port = await promise;
  return { child, port, pid: child.pid ?? 0 };
}

async function end({ child }: Server): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<undefined>();
  child.once("exit", () => resolve(undefined));
  child.kill("SIGTERM");
  await promise;
}
