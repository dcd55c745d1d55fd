import { randomUUID } from "node:crypto";
import { watch, existsSync, mkdirSync, rmSync, type FSWatcher } from "node:fs";
import { dirname } from "node:path";
import { superviseAgent, type AgentProcess } from "./agent-process";
import { customDataConfig } from "./custom-data";
import type { HostedVm, IdentityTokens } from "./hypervisor";
import { startMetadataService, type MetadataService } from "./metadata-service";
import { killProcessesOf, MARKER } from "./processes";
import { SYSTEM_PATH, writeBootFiles, type Programs, type VmFolder } from "./vm-folder";

interface MachineOptions extends Programs {
  readonly agentFile: string;
  readonly tokens: IdentityTokens;
  readonly caFile?: string | undefined;
  /** Added to the environment of the agent: shorter grace and retry times for tests. */
  readonly agentEnvironment?: Readonly<Record<string, string>> | undefined;
  readonly restartMs: number;
  readonly log: (line: string) => void;
  readonly onGuestPowerOff: () => void;
}

export interface BootOptions extends MachineOptions {
  readonly bootMs: number;
  /** Asked when the agent starts, not when the VM is turned on. */
  readonly chooseMode: () => "process" | "worker";
}

/** One VM that is on, from its boot delay to its power-off. */
export class Machine {
  private readonly poweredOff = new AbortController();
  private readonly timer: NodeJS.Timeout;
  private readonly booted: Promise<void>;
  private agent: AgentProcess | undefined;
  private metadata: MetadataService | undefined;
  private watcher: FSWatcher | undefined;
  private mode: "process" | "worker" | undefined;

  constructor(
    readonly vm: HostedVm,
    readonly folder: VmFolder,
    private readonly options: MachineOptions & {
      readonly bootMs: number;
      readonly chooseMode: () => "process" | "worker";
    },
  ) {
    const { promise, resolve } = Promise.withResolvers<undefined>();
    this.timer = setTimeout(() => resolve(undefined), options.bootMs);
    this.poweredOff.signal.addEventListener("abort", () => resolve(undefined), { once: true });
    this.booted = promise
      .then(() => this.boot())
      .catch((error: unknown) => options.log(`${vm.name}: does not boot: ${String(error)}`));
  }

  get agentMode(): "process" | "worker" | undefined {
    return this.mode;
  }

  get agentPid(): number | undefined {
    return this.agent?.pid;
  }

  get metadataUrl(): string | undefined {
    return this.metadata?.url;
  }

  announcePreemption(noticeSeconds: number): void {
    this.metadata?.announcePreemption(noticeSeconds);
  }

  /** Pulls the plug. Safe to call twice. */
  async off(): Promise<void> {
    this.poweredOff.abort();
    clearTimeout(this.timer);
    await this.booted;
    this.watcher?.close();
    // First the mark of a VM that is on: the Docker stand-in starts nothing without it.
    rmSync(this.folder.power, { force: true });
    await this.agent?.stop();
    await killProcessesOf(this.folder.root);
    await this.metadata?.close();
  }

  private async boot(): Promise<void> {
    if (this.poweredOff.signal.aborted) return;
    const { vm, folder, options } = this;
    mkdirSync(folder.state, { recursive: true });
    const osBootId = randomUUID();
    const config = customDataConfig(Buffer.from(vm.customData ?? "", "base64").toString("utf8"));
    if (config === undefined)
      options.log(`${vm.name}: the custom data holds no configuration of the agent; the VM runs without one`);
    writeBootFiles(folder, { vm, osBootId, config: config ?? "{}" }, options);
    this.metadata = await startMetadataService(vm, options.tokens);
    if (config === undefined) return;
    this.watcher = watch(folder.root, { persistent: false }, () => {
      if (existsSync(folder.guestPowerOff) && !this.poweredOff.signal.aborted) options.onGuestPowerOff();
    });
    this.mode = options.chooseMode();
    this.agent = superviseAgent(
      {
        mode: this.mode,
        nodePath: options.nodePath,
        agentFile: options.agentFile,
        env: this.environmentOf(osBootId, this.metadata.url),
        logFile: folder.agentLog,
        pidFile: folder.agentPid,
        restartMs: options.restartMs,
      },
      (line) => options.log(`${vm.name}: ${line}`),
    );
  }

  private environmentOf(osBootId: string, metadataUrl: string): Record<string, string> {
    const { folder, options } = this;
    return {
      PATH: `${folder.bin}:${dirname(options.nodePath)}:${SYSTEM_PATH}`,
      HOME: folder.root,
      ...(options.caFile === undefined ? {} : { NODE_EXTRA_CA_CERTS: options.caFile }),
      ...options.agentEnvironment,
      [MARKER]: folder.root,
      CORRAL_OS_BOOT_ID: osBootId,
      CORRAL_AGENT_CONFIG: folder.config,
      CORRAL_AGENT_STATE: folder.state,
      CORRAL_METADATA_URL: metadataUrl,
      CORRAL_POWEROFF_COMMAND: `${folder.bin}/poweroff`,
    };
  }
}
