import { ArmError } from "../arm-error";

/** https://learn.microsoft.com/azure/governance/resource-graph/concepts/guidance-for-throttled-requests */
const QUERIES = 15;
const WINDOW_MS = 5_000;
const REMEMBERED = 10_000;

interface Window {
  readonly beganAt: number;
  left: number;
}

/** Queries of each principal in five seconds. */
export class GraphQuota {
  private readonly windows = new Map<string, Window>();

  constructor(private readonly isEnforced: boolean) {}

  /** Headers that say what is left; refuses when nothing is. */
  take(principalId: string): Record<string, string> {
    const now = Date.now();
    const known = this.windows.get(principalId);
    if (!known && this.windows.size >= REMEMBERED) this.windows.clear();
    const window = known && now - known.beganAt < WINDOW_MS ? known : { beganAt: now, left: QUERIES };
    this.windows.set(principalId, window);
    const resetsInSeconds = Math.max(1, Math.ceil((window.beganAt + WINDOW_MS - now) / 1000));
    const after = { "x-ms-user-quota-resets-after": `00:00:0${resetsInSeconds}` };
    if (window.left > 0) {
      window.left -= 1;
      return { "x-ms-user-quota-remaining": String(window.left), ...after };
    }
    if (!this.isEnforced) return { "x-ms-user-quota-remaining": "0", ...after };
    throw new ArmError(
      429,
      {
        code: "RateLimiting",
        message:
          "Please provide below info when asking for support: the client application has been throttled and should not attempt to repeat the request until an amount of time has elapsed.",
      },
      { headers: { "x-ms-user-quota-remaining": "0", ...after, "Retry-After": String(resetsInSeconds) } },
    );
  }
}
