import { createHash, randomBytes } from "node:crypto";
import type { ClaimsRequest } from "./claims-request";
import type { ApiApplication, Directory, Principal } from "./directory";

/** How the client proved itself: not at all, by a secret, by a certificate or an assertion. */
export type ClientProof = "none" | "secret" | "certificate";

type Claims = Readonly<Record<string, unknown>>;

const PROOF_NUMBERS: Readonly<Record<ClientProof, string>> = { none: "0", secret: "1", certificate: "2" };

// More groups than this do not fit into a header; the token then says where they can be read.
const MAX_GROUPS_IN_TOKEN = 200;

export function commonClaims(principal: Principal, tenantId: string): Claims {
  return {
    idtyp: principal.type === "User" ? "user" : "app",
    oid: principal.objectId,
    sub: principal.objectId,
    tid: tenantId,
    uti: randomBytes(16).toString("base64url"),
    ...(principal.resourceId ? { xms_mirid: principal.resourceId } : {}),
  };
}

export const requestedClaims = ({ acrs, capabilities }: ClaimsRequest): Claims => ({
  ...(acrs.length > 0 ? { acrs } : {}),
  ...(capabilities.length > 0 ? { xms_cc: capabilities } : {}),
});

/** The client and the audience, which versions 1 and 2 name differently. */
export function audienceClaims(
  api: ApiApplication | undefined,
  { audience, clientId, proof }: { audience: string; clientId: string | undefined; proof: ClientProof },
): Claims {
  const number = PROOF_NUMBERS[proof];
  return api
    ? { aud: api.appId, azp: clientId, azpacr: number, ver: "2.0" }
    : { aud: audience, appid: clientId, appidacr: number, ver: "1.0" };
}

/** Who the user is: `preferred_username` in version 2, `upn` and `unique_name` in version 1. */
export function userClaims(user: Principal, version: "1.0" | "2.0"): Claims {
  const name = user.userPrincipalName;
  return {
    name: user.displayName,
    ...(version === "2.0" ? { preferred_username: name } : { upn: name, unique_name: name, amr: ["pwd"] }),
  };
}

/** App roles and groups, for an API of the tenant. https://learn.microsoft.com/entra/identity-platform/access-token-claims-reference */
export function membershipClaims(directory: Directory, principal: Principal, api: ApiApplication | undefined): Claims {
  if (!api) return {};
  const roles = directory.rolesOf(principal);
  return {
    ...(roles.length > 0 ? { roles } : {}),
    ...(api.groupMembershipClaims ? groupClaims(directory, principal) : {}),
  };
}

export function groupClaims(directory: Directory, principal: Principal): Claims {
  const groups = directory.groups.groupsOf(principal.objectId);
  if (groups.length <= MAX_GROUPS_IN_TOKEN) return groups.length > 0 ? { groups } : {};
  const kind = principal.type === "User" ? "users" : "servicePrincipals";
  const endpoint = `https://graph.microsoft.com/v1.0/${kind}/${principal.objectId}/getMemberObjects`;
  return { _claim_names: { groups: "src1" }, _claim_sources: { src1: { endpoint } } };
}

/** Of a user, `sub` differs from application to application, so that nobody can be followed by it. */
export const pairwiseSubject = (user: Principal, clientId: string): string =>
  createHash("sha256").update(`${user.objectId} ${clientId}`.toLowerCase()).digest("base64url");
