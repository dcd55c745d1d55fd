import { spawn } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import type { AzureSimulator, ServicePrincipal } from "../../../local/azure/azure-options";

export interface AzOutcome {
  readonly code: number;
  /** What it printed, where that is JSON. */
  readonly json: unknown;
  readonly err: string;
}

export const CLOUD = "CorralLocal";

/** One person's `az`: a folder of its own, and the simulator's authority trusted. */
export class AzSession {
  readonly folder = mkdtempSync(join(tmpdir(), "corral-az-"));
  readonly environment: NodeJS.ProcessEnv;

  constructor(
    private readonly az: string,
    private readonly azure: AzureSimulator,
  ) {
    this.environment = {
      ...process.env,
      AZURE_CONFIG_DIR: join(this.folder, "config"),
      AZURE_CORE_COLLECT_TELEMETRY: "false",
      AZURE_CORE_NO_COLOR: "true",
      AZURE_CORE_OUTPUT: "json",
      REQUESTS_CA_BUNDLE: azure.caFile,
    };
    mkdirSync(join(this.folder, "config"), { mode: 0o700 });
  }

  /** Starts `az`; `onError` sees what it says to the person while it goes on. */
  async start(args: readonly string[], onError?: (said: string) => void): Promise<AzOutcome> {
    const child = spawn(this.az, args, { env: this.environment, stdio: ["ignore", "pipe", "pipe"] });
    let said = "";
    child.stderr.setEncoding("utf8").on("data", (chunk: string) => {
      said += chunk;
      onError?.(said);
    });
    const { promise, resolve, reject } = Promise.withResolvers<number>();
    child.on("close", (code) => resolve(code ?? -1));
    child.on("error", reject);
    const [out, code] = await Promise.all([text(child.stdout), promise]);
    return { code, json: out.trim() === "" ? undefined : (JSON.parse(out) as unknown), err: said };
  }

  /** What a command prints; its complaint is the failure of the test. */
  async run(...args: string[]): Promise<unknown> {
    const { code, json, err } = await this.start(args);
    if (code !== 0) throw new Error(`az ${args.join(" ")} ended with ${String(code)}: ${err.slice(-2000)}`);
    return json;
  }

  /** The commands by which a person tells `az` of another cloud. */
  async registerCloud(): Promise<void> {
    const url = this.azure.armUrl;
    const endpoints = {
      "resource-manager": url,
      management: url,
      // MSAL takes an authority of this name for one that nobody has to vouch for.
      "active-directory": `${url}/adfs`,
      "active-directory-resource-id": "https://management.azure.com/",
      "active-directory-graph-resource-id": "https://graph.windows.net/",
    };
    const options = Object.entries(endpoints).flatMap(([name, value]) => [`--endpoint-${name}`, value]);
    // The newest profile of Debian's package asks for modules that the package does not have.
    await this.run("cloud", "register", "-n", CLOUD, "--profile", "2020-09-01-hybrid", ...options);
    await this.run("cloud", "set", "-n", CLOUD);
  }

  /** The same without starting `az` for it. */
  writeCloud(): void {
    const url = this.azure.armUrl;
    const lines = [
      `[${CLOUD}]`,
      `endpoint_management = ${url}`,
      `endpoint_resource_manager = ${url}`,
      `endpoint_active_directory = ${url}/adfs`,
      "endpoint_active_directory_resource_id = https://management.azure.com/",
      "endpoint_active_directory_graph_resource_id = https://graph.windows.net/",
      "profile = 2020-09-01-hybrid",
    ];
    const folder = join(this.folder, "config");
    writeFileSync(join(folder, "clouds.config"), `${lines.join("\n")}\n`);
    writeFileSync(join(folder, "config"), `[cloud]\nname = ${CLOUD}\n`);
  }

  signIn({ clientId, clientSecret }: Pick<ServicePrincipal, "clientId" | "clientSecret">): Promise<unknown> {
    const who = ["--service-principal", "-u", clientId, "-p", clientSecret, "--tenant", this.azure.tenantId];
    return this.run("login", ...who);
  }

  close(): void {
    rmSync(this.folder, { recursive: true, force: true });
  }
}
