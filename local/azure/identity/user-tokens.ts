import type { WireReply } from "../http/wire";
import { type ClaimsRequest, NO_CLAIMS, parseClaimsRequest } from "./claims-request";
import type { ProvenClient } from "./client-authentication";
import type { Principal } from "./directory";
import { parseUserScopes, type WantedScopes } from "./scopes";
import { tokenReply } from "./token-reply";
import type { TokenEndpointOptions } from "./token-endpoint";
import type { UserGrant } from "./user-grants";

const REFRESH_DAYS = 90;
const DAY_MS = 24 * 60 * 60 * 1000;

interface UserCall {
  readonly proven: ProvenClient;
  readonly form: URLSearchParams;
  readonly claims: ClaimsRequest;
  readonly grant: UserGrant;
}

/** The tokens for a user's grant: access, and what the scopes name: identity, refresh. */
export async function userTokens(options: TokenEndpointOptions, call: UserCall): Promise<WireReply> {
  const { proven, form, grant } = call;
  const { directory, issuer } = options;
  const { clientId } = proven.client;
  const { user } = grant;
  const resource = form.get("resource");
  const wanted = resource
    ? wholeResource(resource)
    : parseUserScopes(directory, form.get("scope") ?? grant.scope, clientId);
  const { audience, permissions } = wanted;
  const claims = claimsOf(call);
  const token = await issuer.issueForUser({ user, clientId, audience, permissions, proof: proven.proof, claims });
  const idToken = wanted.wantsIdToken ? await issuer.issueIdToken({ user, clientId, nonce: grant.nonce }) : undefined;
  return tokenReply(
    {
      ...(resource ? { resource } : {}),
      scope: wanted.granted,
      ...(wanted.wantsRefreshToken ? { refresh_token: refreshTokenFor(options, { clientId, user, wanted }) } : {}),
      ...(idToken ? { id_token: idToken } : {}),
      ...(form.get("client_info") === "1" ? { client_info: clientInfo(user, directory.tenantId) } : {}),
    },
    token,
  );
}

/** Version 1 has no scopes in its request: the whole API is asked for, and everything else comes along. */
const wholeResource = (resource: string): WantedScopes => ({
  audience: resource,
  permissions: ["user_impersonation"],
  wantsIdToken: true,
  wantsRefreshToken: true,
  granted: "user_impersonation",
});

function claimsOf({ claims, grant }: UserCall): ClaimsRequest {
  if (claims !== NO_CLAIMS || !grant.claims) return claims;
  return parseClaimsRequest(grant.claims) ?? NO_CLAIMS;
}

/** A new one at each use; the old one goes on to work, as Entra's does. */
function refreshTokenFor(
  { grants }: TokenEndpointOptions,
  { clientId, user, wanted }: { clientId: string; user: Principal; wanted: WantedScopes },
): string {
  const now = Date.now();
  return grants.refreshTokens.add({
    clientId,
    userId: user.objectId,
    scope: `${wanted.granted} openid profile offline_access`,
    issuedAtMs: now,
    expiresAtMs: now + REFRESH_DAYS * DAY_MS,
  });
}

/** Which user of which tenant, for the client's cache. */
const clientInfo = (user: Principal, tenantId: string): string =>
  Buffer.from(JSON.stringify({ uid: user.objectId, utid: tenantId })).toString("base64url");
