import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";

export type Settings = Readonly<Record<string, string | undefined>>;

/** The app's settings, from its local.settings.json into the environment. What the environment has already, wins. */
export function applyLocalSettings(appFolder: string): Settings {
  const path = join(appFolder, "local.settings.json");
  if (existsSync(path)) {
    // Every field is checked before use.
    const file = JSON.parse(readFileSync(path, "utf8")) as { Values?: Record<string, unknown> };
    for (const [name, value] of Object.entries(file.Values ?? {})) {
      if (typeof value === "string") process.env[name] ??= value;
      else throw new Error(`${path}: the value of ${name} must be a string`);
    }
  }
  return process.env;
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
