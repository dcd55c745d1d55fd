import { SignJWT } from "jose";
import type { AssignedIdentity, IdentityTokens } from "../../vm/hypervisor";
import { isFirstPartyAudience } from "./audiences";
import { type ClaimsRequest, NO_CLAIMS } from "./claims-request";
import type { ApiApplication, Directory, Principal } from "./directory";
import type { SigningKeys } from "./signing-key";
import {
  audienceClaims,
  type ClientProof,
  commonClaims,
  groupClaims,
  membershipClaims,
  pairwiseSubject,
  requestedClaims,
  userClaims,
} from "./token-claims";

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
  readonly key: SigningKeys;
  /** `https://localhost:<port>`: where version 2 tokens say that they come from. Known once the port is. */
  readonly authority: () => string;
  readonly clientTokenSeconds?: number | undefined;
}

export interface UserToken {
  readonly user: Principal;
  readonly clientId: string;
  readonly audience: string;
  readonly permissions: readonly string[];
  readonly proof: ClientProof;
  readonly claims: ClaimsRequest;
}

// A client's token lives about an hour, a managed identity's one day.
const CLIENT_TOKEN_SECONDS = 3599;
const MANAGED_TOKEN_SECONDS = 24 * 60 * 60;

/** Signs tokens with the claims that Entra puts into those of an application, a managed identity or a user. */
export class TokenIssuer implements IdentityTokens {
  constructor(private readonly options: TokenIssuerOptions) {}

  async issueForIdentity(identity: AssignedIdentity, audience: string): Promise<IssuedToken> {
    const principal = this.options.directory.find(identity.principalId);
    if (!principal) throw new Error(`The identity ${identity.resourceId} does not exist in the directory any more.`);
    return this.issue(principal, audience);
  }

  async issue(
    principal: Principal,
    audience: string,
    { proof, claims = NO_CLAIMS }: { proof?: ClientProof; claims?: ClaimsRequest } = {},
  ): Promise<IssuedToken> {
    const { directory } = this.options;
    const isApplication = principal.kind === "application";
    const api = this.apiFor(audience);
    const clientProof = proof ?? (isApplication ? "secret" : "certificate");
    return this.sign({
      api,
      lifetimeSeconds: isApplication ? this.clientTokenSeconds() : MANAGED_TOKEN_SECONDS,
      claims: {
        ...commonClaims(principal, directory.tenantId),
        ...audienceClaims(api, { audience, clientId: principal.clientId, proof: clientProof }),
        ...membershipClaims(directory, principal, api),
        ...requestedClaims(claims),
      },
    });
  }

  /** A client acts for a user: the token is the user's, and `scp` says what the client may do with it. */
  async issueForUser({ user, clientId, audience, permissions, proof, claims }: UserToken): Promise<IssuedToken> {
    const { directory } = this.options;
    const api = this.apiFor(audience);
    return this.sign({
      api,
      lifetimeSeconds: this.clientTokenSeconds(),
      claims: {
        ...commonClaims(user, directory.tenantId),
        sub: pairwiseSubject(user, api?.appId ?? audience),
        ...audienceClaims(api, { audience, clientId, proof }),
        ...userClaims(user, api ? "2.0" : "1.0"),
        scp: permissions.join(" "),
        ...membershipClaims(directory, user, api),
        ...requestedClaims(claims),
      },
    });
  }

  /** Tells the client who signed in. */
  async issueIdToken({ user, clientId, nonce }: { user: Principal; clientId: string; nonce: string | undefined }) {
    const { directory, authority } = this.options;
    const api = directory.findApi(clientId);
    const { accessToken } = await this.sign({
      issuer: `${authority()}/${directory.tenantId}/v2.0`,
      lifetimeSeconds: this.clientTokenSeconds(),
      claims: {
        aud: clientId,
        oid: user.objectId,
        sub: pairwiseSubject(user, clientId),
        tid: directory.tenantId,
        ...userClaims(user, "2.0"),
        ...(nonce === undefined ? {} : { nonce }),
        ...(api?.groupMembershipClaims ? groupClaims(directory, user) : {}),
        ver: "2.0",
      },
    });
    return accessToken;
  }

  private apiFor(audience: string): ApiApplication | undefined {
    const api = this.options.directory.findApi(audience);
    if (!api && !isFirstPartyAudience(audience)) throw new UnknownAudienceError(audience);
    return api;
  }

  private clientTokenSeconds(): number {
    return this.options.clientTokenSeconds ?? CLIENT_TOKEN_SECONDS;
  }

  private async sign({ api, issuer, claims, lifetimeSeconds }: Unsigned): Promise<IssuedToken> {
    const { directory, key, authority } = this.options;
    const { keyId, privateKey } = key.current;
    const { tenantId } = directory;
    const nowSeconds = Math.floor(Date.now() / 1000);
    const byVersion = api ? `${authority()}/${tenantId}/v2.0` : `https://sts.windows.net/${tenantId}/`;
    const accessToken = await new SignJWT({ iss: issuer ?? byVersion, ...claims })
      .setProtectedHeader({ typ: "JWT", alg: "RS256", kid: keyId, x5t: keyId })
      .setIssuedAt(nowSeconds)
      // Entra sets the clock back by five minutes for services whose clock is late.
      .setNotBefore(nowSeconds - 300)
      .setExpirationTime(nowSeconds + lifetimeSeconds)
      .sign(privateKey);
    return { accessToken, expiresAt: new Date((nowSeconds + lifetimeSeconds) * 1000) };
  }
}

interface Unsigned {
  readonly api?: ApiApplication | undefined;
  /** Where it is not the one that the token's version has. */
  readonly issuer?: string;
  readonly claims: Readonly<Record<string, unknown>>;
  readonly lifetimeSeconds: number;
}
