import { existsSync, readFileSync } from "node:fs";
import { availableParallelism } from "node:os";
import { join } from "node:path";

/** The parts of host.json that this host obeys. */
export interface HostConfig {
  readonly routePrefix: string;
  readonly functionTimeoutMs: number | undefined;
  /** Function logs below this level are not shown. */
  readonly logLevel: string;
  readonly durable: {
    readonly hubName: string;
    readonly maxConcurrentActivities: number;
    readonly overridable: "NonRunningStates" | "AnyState";
  };
  readonly serviceBus: {
    readonly maxConcurrentCalls: number;
    readonly autoComplete: boolean;
    readonly maxAutoLockRenewalMs: number;
    readonly retry: { readonly timeoutInMs: number; readonly retryDelayInMs: number; readonly maxRetries: number };
  };
}

type Json = Readonly<Record<string, unknown>>;

export function readHostConfig(appFolder: string): HostConfig {
  const path = join(appFolder, "host.json");
  if (!existsSync(path)) throw new Error(`No Functions app in ${appFolder}: it has no host.json`);
  return hostConfigOf(JSON.parse(readFileSync(path, "utf8")));
}

export function hostConfigOf(json: unknown): HostConfig {
  const root = objectOf(json);
  const extensions = objectOf(root["extensions"]);
  const durable = objectOf(extensions["durableTask"]);
  return {
    routePrefix: stringOf(objectOf(extensions["http"])["routePrefix"]) ?? "api",
    functionTimeoutMs: durationMsOf(root["functionTimeout"]),
    logLevel: stringOf(objectOf(objectOf(root["logging"])["logLevel"])["default"]) ?? "Information",
    durable: {
      hubName: stringOf(durable["hubName"]) ?? "TestHubName",
      maxConcurrentActivities: numberOf(durable["maxConcurrentActivityFunctions"]) ?? 10 * availableParallelism(),
      overridable: durable["overridableExistingInstanceStates"] === "AnyState" ? "AnyState" : "NonRunningStates",
    },
    serviceBus: serviceBusOf(objectOf(extensions["serviceBus"])),
  };
}

function serviceBusOf(json: Json): HostConfig["serviceBus"] {
  const retry = objectOf(json["clientRetryOptions"]);
  return {
    maxConcurrentCalls: numberOf(json["maxConcurrentCalls"]) ?? 16,
    autoComplete: json["autoCompleteMessages"] !== false,
    maxAutoLockRenewalMs: durationMsOf(json["maxAutoLockRenewalDuration"]) ?? 300_000,
    // With the client's own defaults a pump needs half a minute to find a broker that was restarted.
    retry: {
      timeoutInMs: durationMsOf(retry["tryTimeout"]) ?? 5_000,
      retryDelayInMs: durationMsOf(retry["delay"]) ?? 300,
      maxRetries: numberOf(retry["maxRetries"]) ?? 20,
    },
  };
}

/** A .NET time span, `[d.]hh:mm:ss[.fraction]`, in milliseconds; undefined when it is none, or -1 (without limit). */
export function durationMsOf(value: unknown): number | undefined {
  const match = typeof value === "string" ? /^(?:(\d+)\.)?(\d{1,2}):(\d{2}):(\d{2})(\.\d{1,7})?$/.exec(value) : null;
  if (!match) return undefined;
  const [, days = "0", hours, minutes, seconds, fraction = "0"] = match;
  const wholeSeconds = ((Number(days) * 24 + Number(hours)) * 60 + Number(minutes)) * 60 + Number(seconds);
  return wholeSeconds * 1000 + Math.round(Number(fraction) * 1000);
}

function objectOf(value: unknown): Json {
  // Arrays and null have none of the names that are asked for.
  return typeof value === "object" && value !== null ? (value as Json) : {};
}

function stringOf(value: unknown): string | undefined {
  return typeof value === "string" ? value : undefined;
}

function numberOf(value: unknown): number | undefined {
  return typeof value === "number" && Number.isFinite(value) ? value : undefined;
}
