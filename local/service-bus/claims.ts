import type { AmqpReply, AmqpRequest } from "./request-links";
import { checkToken, covers, entityPath, type Claim, type NamedKey } from "./sas-token";

/** The tokens that one connection has put; each opens an entity, or the whole namespace, until it expires. */
export class Claims {
  private readonly claims = new Map<string, Claim>();

  constructor(
    private readonly keys: readonly NamedKey[],
    private readonly now: () => number,
  ) {}

  /** `put-token` of claims-based security. https://docs.oasis-open.org/amqp/amqp-cbs/v1.0/amqp-cbs-v1.0.html */
  put({ operation, properties, body }: AmqpRequest): AmqpReply {
    if (operation !== "put-token")
      return { status: 501, description: `The operation ${operation} is not known to $cbs.` };
    const { type, name } = properties as { type?: unknown; name?: unknown };
    if (type !== "servicebus.windows.net:sastoken") {
      return { status: 400, description: `Tokens of type ${String(type)} are not supported, SAS tokens only.` };
    }
    if (typeof body !== "string" || typeof name !== "string")
      return { status: 400, description: "name and token are required." };
    const checked = checkToken(body, this.keys, this.now());
    if (checked.outcome === "refused") return { status: 401, description: checked.reason };
    const path = entityPath(name);
    if (!covers(checked.claim, path))
      return { status: 401, description: "InvalidAudience: The token is for another entity." };
    this.claims.set(path, { ...checked.claim, path });
    return { status: 202, description: "Accepted" };
  }

  allows(path: string): boolean {
    const now = this.now();
    return [...this.claims.values()].some((claim) => claim.expiresAt > now && covers(claim, path));
  }
}
