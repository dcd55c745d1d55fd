import { throttled } from "./vault-error";
import type { VaultRoute } from "./vault-routes";

interface Window {
  startedAtMs: number;
  used: number;
}

/**
 * Transactions of one vault in ten seconds: https://learn.microsoft.com/azure/key-vault/general/service-limits.
 * RSA keys of any size count as those of 2048 bits.
 */
const LIMITS = { "create secret": 300, "use secret": 4000, "create key": 20, "use key": 4000 } as const;
const WINDOW_MS = 10_000;

export interface VaultThrottleOptions {
  readonly speed: number;
  readonly isEnforced: boolean;
}

/** Refuses what is too much for one vault. On a stack that runs faster the ten seconds are over sooner. */
export class VaultThrottle {
  private readonly windows = new Map<string, Window>();

  constructor(private readonly options: VaultThrottleOptions) {}

  take(vault: string, { kind, isCreate }: VaultRoute): void {
    const { speed, isEnforced } = this.options;
    if (!isEnforced) return;
    const name = `${isCreate ? "create" : "use"} ${kind}` as const;
    const now = Date.now();
    const lengthMs = WINDOW_MS / speed;
    const key = `${vault} ${name}`;
    const known = this.windows.get(key);
    const window = known && now - known.startedAtMs < lengthMs ? known : { startedAtMs: now, used: 0 };
    if (window.used >= LIMITS[name])
      throw throttled(Math.max(1, Math.ceil((window.startedAtMs + lengthMs - now) / 1000)));
    window.used += 1;
    this.windows.set(key, window);
  }

  forget(vault: string): void {
    for (const key of this.windows.keys()) if (key.startsWith(`${vault} `)) this.windows.delete(key);
  }
}
