import type { Connection, link } from "rhea";
import { Claims } from "./claims";
import type { Right } from "./sas-token";
import type { ServerParts } from "./server-parts";

/** Node's timers take no longer times. */
const longestTimerMs = 2 ** 31 - 1;

interface Access {
  readonly path: string;
  readonly rights: readonly Right[];
}

/** One client: its tokens, and the links that they keep open. */
export class OpenConnection {
  readonly claims: Claims;
  sessions = 0;
  private readonly links = new Map<link, Access>();
  private timer: NodeJS.Timeout | undefined;

  constructor(
    readonly connection: Connection,
    private readonly parts: ServerParts,
  ) {
    this.claims = new Claims(parts);
  }

  /** Whether a link may stay open: any of the rights is enough. Otherwise it is closed, now or when the token ends. */
  admits(amqpLink: link, access: Access): boolean {
    if (!this.isAllowed(access)) {
      refuseAccess(amqpLink, access);
      return false;
    }
    this.links.set(amqpLink, access);
    this.watch();
    return true;
  }

  forget(amqpLink: link): void {
    this.links.delete(amqpLink);
  }

  close(): void {
    clearTimeout(this.timer);
    this.links.clear();
  }

  /** A new token may end earlier or later than the others. */
  watch(): void {
    clearTimeout(this.timer);
    const at = this.claims.nextExpiry();
    if (at === undefined || this.links.size === 0) return;
    // A moment later the token counts no more.
    const wait = Math.min(Math.max(0, at - this.parts.now()) + 5, longestTimerMs);
    this.timer = setTimeout(() => this.checkLinks(), wait).unref();
  }

  private checkLinks(): void {
    for (const [amqpLink, access] of this.links) {
      if (this.isAllowed(access)) continue;
      this.links.delete(amqpLink);
      if (amqpLink.is_open()) refuseAccess(amqpLink, access);
    }
    this.watch();
  }

  private isAllowed({ path, rights }: Access): boolean {
    return rights.some((right) => this.claims.allows(path, right));
  }
}

function refuseAccess(amqpLink: link, { path, rights }: Access): void {
  const resource = `Resource: 'sb://127.0.0.1/${path}'.`;
  amqpLink.close({
    condition: "amqp:unauthorized-access",
    description: `Unauthorized access. '${rights.join(" or ")}' claim(s) are required to perform this operation. ${resource}`,
  });
}
