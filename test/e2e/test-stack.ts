import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { ServiceBusClient } from "@azure/service-bus";
import { DEMO_ORG, JOB_QUEUE } from "../../local/stack/constants";
import { prepareDemoOrganization } from "../../local/stack/demo-organization";
import { type Quota, setQuota } from "../../local/stack/quota";
import { StackSession } from "../../local/stack/session";
import { Stack } from "../../local/stack/stack";
import { type Snapshot, TERMINAL, Watch, type WatchedJob } from "../../local/stack/watch";

const ROOT = resolve(__dirname, "..", "..");
const BUILD_FOLDER = resolve(ROOT, process.env["CORRAL_BUILD"] ?? "dist");
const LOOK_EVERY_MS = 100;
const RETRY = { retryOptions: { timeoutInMs: 5_000, retryDelayInMs: 300, maxRetries: 20 } };

export interface TestStackOptions {
  readonly speed?: number;
  readonly quota?: Quota;
  readonly organization?: Readonly<Record<string, unknown>>;
  readonly settings?: Readonly<Record<string, string>>;
}

/** A rule of the fault plan, as its HTTP interface takes it. */
export interface FaultRule {
  readonly service: string;
  readonly operation?: string;
  readonly subject?: string;
  readonly stage: "before" | "after" | "operation";
  readonly skip?: number;
  readonly times?: number;
  readonly action: object;
}

/** The whole embedded stack in a folder of its own, with the demo organization, for one test file. */
export class TestStack {
  readonly folder: string;
  /** The default volume of the demo organization. */
  readonly artifactsUrl: string;
  private readonly bus: ServiceBusClient;

  private constructor(
    readonly stack: Stack,
    readonly session: StackSession,
    { folder, artifactsUrl }: { folder: string; artifactsUrl: string },
  ) {
    this.folder = folder;
    this.artifactsUrl = artifactsUrl;
    this.bus = new ServiceBusClient(stack.facts.serviceBus, RETRY);
  }

  static async start(options: TestStackOptions = {}): Promise<TestStack> {
    const folder = mkdtempSync(join(tmpdir(), "corral-e2e-"));
    const stack = await Stack.start({
      buildFolder: BUILD_FOLDER,
      appFolder: ROOT,
      dataFolder: folder,
      speed: options.speed ?? 200,
      port: 0,
      settings: { CLEANUP_SCHEDULE: "* * * * * *", WORK_POLL_SECONDS: "0.1", ...options.settings },
      log: () => undefined,
    });
    const session = new StackSession(stack.facts);
    const quota = { cores: 100, lowPriorityCores: 100, StandardNCASv3_T4Family: 100, ...options.quota };
    await setQuota(session.http, stack.facts, quota);
    const idle = { beforeFirstJobSeconds: 20, afterJobSeconds: 0, windowSeconds: 1 };
    const { artifactsUrl } = await prepareDemoOrganization(session, {
      appFolder: ROOT,
      facts: stack.facts,
      settings: { idle, ...options.organization },
    });
    return new TestStack(stack, session, { folder, artifactsUrl });
  }

  async close(): Promise<void> {
    await this.bus.close();
    this.session.close();
    await this.stack.close();
    rmSync(this.folder, { recursive: true, force: true });
  }

  /** Sends bodies as messages of their own: strings as the bytes they are, all else as JSON. */
  async send(...bodies: readonly unknown[]): Promise<void> {
    const sender = this.bus.createSender(JOB_QUEUE);
    await Promise.all(
      bodies.map((body) =>
        sender.sendMessages({ body: Buffer.from(typeof body === "string" ? body : JSON.stringify(body)) }),
      ),
    );
    await sender.close();
  }

  async look(): Promise<Snapshot> {
    return new Watch(this.session, () => undefined).look();
  }

  /** Looks until the condition holds; the API may be down meanwhile. Fails with what was seen last. */
  async until(
    what: string,
    condition: (snapshot: Snapshot) => boolean | Promise<boolean>,
    { timeoutMs = 60_000, everyMs = LOOK_EVERY_MS } = {},
  ): Promise<Snapshot> {
    const endsAt = Date.now() + timeoutMs;
    let seen = "nothing";
    while (Date.now() < endsAt) {
      try {
        const snapshot = await this.look();
        if (await condition(snapshot)) return snapshot;
        seen = JSON.stringify(snapshot);
      } catch (error) {
        seen = String(error);
      }
      await new Promise((resolve) => setTimeout(resolve, everyMs));
    }
    throw new Error(`not within ${timeoutMs} ms: ${what}; last seen: ${seen.slice(0, 4000)}`);
  }

  /** Until the jobs are terminal and no machine is left. */
  async settled(jobIds: readonly string[]): Promise<WatchedJob[]> {
    const isDone = ({ jobs, machines }: Snapshot) =>
      jobIds.every((id) => jobs.some(({ jobId, state }) => jobId === id && TERMINAL.has(state))) &&
      machines.every(({ state }) => state === "Deleted");
    const { jobs } = await this.until(`jobs ${jobIds.join(", ")} end and machines go`, isDone);
    return jobIds.flatMap((id) => jobs.filter(({ jobId }) => jobId === id));
  }

  async arm(rule: FaultRule): Promise<string> {
    const { id } = (await this.faults("POST", "/rules", rule)) as { id: string };
    return id;
  }

  async disarm(id: string): Promise<void> {
    await this.faults("DELETE", `/rules/${id}`);
  }

  /** Waits until the rule has bitten. */
  async hit(id: string): Promise<void> {
    await this.faults("GET", `/rules/${id}/hits?atLeast=1&timeoutSeconds=25`);
  }

  /** VMs, NICs and disks that are in Azure. */
  machineParts(): Promise<string[]> {
    return this.inventory(/virtualmachines|disks|networkinterfaces/i);
  }

  vms(): Promise<string[]> {
    return this.inventory(/virtualmachines/i);
  }

  private async inventory(types: RegExp): Promise<string[]> {
    const { value } = (await this.portal("GET", "/inventory")) as { value: { id: string; type: string }[] };
    return value.filter(({ type }) => types.test(type)).map(({ id }) => id);
  }

  portal(method: string, path: string, json?: unknown): Promise<unknown> {
    return this.session.http.expect({ method, url: this.stack.facts.portalUrl + path, json });
  }

  ledger(): Promise<unknown> {
    return this.session.api("GET", `/api/orgs/${DEMO_ORG}/ledger`);
  }

  private faults(method: string, path: string, json?: unknown): Promise<unknown> {
    return this.session.http.expect({ method, url: this.stack.facts.faultsUrl + path, json });
  }
}

/** A job of the demo organization that runs a line of JavaScript. */
export function nodeJob(jobId: string, script: string, more: object = {}): object {
  return {
    org: DEMO_ORG,
    jobId,
    image: "docker.io/library/node:24",
    command: ["node", "-e", script],
    gpuTypes: ["T4"],
    vmSizes: ["Standard_NC4as_T4_v3"],
    maxDurationMinutes: 5,
    ...more,
  };
}
