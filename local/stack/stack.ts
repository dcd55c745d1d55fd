import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { loadOrCreateCa } from "../tls/certificate-authority";
import { StackProcess } from "./child-process";
import type { CloudFacts, CloudReady, HostAddress } from "./cloud-facts";
import { API_APP_ID, DEPLOYMENT_ID, ESTATE_PREFIX, TENANT_ID } from "./constants";

export interface StackOptions {
  /** Root of the compiled project: `dist`. */
  readonly buildFolder: string;
  /** The Functions app that is hosted: the folder with host.json and package.json. */
  readonly appFolder: string;
  readonly dataFolder: string;
  readonly speed: number;
  /** Port of the API; 0 for a free one. */
  readonly port: number;
  /** Settings of the app that differ from those of the embedded stack. */
  readonly settings?: Readonly<Record<string, string>>;
  readonly log: (line: string) => void;
}

interface HostReady {
  readonly type: "ready";
  readonly port: number;
}

const STOP_TIMEOUT_MS = 20_000;
const RESTART_PAUSE_MS = 200;

/** The two processes of the embedded stack. The host is started again whenever it ends by itself, as the platform would. */
export class Stack {
  private host: StackProcess<HostReady> | undefined;
  private hostPort = 0;
  private isClosing = false;
  private isHostWanted = true;

  private constructor(
    private readonly options: StackOptions,
    private readonly cloud: StackProcess<CloudReady>,
  ) {}

  static async start(options: StackOptions): Promise<Stack> {
    mkdirSync(options.dataFolder, { recursive: true });
    const cloudFolder = join(options.dataFolder, "cloud");
    // Node reads its CAs when a process begins, so the CA has to be there before the cloud, some of whose agents are its threads.
    const { caFile } = await loadOrCreateCa(join(cloudFolder, "azure", "tls"));
    const cloud = await StackProcess.start<CloudReady>({
      script: join(options.buildFolder, "local", "cloud.js"),
      args: ["--data", cloudFolder, "--speed", String(options.speed), "--port", String(options.port)],
      env: { ...process.env, NODE_EXTRA_CA_CERTS: caFile },
      logFile: join(options.dataFolder, "cloud.log"),
    });
    const stack = new Stack(options, cloud);
    try {
      await stack.startHost();
    } catch (error) {
      await cloud.stop(STOP_TIMEOUT_MS);
      throw error;
    }
    return stack;
  }

  get facts(): CloudFacts {
    return this.cloud.ready.facts;
  }

  /** Where the Functions host itself listens, behind the front door. */
  get hostUrl(): string {
    return `http://127.0.0.1:${this.hostPort}`;
  }

  get pids(): { readonly cloud: number; readonly host: number } {
    return { cloud: this.cloud.pid, host: this.host?.pid ?? 0 };
  }

  /** Resolves when the cloud ends, which nothing survives. */
  get cloudEnded(): Promise<string> {
    return this.cloud.ended;
  }

  async startHost(): Promise<void> {
    this.isHostWanted = true;
    const { buildFolder, appFolder, dataFolder } = this.options;
    const host = await StackProcess.start<HostReady>({
      script: join(buildFolder, "local", "host", "main.js"),
      args: [appFolder, "--port", String(this.hostPort), "--data", join(dataFolder, "host")],
      env: this.hostEnvironment(),
      logFile: join(dataFolder, "host.log"),
    });
    this.host = host;
    this.hostPort = host.ready.port;
    this.cloud.send({ type: "host", url: this.hostUrl } satisfies HostAddress);
    void host.ended.then((how) => this.restart(host, how));
  }

  /** `kill -9` of the host, which stays down until it is started again. */
  async killHost(): Promise<void> {
    this.isHostWanted = false;
    await this.host?.kill();
  }

  async close(): Promise<void> {
    this.isClosing = true;
    await this.host?.stop(STOP_TIMEOUT_MS);
    await this.cloud.stop(STOP_TIMEOUT_MS);
  }

  private async restart(host: StackProcess<HostReady>, how: string): Promise<void> {
    if (this.isClosing || !this.isHostWanted || this.host !== host) return;
    this.options.log(
      `the Functions host ended (${how}) and is started again; its log: ${join(this.options.dataFolder, "host.log")}`,
    );
    await new Promise((resolve) => setTimeout(resolve, RESTART_PAUSE_MS));
    await this.startHost().catch((error: unknown) =>
      this.options.log(`the Functions host does not start: ${String(error)}`),
    );
  }

  /** The app's settings, as infra would set them on Azure; the values are the embedded cloud's. */
  private hostEnvironment(): NodeJS.ProcessEnv {
    const { facts } = this;
    const owner = facts.users.find(({ role }) => role === "Owner");
    return {
      ...process.env,
      ...facts.identityEnvironment,
      NODE_EXTRA_CA_CERTS: facts.caFile,
      AzureWebJobsStorage: facts.stateStorage,
      STATE_STORAGE: facts.stateStorage,
      ServiceBus: facts.serviceBus,
      AZURE_TENANT_ID: TENANT_ID,
      AZURE_CLIENT_ID: facts.runtime.clientId,
      ARM_ENDPOINT: facts.armUrl,
      ENTRA_AUTHORITY: facts.authorityUrl,
      API_URL: facts.apiUrl,
      API_AUDIENCE: API_APP_ID,
      BOOTSTRAP_OWNER_OBJECT_ID: owner?.objectId ?? "",
      DEPLOYMENT_ID,
      ESTATE_PREFIX,
      CLEANUP_SCHEDULE: "*/2 * * * * *",
      HEARTBEAT_SECONDS: "5",
      WORK_POLL_SECONDS: "0.25",
      ...this.options.settings,
    };
  }
}
