import { randomBytes } from "node:crypto";
import { SignJWT } from "jose";
import type { AssignedIdentity, IdentityTokens } from "../../vm/hypervisor";
import { isFirstPartyAudience } from "./audiences";
import type { Directory, Principal } from "./directory";
import type { SigningKey } from "./signing-key";

export interface IssuedToken {
  readonly accessToken: string;
  readonly expiresAt: Date;
}

/** A name that is no API of this tenant, nor one of Microsoft's. */
export class UnknownAudienceError extends Error {
  override readonly name = "UnknownAudienceError";
}

export interface TokenIssuerOptions {
  readonly directory: Directory;
  readonly key: SigningKey;
  /** `https://localhost:<port>`: where version 2 tokens say that they come from. Known once the port is. */
  readonly authority: () => string;
  readonly clientTokenSeconds?: number | undefined;
}

// A client's token lives about an hour, a managed identity's one day.
const CLIENT_TOKEN_SECONDS = 3599;
const MANAGED_TOKEN_SECONDS = 24 * 60 * 60;

/** Signs access tokens with the claims that Entra puts into an application's or a managed identity's. */
export class TokenIssuer implements IdentityTokens {
  constructor(private readonly options: TokenIssuerOptions) {}

  async issueForIdentity(identity: AssignedIdentity, audience: string): Promise<IssuedToken> {
    const principal = this.options.directory.find(identity.principalId);
    if (!principal) throw new Error(`The identity ${identity.resourceId} does not exist in the directory any more.`);
    return this.issue(principal, audience);
  }

  async issue(principal: Principal, audience: string): Promise<IssuedToken> {
    const { directory, key, authority, clientTokenSeconds } = this.options;
    const lifetimeSeconds =
      principal.kind === "application" ? (clientTokenSeconds ?? CLIENT_TOKEN_SECONDS) : MANAGED_TOKEN_SECONDS;
    const nowSeconds = Math.floor(Date.now() / 1000);
    const api = directory.findApi(audience);
    if (!api && !isFirstPartyAudience(audience)) throw new UnknownAudienceError(audience);
    const claims = {
      ...commonClaims(principal, directory.tenantId),
      ...(api ? versionTwo(principal, api.appId) : versionOne(principal, audience)),
    };
    const issuer = api ? `${authority()}/${directory.tenantId}/v2.0` : `https://sts.windows.net/${directory.tenantId}/`;
    const accessToken = await new SignJWT({ iss: issuer, ...claims })
      .setProtectedHeader({ typ: "JWT", alg: "RS256", kid: key.keyId, x5t: key.keyId })
      .setIssuedAt(nowSeconds)
      // Entra sets the clock back by five minutes for services whose clock is late.
      .setNotBefore(nowSeconds - 300)
      .setExpirationTime(nowSeconds + lifetimeSeconds)
      .sign(key.privateKey);
    return { accessToken, expiresAt: new Date((nowSeconds + lifetimeSeconds) * 1000) };
  }
}

function commonClaims(principal: Principal, tenantId: string) {
  return {
    idtyp: principal.type === "User" ? "user" : "app",
    oid: principal.objectId,
    sub: principal.objectId,
    tid: tenantId,
    uti: randomBytes(16).toString("base64url"),
    ...(principal.resourceId ? { xms_mirid: principal.resourceId } : {}),
  };
}

// 1: the client proved itself by a secret; 2: by a certificate, which is how managed identities do it.
const authenticationClass = (principal: Principal): string => (principal.kind === "application" ? "1" : "2");

const versionOne = (principal: Principal, audience: string) => ({
  aud: audience,
  appid: principal.clientId,
  appidacr: authenticationClass(principal),
  ver: "1.0",
});

const versionTwo = (principal: Principal, appId: string) => ({
  aud: appId,
  azp: principal.clientId,
  azpacr: authenticationClass(principal),
  ...(principal.roles?.length ? { roles: principal.roles } : {}),
  ver: "2.0",
});
