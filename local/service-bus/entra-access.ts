import type { Right } from "./sas-token";

/** Who comes with a token of Entra, and what its roles allow: both are known elsewhere. */
export interface EntraAccess {
  /** The object id of a token's principal, if the token is good for Service Bus; the argument is `Bearer <token>`. */
  readonly identify: (authorization: string) => Promise<string | undefined>;
  readonly allows: (question: {
    readonly principalId: string;
    readonly action: string;
    readonly scope: string;
    readonly plane: "data" | "control";
  }) => boolean;
  /** `/subscriptions/.../providers/Microsoft.ServiceBus/namespaces/<name>`: role assignments on it and above it count, too. */
  readonly namespaceId: string;
}

/** https://learn.microsoft.com/azure/role-based-access-control/permissions/integration#microsoftservicebus */
const actions = {
  Send: { action: "Microsoft.ServiceBus/namespaces/messages/send/action", plane: "data" },
  Listen: { action: "Microsoft.ServiceBus/namespaces/messages/receive/action", plane: "data" },
  // Only the role Azure Service Bus Data Owner has it, as an action of the control plane.
  Manage: { action: "Microsoft.ServiceBus/namespaces/queues/write", plane: "control" },
} as const;

/** Whether the roles of a principal give it a right on an entity, by the entity's address. */
export function rolesAllow(entra: EntraAccess, principalId: string, { path, right }: { path: string; right: Right }) {
  return entra.allows({ principalId, scope: scopeOf(entra.namespaceId, path), ...actions[right] });
}

function scopeOf(namespaceId: string, path: string): string {
  const [entity, , subscription] = path.replace(/\/\$.*$/, "").split("/");
  if (!entity) return namespaceId;
  if (subscription === undefined) return `${namespaceId}/queues/${entity}`;
  return `${namespaceId}/topics/${entity}/subscriptions/${subscription}`;
}

/** When a JSON web token ends, in milliseconds; its signature was checked by whoever identified it. */
export function endOfToken(token: string): number {
  try {
    const claims = JSON.parse(Buffer.from(token.split(".")[1] ?? "", "base64url").toString()) as { exp?: unknown };
    return typeof claims.exp === "number" ? claims.exp * 1000 : 0;
  } catch {
    return 0;
  }
}
