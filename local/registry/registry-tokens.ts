import { randomBytes, randomUUID } from "node:crypto";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { errors, jwtVerify, SignJWT } from "jose";

/** What a token permits: `repository`, `team/app`, `pull`; or `registry`, `catalog`, `*`. */
export interface TokenAccess {
  readonly type: string;
  readonly name: string;
  readonly actions: readonly string[];
}

export interface VerifiedToken {
  readonly objectId: string;
  readonly access: readonly TokenAccess[];
}

const ISSUER = "Azure Container Registry";
// As Azure's: three hours to ask for access with, and five quarters of an hour of access.
const REFRESH_SECONDS = 3 * 3600;
const ACCESS_SECONDS = 75 * 60;

/** The registry's own tokens: https://github.com/Azure/acr/blob/main/docs/AAD-OAuth.md */
export class RegistryTokens {
  private readonly secret: Uint8Array;

  constructor(folder: string) {
    const file = join(folder, "registry-tokens.key");
    if (!existsSync(file)) writeFileSync(file, randomBytes(32).toString("base64"), { mode: 0o600 });
    this.secret = Buffer.from(readFileSync(file, "utf8"), "base64");
  }

  issueRefresh(loginServer: string, objectId: string): Promise<string> {
    const claims = { grant_type: "refresh_token", permissions: { actions: ["read", "write", "delete"] } };
    return this.sign({ ...claims, oid: objectId }, loginServer, REFRESH_SECONDS);
  }

  issueAccess(loginServer: string, { objectId, access }: VerifiedToken): Promise<string> {
    return this.sign({ grant_type: "access_token", oid: objectId, access }, loginServer, ACCESS_SECONDS);
  }

  /** Undefined for what is no token of this registry, of that kind, that is still good. */
  async verify(
    token: string,
    { loginServer, kind }: { loginServer: string; kind: "refresh_token" | "access_token" },
  ): Promise<VerifiedToken | undefined> {
    try {
      const { payload } = await jwtVerify(token, this.secret, {
        issuer: ISSUER,
        audience: loginServer,
        algorithms: ["HS256"],
      });
      if (payload["grant_type"] !== kind) return undefined;
      // Signed by this class, so its claims have these types.
      return { objectId: String(payload["oid"]), access: (payload["access"] ?? []) as TokenAccess[] };
    } catch (error) {
      if (error instanceof errors.JOSEError) return undefined;
      throw error;
    }
  }

  private sign(claims: Record<string, unknown>, audience: string, seconds: number): Promise<string> {
    const now = Math.floor(Date.now() / 1000);
    return new SignJWT({ jti: randomUUID(), ...claims })
      .setProtectedHeader({ alg: "HS256", typ: "JWT" })
      .setIssuer(ISSUER)
      .setAudience(audience)
      .setIssuedAt(now)
      .setNotBefore(now - 900)
      .setExpirationTime(now + seconds)
      .sign(this.secret);
  }
}
