import type { Directory } from "./directory";
import { invalidUserScope, notConsented, severalResources } from "./sign-in-errors";

/** What a scope parameter asks for. */
export interface WantedScopes {
  /** The API that the access token is for. */
  readonly audience: string;
  readonly permissions: readonly string[];
  readonly wantsIdToken: boolean;
  readonly wantsRefreshToken: boolean;
  /** What the answer says was granted, in the form that clients look tokens up by. */
  readonly granted: string;
}

const OPEN_ID = ["openid", "profile", "email", "offline_access"];
const GRAPH = "https://graph.microsoft.com";
const DEFAULT = "/.default";
const USER_IMPERSONATION = "user_impersonation";

/** The audience of `<resource>/.default`, the only form that an application may ask for itself. */
export function applicationAudience(scope: string): string | undefined {
  const found = scope.split(" ").find((part) => part.endsWith(DEFAULT));
  return found?.slice(0, -DEFAULT.length);
}

/** Scopes of a user's request. Bare names without a resource are Graph's. */
export function parseUserScopes(directory: Directory, scope: string, clientId: string): WantedScopes {
  const parts = scope.split(/\s+/).filter((part) => part !== "");
  const openId = parts.filter((part) => OPEN_ID.includes(part));
  const others = parts.filter((part) => !OPEN_ID.includes(part)).map(splitScope);
  const audience = others[0]?.audience ?? GRAPH;
  if (others.some((one) => one.audience.toLowerCase() !== audience.toLowerCase())) throw severalResources();
  const permissions = others.flatMap(({ permission }) =>
    permission === ".default" ? delegatedPermissions(directory, audience) : [permission],
  );
  const offered = offeredPermissions(directory, audience);
  const unknown = permissions.find((permission) => offered && !offered.includes(permission));
  if (unknown !== undefined) throw notConsented(`${audience}/${unknown}`, clientId);
  const effective = others.length === 0 ? ["openid", "profile", "email"] : [...new Set(permissions)];
  const names = others.map((one) => `${one.audience}/${one.permission}`);
  return {
    audience,
    permissions: effective,
    wantsIdToken: openId.includes("openid"),
    wantsRefreshToken: openId.includes("offline_access"),
    granted: [...new Set([...effective.map((one) => `${audience}/${one}`), ...names])].join(" "),
  };
}

function splitScope(scope: string): { audience: string; permission: string } {
  const at = scope.lastIndexOf("/");
  if (at < 0) {
    if (!/^[A-Za-z][\w.-]*$/.test(scope)) throw invalidUserScope(scope);
    return { audience: GRAPH, permission: scope };
  }
  const [audience, permission] = [scope.slice(0, at), scope.slice(at + 1)];
  if (!audience || !permission) throw invalidUserScope(scope);
  return { audience, permission };
}

const delegatedPermissions = (directory: Directory, audience: string): readonly string[] =>
  offeredPermissions(directory, audience) ?? [USER_IMPERSONATION];

/** The permissions of an API of the tenant and of ARM; of Microsoft's other APIs nobody keeps a list here. */
function offeredPermissions(directory: Directory, audience: string): readonly string[] | undefined {
  const api = directory.findApi(audience);
  if (api) return api.scopes ?? [USER_IMPERSONATION];
  return /^https:\/\/management\.(azure\.com|core\.windows\.net)\/?$/i.test(audience)
    ? [USER_IMPERSONATION]
    : undefined;
}
