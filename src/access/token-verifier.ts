import { createRemoteJWKSet, errors, jwtVerify, type JWTPayload } from "jose";

/** Who calls, by the claims that authorization may use: tenant and object id, nothing that a user can choose. */
export interface Caller {
  readonly objectId: string;
  readonly tenantId: string;
}

/** `unavailable`: the keys could not be had, so nothing can be said; the caller must be told to come again, not that he is refused. */
export type Verification =
  | { readonly outcome: "verified"; readonly caller: Caller }
  | { readonly outcome: "refused"; readonly reason: string }
  | { readonly outcome: "unavailable" };

export interface TokenVerifierOptions {
  readonly authority: string;
  readonly tenantId: string;
  readonly audience: string;
}

const CLOCK_TOLERANCE_SECONDS = 60;

/** Verifies Entra access tokens in code: signature, issuer, audience, tenant and times. Headers that App Service adds are not looked at. */
export class TokenVerifier {
  private readonly keys: ReturnType<typeof createRemoteJWKSet>;
  private readonly issuers: string[];

  constructor(private readonly options: TokenVerifierOptions) {
    const { authority, tenantId } = options;
    this.keys = createRemoteJWKSet(new URL(`${authority}/${tenantId}/discovery/v2.0/keys`), {
      cooldownDuration: 30_000,
    });
    this.issuers = [`${authority}/${tenantId}/v2.0`, `https://sts.windows.net/${tenantId}/`];
  }

  async verify(authorization: string | null): Promise<Verification> {
    const token = /^Bearer ([^\s]+)$/i.exec(authorization ?? "")?.[1];
    if (token === undefined) return { outcome: "refused", reason: "a bearer token is required" };
    try {
      const { payload } = await jwtVerify(token, this.keys, {
        algorithms: ["RS256"],
        issuer: this.issuers,
        audience: this.options.audience,
        clockTolerance: CLOCK_TOLERANCE_SECONDS,
        requiredClaims: ["exp", "iat", "tid", "oid"],
      });
      return this.callerOf(payload);
    } catch (error) {
      if (isAboutToken(error)) return { outcome: "refused", reason: "the token is not valid for this API" };
      return { outcome: "unavailable" };
    }
  }

  private callerOf(payload: JWTPayload): Verification {
    const { tid, oid } = payload;
    if (tid !== this.options.tenantId || typeof oid !== "string" || oid === "") {
      return { outcome: "refused", reason: "the token is of another tenant" };
    }
    return { outcome: "verified", caller: { objectId: oid.toLowerCase(), tenantId: tid } };
  }
}

/** An error that the token itself caused; anything else is about the keys. */
function isAboutToken(error: unknown): boolean {
  if (!(error instanceof errors.JOSEError)) return false;
  return (
    !(error instanceof errors.JWKSTimeout) &&
    error.code !== "ERR_JOSE_GENERIC" &&
    !(error instanceof errors.JWKSInvalid)
  );
}
