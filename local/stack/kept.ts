import { randomBytes } from "node:crypto";
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";

/** Ports of the cloud process. What has told its address to others must have the same one after a restart. */
export interface Ports {
  readonly https: number;
  readonly identity: number;
  readonly portal: number;
  readonly faults: number;
  readonly frontDoor: number;
  readonly amqp: number;
  readonly blob: number;
  readonly queue: number;
  readonly table: number;
  readonly blobFront: number;
  readonly tableFront: number;
  readonly queueFront: number;
}

const ANY: Ports = {
  https: 0,
  identity: 0,
  portal: 0,
  faults: 0,
  frontDoor: 0,
  amqp: 0,
  blob: 0,
  queue: 0,
  table: 0,
  blobFront: 0,
  tableFront: 0,
  queueFront: 0,
};

const fileOf = (dataFolder: string): string => join(dataFolder, "ports.json");

/** The ports of the last start, or free ones; `wanted` wins where it names one. */
export function loadPorts(dataFolder: string, wanted: { readonly frontDoor: number }): Ports {
  const file = fileOf(dataFolder);
  const kept = existsSync(file) ? (JSON.parse(readFileSync(file, "utf8")) as Ports) : ANY;
  return { ...ANY, ...kept, frontDoor: wanted.frontDoor || kept.frontDoor };
}

export function savePorts(dataFolder: string, ports: Ports): void {
  writeFileSync(fileOf(dataFolder), JSON.stringify(ports));
}

/** A random key in a file of its own, made once. */
export function loadOrCreateKey(file: string): string {
  if (existsSync(file)) return readFileSync(file, "utf8");
  const key = randomBytes(32).toString("base64");
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, key, { mode: 0o600 });
  return key;
}
