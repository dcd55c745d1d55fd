import { createHash, randomBytes, timingSafeEqual } from "node:crypto";
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { HttpRequest } from "./http-request";
import type { Settings } from "./settings";

/** The setting that holds the host's key. Without it, and without `--enable-auth`, keys are not asked for, as in the Functions Core Tools. */
export const KEY_SETTING = "FUNCTIONS_HOST_KEY";

export type AuthLevel = "anonymous" | "function" | "system" | "admin";

interface Key {
  readonly name: string;
  readonly value: string;
}

interface HostSecrets {
  readonly masterKey: Key;
  readonly functionKeys: readonly Key[];
  readonly systemKeys: readonly Key[];
}

/** The key of the durable extension's webhooks, by the name that the real host gives it. */
const DURABLE_KEY = "durabletask_extension";

/**
 * Who may call what (docs: Work with access keys): a function takes its own keys, the host's and the master key; webhooks take the
 * system's; `/admin` and functions of level admin take the master key alone. Keys are made at the first start and kept
 * in files of the shape that the real host uses when its secrets are files.
 */
export class HostKeys {
  readonly enforced: boolean;
  private readonly folder: string;
  private secrets: HostSecrets | undefined;
  private readonly ofFunctions = new Map<string, readonly Key[]>();

  constructor(
    private readonly settings: Settings,
    { dataFolder, enableAuth }: { readonly dataFolder: string; readonly enableAuth: boolean },
  ) {
    this.folder = join(dataFolder, "secrets");
    this.enforced = enableAuth || this.given !== undefined;
  }

  /** The key that stands in the webhook addresses which the host hands out. */
  get webhookKey(): string | undefined {
    if (!this.enforced) return undefined;
    return this.given ?? this.host().systemKeys.find(({ name }) => name === DURABLE_KEY)?.value;
  }

  hostKeys(): readonly Key[] {
    return this.host().functionKeys;
  }

  systemKeys(): readonly Key[] {
    return this.host().systemKeys;
  }

  functionKeys(name: string): readonly Key[] {
    const id = name.toLowerCase();
    let keys = this.ofFunctions.get(id);
    if (!keys) {
      const kept = this.kept(`${id}.json`, () => ({ keys: [newKey("default")] })) as { keys: readonly Key[] };
      keys = kept.keys;
      this.ofFunctions.set(id, keys);
    }
    return keys;
  }

  allows(request: HttpRequest, level: AuthLevel, functionName?: string): boolean {
    if (!this.enforced || level === "anonymous") return true;
    const given = keyOf(request);
    return given !== undefined && this.valuesFor(level, functionName).some((value) => isSame(given, value));
  }

  /** Whether the caller holds the master key: such a caller may run disabled functions. */
  isMaster(request: HttpRequest): boolean {
    return this.enforced && this.allows(request, "admin");
  }

  private valuesFor(level: AuthLevel, functionName: string | undefined): readonly string[] {
    const { masterKey, functionKeys, systemKeys } = this.host();
    const general = [masterKey.value];
    if (level === "admin") return general;
    if (this.given !== undefined) general.push(this.given);
    const own = functionName === undefined ? [] : this.functionKeys(functionName);
    const keys = level === "system" ? systemKeys : [...functionKeys, ...own];
    return [...general, ...keys.map(({ value }) => value)];
  }

  private get given(): string | undefined {
    const key = this.settings[KEY_SETTING];
    return key === "" ? undefined : key;
  }

  private host(): HostSecrets {
    this.secrets ??= this.kept("host.json", () => ({
      masterKey: newKey("master"),
      functionKeys: [newKey("default")],
      systemKeys: [newKey(DURABLE_KEY), newKey("eventgrid_extension")],
    })) as HostSecrets;
    return this.secrets;
  }

  /** Written by this class alone, hence of its shape. */
  private kept(file: string, make: () => object): unknown {
    const path = join(this.folder, encodeURIComponent(file));
    if (existsSync(path)) return JSON.parse(readFileSync(path, "utf8")) as unknown;
    mkdirSync(this.folder, { recursive: true });
    const made = make();
    writeFileSync(path, JSON.stringify(made, undefined, 2), { mode: 0o600 });
    return made;
  }
}

function newKey(name: string): Key & { readonly encrypted: false } {
  return { name, value: randomBytes(40).toString("base64url"), encrypted: false };
}

function keyOf({ query, headers }: HttpRequest): string | undefined {
  const header = headers["x-functions-key"];
  return (typeof header === "string" ? header : undefined) ?? query.get("code") ?? undefined;
}

function isSame(given: string, expected: string): boolean {
  return timingSafeEqual(digest(given), digest(expected));
}

function digest(text: string): Buffer {
  return createHash("sha256").update(text).digest();
}
