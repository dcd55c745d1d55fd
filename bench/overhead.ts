import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { ServiceBusClient } from "@azure/service-bus";
import { DEMO_ORG, JOB_QUEUE } from "../local/stack/constants";
import { prepareDemoOrganization } from "../local/stack/demo-organization";
import { setQuota } from "../local/stack/quota";
import { StackSession } from "../local/stack/session";
import { Stack } from "../local/stack/stack";
import { percentile } from "./http-load";
import { BareLoop } from "./overhead-bare";
import { countPath } from "./overhead-path";
import type { BenchReport } from "./report";

const MESSAGES = 60;
/** Without a warm-up the compiler's work and the first connections would be measured. */
const WARM_UP = 10;
/** More than this much between the halves of one run, and the machine was busy with something else. */
const NOISE = 0.25;
const PUT_TIMEOUT_SECONDS = 30;

const BUILD_FOLDER = dirname(__dirname);

interface RuleState {
  readonly calls: readonly { readonly atMs: number; readonly subject: string }[];
}

/** A running stack in which no VM ever comes up, so that each message needs one of its own. */
export interface OverheadBench {
  readonly stack: Stack;
  readonly session: StackSession;
  readonly bus: ServiceBusClient;
}

/** From a message's send to the arrival of its VM's PUT at Azure: Corral's way, beside a bare loop of the same clients in the same run. */
export async function benchOverhead(log: (line: string) => void): Promise<BenchReport> {
  const dataFolder = mkdtempSync(join(tmpdir(), "corral-bench-"));
  const stack = await Stack.start({
    buildFolder: BUILD_FOLDER,
    appFolder: process.cwd(),
    dataFolder,
    // Slow enough that the machines stay in creation for the length of the run.
    speed: 0.02,
    port: 0,
    settings: { CLEANUP_SCHEDULE: "0 0 0 1 1 *", CREATE_DEADLINE_SECONDS: "86400" },
    log,
  });
  const session = new StackSession(stack.facts);
  const bus = new ServiceBusClient(stack.facts.serviceBus);
  try {
    const cores = { cores: 10_000, lowPriorityCores: 10_000, StandardNCASv3_T4Family: 10_000 };
    await setQuota(session.http, stack.facts, cores);
    await prepareDemoOrganization(session, {
      appFolder: process.cwd(),
      facts: stack.facts,
      settings: { limits: { machines: 1000 } },
    });
    return await measure({ stack, session, bus }, log);
  } finally {
    await bus.close();
    session.close();
    await stack.close();
    rmSync(dataFolder, { recursive: true, force: true });
  }
}

async function measure(bench: OverheadBench, log: (line: string) => void): Promise<BenchReport> {
  const { stack, session, bus } = bench;
  const put = await PutWatch.arm(bench);
  const bare = await BareLoop.open(bench, readFileSync(stack.facts.caFile, "utf8"));
  const sender = bus.createSender(JOB_QUEUE);
  const corralMs: number[] = [];
  const bareMs: number[] = [];
  for (let index = 0; index < WARM_UP + MESSAGES; index += 1) {
    const sentAt = performance.timeOrigin + performance.now();
    await sender.sendMessages({ body: benchJob(`bench-${index}`) });
    const corral = (await put.next()) - sentAt;
    const startedAt = performance.timeOrigin + performance.now();
    await bare.send(index);
    const plain = (await put.next()) - startedAt;
    if (index < WARM_UP) continue;
    corralMs.push(corral);
    bareMs.push(plain);
    if (index % 10 === 9) log(`${index + 1 - WARM_UP} of ${MESSAGES} messages`);
  }
  const path = await countPath(bench, put, async (jobId) => {
    await sender.sendMessages({ body: benchJob(jobId) });
  });
  await bare.close();
  await put.disarm();
  session.close();
  const corral = { p50Ms: round(percentile(corralMs, 0.5)), p99Ms: round(percentile(corralMs, 0.99)) };
  const plain = { p50Ms: round(percentile(bareMs, 0.5)), p99Ms: round(percentile(bareMs, 0.99)) };
  return {
    result: { corral, bare: plain, ratioP50: round(corral.p50Ms / plain.p50Ms), ...path },
    notes: noiseOf(corralMs, bareMs),
  };
}

export function benchJob(jobId: string): object {
  return {
    org: DEMO_ORG,
    jobId,
    image: "docker.io/library/node:24",
    command: ["true"],
    vmSizes: ["Standard_NC4as_T4_v3"],
  };
}

const round = (value: number): number => Math.round(value * 100) / 100;

function noiseOf(...series: readonly (readonly number[])[]): string[] {
  const isNoisy = series.some((values) => {
    const half = Math.floor(values.length / 2);
    const [early, late] = [percentile(values.slice(0, half), 0.5), percentile(values.slice(half), 0.5)];
    return Math.abs(early - late) / Math.min(early, late) > NOISE;
  });
  return isNoisy ? ["The machine was too noisy to tell: the halves of this run differ by more than a quarter."] : [];
}

/** Tells when the next PUT of a VM reached the simulator of ARM, by its own clock, which is this computer's. */
export class PutWatch {
  private seen = 0;

  private constructor(
    private readonly bench: OverheadBench,
    private readonly id: string,
  ) {}

  static async arm(bench: OverheadBench): Promise<PutWatch> {
    const rule = {
      service: "arm",
      operation: "^PUT Microsoft.Compute/virtualMachines$",
      stage: "before",
      times: 1_000_000,
      action: { kind: "watch" },
    };
    const { id } = (await bench.session.http.expect({
      method: "POST",
      url: `${bench.stack.facts.faultsUrl}/rules`,
      json: rule,
    })) as { id: string };
    return new PutWatch(bench, id);
  }

  async next(): Promise<number> {
    this.seen += 1;
    const rule = `${this.bench.stack.facts.faultsUrl}/rules/${this.id}`;
    const { http } = this.bench.session;
    await http.expect({
      method: "GET",
      url: `${rule}/hits?atLeast=${this.seen}&timeoutSeconds=${PUT_TIMEOUT_SECONDS}`,
    });
    const { calls } = (await http.expect({ method: "GET", url: rule })) as RuleState;
    return calls[this.seen - 1]?.atMs ?? Number.NaN;
  }

  async disarm(): Promise<void> {
    await this.bench.session.http.expect({
      method: "DELETE",
      url: `${this.bench.stack.facts.faultsUrl}/rules/${this.id}`,
    });
  }
}
