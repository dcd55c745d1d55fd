import { endOfToken, rolesAllow, type EntraAccess } from "./entra-access";
import type { AmqpReply, AmqpRequest } from "./request-links";
import { checkToken, covers, entityPath, type NamedKey, type Right } from "./sas-token";

interface Claim {
  readonly path: string;
  readonly expiresAt: number;
  readonly gives: (right: Right, path: string) => boolean;
}

interface ClaimsOptions {
  readonly keys: readonly NamedKey[];
  readonly entra?: EntraAccess | undefined;
  readonly now: () => number;
}

/** A connection that puts more tokens than this is no client of Service Bus. */
const mostClaims = 1000;

/** The tokens that one connection has put; each opens an entity, or the whole namespace, until it expires. */
export class Claims {
  private readonly claims = new Map<string, Claim>();

  constructor(private readonly options: ClaimsOptions) {}

  /** `put-token` of claims-based security. https://docs.oasis-open.org/amqp/amqp-cbs/v1.0/amqp-cbs-v1.0.html */
  async put({ operation, properties, body }: AmqpRequest): Promise<AmqpReply> {
    if (operation !== "put-token")
      return { status: 501, description: `The operation ${operation} is not known to $cbs.` };
    const { type, name } = properties as { type?: unknown; name?: unknown };
    const token = Buffer.isBuffer(body) ? body.toString() : body;
    if (typeof token !== "string" || typeof name !== "string")
      return { status: 400, description: "name and token are required." };
    const path = entityPath(name);
    if (this.claims.size >= mostClaims && !this.claims.has(path))
      return { status: 403, description: `A connection may hold ${mostClaims} tokens.` };
    switch (type) {
      case "servicebus.windows.net:sastoken":
        return this.putSas(token, path);
      case "jwt":
      case "servicebus.windows.net:jwt":
        return this.putJwt(token, path);
      default: {
        const allowed = "servicebus.windows.net:sastoken, jwt, servicebus.windows.net:jwt";
        return {
          status: 400,
          description: `Tokens of type ${String(type)} are not supported; allowed are ${allowed}.`,
        };
      }
    }
  }

  allows(path: string, right: Right): boolean {
    const now = this.options.now();
    for (const claim of this.claims.values()) {
      if (claim.expiresAt > now && covers(claim, path) && claim.gives(right, path)) return true;
    }
    return false;
  }

  /** When the first of the tokens that still count ends. */
  nextExpiry(): number | undefined {
    const now = this.options.now();
    const ends = [...this.claims.values()].flatMap(({ expiresAt }) => (expiresAt > now ? [expiresAt] : []));
    return ends.length === 0 ? undefined : Math.min(...ends);
  }

  private putSas(token: string, path: string): AmqpReply {
    const checked = checkToken(token, this.options.keys, this.options.now());
    if (checked.outcome === "refused") return { status: 401, description: checked.reason };
    const { claim } = checked;
    if (!covers(claim, path)) return { status: 401, description: "InvalidAudience: The token is for another entity." };
    this.claims.set(path, { path, expiresAt: claim.expiresAt, gives: (right) => claim.rights.includes(right) });
    return accepted;
  }

  private async putJwt(token: string, path: string): Promise<AmqpReply> {
    const { entra, now } = this.options;
    if (!entra) return { status: 401, description: "This namespace takes no tokens of Entra, SAS tokens only." };
    const principalId = await entra.identify(`Bearer ${token}`);
    const expiresAt = endOfToken(token);
    if (principalId === undefined || !(expiresAt > now()))
      return { status: 401, description: "InvalidToken: The token is not valid for Service Bus." };
    const gives = (right: Right, wanted: string) => rolesAllow(entra, principalId, { path: wanted, right });
    this.claims.set(path, { path, expiresAt, gives });
    return accepted;
  }
}

const accepted: AmqpReply = { status: 202, description: "Accepted" };
