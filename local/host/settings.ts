import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { parseLenientJson } from "./lenient-json";

export type Settings = Readonly<Record<string, string | undefined>>;

/** The parts of local.settings.json that the Functions Core Tools obey. */
interface LocalSettingsFile {
  readonly IsEncrypted?: unknown;
  readonly Values?: Readonly<Record<string, unknown>>;
  readonly ConnectionStrings?: Readonly<Record<string, unknown>>;
  readonly Host?: { readonly LocalHttpPort?: unknown };
}

/** The app's settings, from its local.settings.json into the environment. What the environment has already, wins. */
export function applyLocalSettings(appFolder: string): Settings {
  const file = readLocalSettings(appFolder);
  if (file.IsEncrypted === true)
    throw new Error(`${pathOf(appFolder)} is encrypted: decrypt it with "func settings decrypt" first`);
  for (const [name, value] of Object.entries(file.Values ?? {})) apply(appFolder, name, value);
  for (const [name, value] of Object.entries(file.ConnectionStrings ?? {}))
    apply(appFolder, `ConnectionStrings:${name}`, value);
  return process.env;
}

/** The port that the app's local.settings.json asks for. */
export function localPortOf(appFolder: string): number | undefined {
  const port = readLocalSettings(appFolder).Host?.LocalHttpPort;
  return typeof port === "number" ? port : undefined;
}

function pathOf(appFolder: string): string {
  return join(appFolder, "local.settings.json");
}

function readLocalSettings(appFolder: string): LocalSettingsFile {
  const path = pathOf(appFolder);
  if (!existsSync(path)) return {};
  const file = parseLenientJson(readFileSync(path, "utf8"));
  if (typeof file !== "object" || file === null) throw new Error(`${path} holds no object`);
  // Every field is checked before use.
  return file;
}

function apply(appFolder: string, name: string, value: unknown): void {
  if (typeof value !== "string") throw new Error(`${pathOf(appFolder)}: the value of ${name} must be a string`);
  process.env[name] ??= value;
}

/** Settings of the app itself that the real host sets for its worker. */
export function describeHost(appFolder: string, port: number): void {
  process.env["FUNCTIONS_WORKER_RUNTIME"] ??= "node";
  process.env["AzureWebJobsScriptRoot"] ??= appFolder;
  process.env["AZURE_FUNCTIONS_ENVIRONMENT"] ??= "Development";
  // The durable client writes other origins into its URLs when this is missing.
  process.env["WEBSITE_HOSTNAME"] ??= `localhost:${port}`;
}

export function publicHostName(settings: Settings): string {
  return settings["WEBSITE_HOSTNAME"] ?? "localhost";
}

/** Whether the app's settings disable that function (docs: How to disable functions in Azure Functions). */
export function isDisabled(functionName: string, settings: Settings): boolean {
  // With underscores where names of environment variables may hold no dots.
  const names = [".", "__", "_"].map((mark) => ["AzureWebJobs", functionName, "Disabled"].join(mark));
  const value = names.map((name) => settings[name]).find((each) => each !== undefined);
  return value !== undefined && /^(true|1)$/i.test(value.trim());
}

/** Replaces `%NAME%` by the setting of that name. A missing one ends the start, as an unbound trigger would never fire. */
export function resolveSettings(text: string, functionName: string, settings: Settings): string {
  return text.replace(/%([^%\s]+)%/g, (_match, name: string) => {
    const value = settings[name];
    if (value !== undefined) return value;
    throw new Error(
      `Function '${functionName}' needs the setting '${name}', which is not set. Set it in the environment or in local.settings.json.`,
    );
  });
}
