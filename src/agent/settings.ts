import { readFileSync } from "node:fs";

/** All that the agent is told from outside. This file alone reads the environment. */
export interface AgentSettings {
  readonly apiUrl: string;
  readonly org: string;
  readonly machineId: string;
  readonly bootNonce?: string | undefined;
  readonly stateFolder: string;
  readonly metadataUrl: string;
  /** New at each boot of the operating system: tells a restarted agent from a rebooted machine. */
  readonly osBootId: string;
  readonly powerOffCommand: readonly string[];
  /** Between SIGTERM and SIGKILL of a container. A spot notice is 30 seconds at best and often below ten. */
  readonly graceMs: number;
  readonly retryBaseMs: number;
  /** For the commands that the agent runs; a job's variables are added to it where Docker hands them on. */
  readonly commandEnvironment: Readonly<Record<string, string>>;
}

export function readSettings(): AgentSettings {
  const { env } = process;
  const path = env["CORRAL_AGENT_CONFIG"] ?? "/etc/corral/agent.json";
  // The service wrote this file through the VM's custom data; `text` checks each field that is used.
  const config = JSON.parse(readFileSync(path, "utf8")) as Record<string, unknown>;
  const text = (name: string): string => {
    const value = config[name];
    if (typeof value !== "string" || value === "") throw new Error(`${path} has no ${name}`);
    return value;
  };
  return Object.freeze({
    apiUrl: text("apiUrl").replace(/\/+$/, ""),
    org: text("org"),
    machineId: text("machineId"),
    bootNonce: config["bootNonce"] === undefined ? undefined : text("bootNonce"),
    stateFolder: env["CORRAL_AGENT_STATE"] ?? "/var/lib/corral",
    metadataUrl: env["CORRAL_METADATA_URL"] ?? "http://169.254.169.254",
    osBootId: env["CORRAL_OS_BOOT_ID"] ?? readFileSync("/proc/sys/kernel/random/boot_id", "utf8").trim(),
    powerOffCommand: env["CORRAL_POWEROFF_COMMAND"] ? [env["CORRAL_POWEROFF_COMMAND"]] : ["systemctl", "poweroff"],
    graceMs: numberOf(env["CORRAL_AGENT_GRACE_SECONDS"], 10) * 1000,
    retryBaseMs: numberOf(env["CORRAL_AGENT_RETRY_MS"], 1000),
    commandEnvironment: Object.fromEntries(
      Object.entries(env).flatMap(([name, value]) => (value === undefined ? [] : [[name, value]])),
    ),
  });
}

function numberOf(value: string | undefined, otherwise: number): number {
  const number = Number(value);
  return value !== undefined && Number.isFinite(number) && number >= 0 ? number : otherwise;
}
