import { createHash, timingSafeEqual } from "node:crypto";
import type { HttpRequest } from "./http-server";
import type { Settings } from "./settings";

/** The setting that holds the host's key. Without it keys are not asked for, as in the Functions Core Tools. */
export const KEY_SETTING = "FUNCTIONS_HOST_KEY";

/** The key that guards functions of level `function` or `admin` and the extensions' webhooks. */
export class HostKey {
  constructor(private readonly settings: Settings) {}

  get value(): string | undefined {
    const key = this.settings[KEY_SETTING];
    return key === "" ? undefined : key;
  }

  allows({ query, headers }: HttpRequest): boolean {
    const key = this.value;
    if (key === undefined) return true;
    const header = headers["x-functions-key"];
    const given = query.get("code") ?? (typeof header === "string" ? header : undefined);
    return given !== undefined && timingSafeEqual(digest(given), digest(key));
  }
}

function digest(text: string): Buffer {
  return createHash("sha256").update(text).digest();
}
