import type { ScheduleOptions } from "./schedule";

/** What host.json says below `extensions.durableTask` about how orchestrations and entities run. */
export interface DurableSettings extends ScheduleOptions {
  /** Undefined when the app's orchestrations have no versions. */
  readonly versioning: Versioning | undefined;
  readonly maxEntityBatch: number;
}

export interface Versioning {
  readonly version: string;
  /** Which instances this app runs. */
  readonly match: "None" | "Strict" | "CurrentOrOlder";
  /** `Reject`: the others wait for an app that matches. `Fail`: they fail. */
  readonly failure: "Reject" | "Fail";
}

type Json = Readonly<Record<string, unknown>>;

const DAY_MS = 86_400_000;

/** Azure Storage's limits, which its backend does not let anybody set; here they are, so that long timers can be tested. */
const DEFAULTS = { maximumShortTimerMs: 6 * DAY_MS, longTimerIntervalMs: 3 * DAY_MS, httpSleepMs: 30_000 };

export function durableSettingsOf(json: unknown): DurableSettings {
  const durable = objectOf(json);
  const storage = objectOf(durable["storageProvider"]);
  const version = typeof durable["defaultVersion"] === "string" ? durable["defaultVersion"] : "";
  return {
    maximumShortTimerMs: numberOf(storage["maximumShortTimerMilliseconds"]) ?? DEFAULTS.maximumShortTimerMs,
    longTimerIntervalMs: numberOf(storage["longTimerIntervalMilliseconds"]) ?? DEFAULTS.longTimerIntervalMs,
    httpSleepMs:
      numberOf(objectOf(durable["httpSettings"])["defaultAsyncRequestSleepTimeMilliseconds"]) ?? DEFAULTS.httpSleepMs,
    maxEntityBatch: numberOf(durable["maxEntityOperationBatchSize"]) ?? 5_000,
    defaultVersion: version,
    versioning: version === "" ? undefined : versioningOf(version, durable),
  };
}

function versioningOf(version: string, durable: Json): Versioning {
  const match = durable["versionMatchStrategy"];
  return {
    version,
    match: match === "None" || match === "Strict" ? match : "CurrentOrOlder",
    failure: durable["versionFailureStrategy"] === "Fail" ? "Fail" : "Reject",
  };
}

/** Why this app must not run an instance of that version; undefined when it may (docs: Orchestration versioning). */
export function versionProblem(instanceVersion: string, versioning: Versioning | undefined): string | undefined {
  if (!versioning || versioning.match === "None") return undefined;
  const order = compareVersions(instanceVersion, versioning.version);
  if (order === 0 || (order < 0 && versioning.match === "CurrentOrOlder")) return undefined;
  return (
    `the orchestration's version '${instanceVersion}' does not match this app's version '${versioning.version}' ` +
    `(versionMatchStrategy ${versioning.match})`
  );
}

/** As .NET: both as dotted numbers when they are such, otherwise as texts. No version is older than any. */
function compareVersions(a: string, b: string): number {
  const dotted = /^\d+(\.\d+){1,3}$/;
  if (!dotted.test(a) || !dotted.test(b)) return Math.sign(a.localeCompare(b));
  const [left, right] = [a.split(".").map(Number), b.split(".").map(Number)];
  for (let part = 0; part < 4; part += 1) {
    const difference = (left[part] ?? -1) - (right[part] ?? -1);
    if (difference !== 0) return Math.sign(difference);
  }
  return 0;
}

function objectOf(value: unknown): Json {
  // Arrays and null have none of the names that are asked for.
  return typeof value === "object" && value !== null ? (value as Json) : {};
}

function numberOf(value: unknown): number | undefined {
  return typeof value === "number" && Number.isFinite(value) && value > 0 ? value : undefined;
}
