import { errors, jwtVerify, type JWTPayload } from "jose";
import { ARM_AUDIENCES } from "../identity/audiences";
import type { Directory } from "../identity/directory";
import type { SigningKeys } from "../identity/signing-key";
import { ArmError } from "./arm-error";
import type { Caller } from "./resource-events";

export interface AuthenticationOptions {
  readonly directory: Directory;
  readonly key: SigningKeys;
  /** When the sessions of a principal were ended; its tokens from before are refused where the client can take a challenge. */
  readonly revokedAtMs?: (objectId: string) => number;
  readonly authority: () => string;
  /** What tokens must be for; ARM itself by default. */
  readonly audiences?: readonly string[];
}

const MAX_KNOWN_TOKENS = 1000;

/** Finds out who calls, from the bearer token alone, as ARM does. */
export class Authentication {
  private readonly known = new Map<string, { readonly caller: Caller; readonly expiresAtMs: number }>();

  constructor(private readonly options: AuthenticationOptions) {}

  async callerOf(authorization: string | undefined): Promise<Caller> {
    if (!authorization)
      throw this.refuse("AuthenticationFailed", "Authentication failed. The 'Authorization' header is missing.");
    const [scheme = "", token = ""] = authorization.split(" ");
    if (scheme.toLowerCase() !== "bearer" || !token) {
      throw this.refuse(
        "AuthenticationFailedInvalidHeader",
        "Authentication failed. The 'Authorization' header is provided in an invalid format.",
      );
    }
    const caller = this.knownCaller(token) ?? (await this.verifiedCaller(token));
    this.refuseRevoked(caller.claims);
    return caller;
  }

  private knownCaller(token: string): Caller | undefined {
    const known = this.known.get(token);
    return known && known.expiresAtMs > Date.now() ? known.caller : undefined;
  }

  private async verifiedCaller(token: string): Promise<Caller> {
    const claims = await this.verify(token);
    const caller = { objectId: text(claims["oid"]), appId: text(claims["appid"] ?? claims["azp"]), claims };
    if (this.known.size >= MAX_KNOWN_TOKENS) this.known.clear();
    this.known.set(token, { caller, expiresAtMs: (claims.exp ?? 0) * 1000 });
    return caller;
  }

  private async verify(token: string): Promise<JWTPayload> {
    const { directory, key, audiences = ARM_AUDIENCES } = this.options;
    const claims = await this.verifySignature(token, key);
    if (claims["tid"] !== directory.tenantId || claims.iss !== `https://sts.windows.net/${directory.tenantId}/`) {
      throw this.refuse(
        "InvalidAuthenticationTokenTenant",
        `The access token is from the wrong issuer '${text(claims.iss)}'. It must match the tenant 'https://sts.windows.net/${directory.tenantId}/' associated with this subscription.`,
      );
    }
    const audience = text(claims.aud);
    if (!audiences.some((one) => one === audience)) {
      throw this.refuse(
        "InvalidAuthenticationTokenAudience",
        `The access token has been obtained for wrong audience or resource '${audience}'. It should exactly match with one of the allowed audiences ${audiences.map((one) => `'${one}'`).join(",")}.`,
      );
    }
    return claims;
  }

  /** Continuous access evaluation: https://learn.microsoft.com/entra/identity-platform/claims-challenge */
  private refuseRevoked(claims: Caller["claims"]): void {
    const revokedAtMs = this.options.revokedAtMs?.(text(claims["oid"])) ?? 0;
    const capabilities = Array.isArray(claims["xms_cc"]) ? claims["xms_cc"].map((one) => text(one).toLowerCase()) : [];
    // `iat` counts whole seconds: a token of the second of the revocation is the new one.
    if (!capabilities.includes("cp1") || Number(claims["iat"] ?? 0) >= Math.floor(revokedAtMs / 1000)) return;
    const { authority, directory } = this.options;
    const wanted = { access_token: { nbf: { essential: true, value: String(Math.floor(revokedAtMs / 1000)) } } };
    const challenge = `Bearer authorization_uri="${authority()}/${directory.tenantId}", error="insufficient_claims", claims="${Buffer.from(JSON.stringify(wanted)).toString("base64")}"`;
    const message =
      "Continuous access evaluation resulted in claims challenge with result: InteractionRequired and code: TokenIssuedBeforeRevocationTimestamp";
    throw new ArmError(401, { code: "AuthenticationFailed", message }, { headers: { "WWW-Authenticate": challenge } });
  }

  private async verifySignature(token: string, key: SigningKeys): Promise<JWTPayload> {
    try {
      const { payload } = await jwtVerify(token, ({ kid }) => key.find(kid)?.publicKey ?? key.current.publicKey, {
        algorithms: ["RS256"],
        requiredClaims: ["exp", "iss", "aud", "oid"],
      });
      return payload;
    } catch (error) {
      if (error instanceof errors.JWTExpired) {
        const expiredAt = new Date((error.payload.exp ?? 0) * 1000).toISOString();
        throw this.refuse(
          "ExpiredAuthenticationToken",
          `The access token expiry UTC time '${expiredAt}' is earlier than current UTC time '${new Date().toISOString()}'.`,
        );
      }
      if (error instanceof errors.JOSEError)
        throw this.refuse("InvalidAuthenticationToken", "The access token is invalid.");
      throw error;
    }
  }

  private refuse(code: string, message: string): ArmError {
    const { authority, directory } = this.options;
    const challenge = `Bearer authorization_uri="${authority()}/${directory.tenantId}", error="invalid_token", error_description="${message}"`;
    return new ArmError(401, { code, message }, { headers: { "WWW-Authenticate": challenge } });
  }
}

const text = (claim: unknown): string => (typeof claim === "string" ? claim : "");
