import { existsSync, readFileSync } from "node:fs";
import { availableParallelism } from "node:os";
import { join } from "node:path";
import { durableSettingsOf } from "../durable/durable-settings";
import type { DurableSettings } from "../durable/durable-settings";
import { parseLenientJson } from "./lenient-json";
import type { Settings } from "./settings";

/** The parts of host.json that this host obeys. */
export interface HostConfig {
  readonly functionTimeoutMs: number | undefined;
  /** `functions`: only these are loaded; undefined means all. */
  readonly functions: readonly string[] | undefined;
  /** Levels by category. */
  readonly logLevels: Readonly<Record<string, unknown>>;
  readonly http: HttpConfig;
  readonly durable: {
    readonly hubName: string;
    readonly maxConcurrentActivities: number;
    readonly overridable: "NonRunningStates" | "AnyState";
    readonly settings: DurableSettings;
  };
  readonly serviceBus: ServiceBusConfig;
  readonly queues: QueuesConfig;
}

export interface HttpConfig {
  readonly routePrefix: string;
  /** Requests over this number are answered 429; undefined or -1 means no limit. */
  readonly maxOutstandingRequests: number | undefined;
  readonly customHeaders: Readonly<Record<string, string>>;
}

export interface ServiceBusConfig {
  readonly maxConcurrentCalls: number;
  readonly maxConcurrentSessions: number;
  readonly maxMessageBatchSize: number;
  readonly autoComplete: boolean;
  readonly maxAutoLockRenewalMs: number;
  /** How long a session may be quiet before the next one is taken; undefined leaves it to the client's timeout. */
  readonly sessionIdleMs: number | undefined;
  readonly retry: { readonly timeoutInMs: number; readonly retryDelayInMs: number; readonly maxRetries: number };
}

export interface QueuesConfig {
  readonly batchSize: number;
  readonly newBatchThreshold: number;
  readonly maxDequeueCount: number;
  readonly visibilityTimeoutMs: number;
  readonly maxPollingIntervalMs: number;
  readonly messageEncoding: "base64" | "none";
}

type Json = Readonly<Record<string, unknown>>;

export function readHostConfig(appFolder: string, settings: Settings = {}): HostConfig {
  const path = join(appFolder, "host.json");
  if (!existsSync(path)) throw new Error(`No Functions app in ${appFolder}: it has no host.json`);
  const json = parseLenientJson(readFileSync(path, "utf8"));
  return hostConfigOf(overlay(objectOf(json), settings));
}

export function hostConfigOf(json: unknown): HostConfig {
  const root = objectOf(json);
  const extensions = objectOf(root["extensions"]);
  const durable = objectOf(extensions["durableTask"]);
  const functions = root["functions"];
  return {
    functionTimeoutMs: durationMsOf(root["functionTimeout"]),
    functions: Array.isArray(functions) ? functions.map(String) : undefined,
    logLevels: objectOf(objectOf(root["logging"])["logLevel"]),
    http: httpOf(objectOf(extensions["http"])),
    durable: {
      hubName: stringOf(durable["hubName"]) ?? "TestHubName",
      maxConcurrentActivities: numberOf(durable["maxConcurrentActivityFunctions"]) ?? 10 * availableParallelism(),
      overridable: durable["overridableExistingInstanceStates"] === "AnyState" ? "AnyState" : "NonRunningStates",
      settings: durableSettingsOf(durable),
    },
    serviceBus: serviceBusOf(objectOf(extensions["serviceBus"])),
    queues: queuesOf(objectOf(extensions["queues"])),
  };
}

const OVERRIDE_PREFIX = "azurefunctionsjobhost__";

/** Settings named AzureFunctionsJobHost__part__part override host.json (docs: host.json reference, Override host.json values). */
function overlay(json: Json, settings: Settings): Json {
  const copy = structuredClone(json) as Record<string, unknown>;
  for (const [name, value] of Object.entries(settings)) {
    if (value === undefined || !name.toLowerCase().startsWith(OVERRIDE_PREFIX)) continue;
    put(copy, name.slice(OVERRIDE_PREFIX.length).split("__"), value);
  }
  return copy;
}

function put(target: Record<string, unknown>, [part = "", ...rest]: readonly string[], value: string): void {
  const key = Object.keys(target).find((each) => each.toLowerCase() === part.toLowerCase()) ?? part;
  if (rest.length === 0) {
    target[key] = scalarOf(value);
    return;
  }
  const below = target[key];
  const inner = typeof below === "object" && below !== null ? (below as Record<string, unknown>) : {};
  target[key] = inner;
  put(inner, rest, value);
}

function scalarOf(text: string): unknown {
  if (/^(true|false)$/i.test(text)) return text.toLowerCase() === "true";
  return /^-?\d+$/.test(text) ? Number(text) : text;
}

function httpOf(json: Json): HttpConfig {
  const limit = numberOf(json["maxOutstandingRequests"]);
  const headers = Object.entries(objectOf(json["customHeaders"])).filter(([, value]) => typeof value === "string");
  return {
    routePrefix: stringOf(json["routePrefix"]) ?? "api",
    maxOutstandingRequests: limit === undefined || limit < 0 ? undefined : limit,
    // Only texts are left.
    customHeaders: Object.fromEntries(headers) as Record<string, string>,
  };
}

function serviceBusOf(json: Json): ServiceBusConfig {
  const retry = objectOf(json["clientRetryOptions"]);
  return {
    maxConcurrentCalls: numberOf(json["maxConcurrentCalls"]) ?? 16,
    maxConcurrentSessions: numberOf(json["maxConcurrentSessions"]) ?? 8,
    maxMessageBatchSize: numberOf(json["maxMessageBatchSize"]) ?? 1000,
    autoComplete: json["autoCompleteMessages"] !== false,
    maxAutoLockRenewalMs: durationMsOf(json["maxAutoLockRenewalDuration"]) ?? 300_000,
    sessionIdleMs: durationMsOf(json["sessionIdleTimeout"]),
    // With the client's own defaults a pump needs half a minute to find a broker that was restarted.
    retry: {
      timeoutInMs: durationMsOf(retry["tryTimeout"]) ?? 5_000,
      retryDelayInMs: durationMsOf(retry["delay"]) ?? 300,
      maxRetries: numberOf(retry["maxRetries"]) ?? 20,
    },
  };
}

/** The defaults of the Storage extension; while developing the real host looks at least every two seconds. */
function queuesOf(json: Json): QueuesConfig {
  const batchSize = Math.min(Math.max(numberOf(json["batchSize"]) ?? 16, 1), 32);
  return {
    batchSize,
    newBatchThreshold: numberOf(json["newBatchThreshold"]) ?? Math.floor(batchSize / 2),
    maxDequeueCount: Math.max(numberOf(json["maxDequeueCount"]) ?? 5, 1),
    visibilityTimeoutMs: durationMsOf(json["visibilityTimeout"]) ?? 0,
    maxPollingIntervalMs: Math.max(durationMsOf(json["maxPollingInterval"]) ?? 2_000, 100),
    messageEncoding: stringOf(json["messageEncoding"])?.toLowerCase() === "none" ? "none" : "base64",
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
