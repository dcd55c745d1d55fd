import { createLocalJWKSet, createRemoteJWKSet, errors, jwtVerify, type JWTPayload, type JWTVerifyGetKey } from "jose";

/** Who calls. Authorization uses tenant, object id and group ids only: nothing that a user can choose. */
export interface Caller {
  /** In lower case, as all ids here. */
  readonly objectId: string;
  readonly tenantId: string;
  readonly kind: "user" | "app";
  /** Application that asked for the token. */
  readonly appId: string;
  /** Object ids of his groups, where the token lists them. */
  readonly groupIds: readonly string[];
  /** He is in more groups than a token can list: what his groups may do is not known. */
  readonly hasMoreGroups: boolean;
  /** Delegated permissions (`scp`), of users. */
  readonly scopes: readonly string[];
  /** Application permissions (`roles`). */
  readonly appRoles: readonly string[];
  /** Authentication contexts of Conditional Access that were met (`acrs`). */
  readonly authenticationContexts: readonly string[];
  /** Names this token in the audit; not the token. */
  readonly tokenId: string;
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
/** At most one fetch in this time, however many unknown keys tokens name. */
const KEY_COOLDOWN_MS = 30_000;
const KEY_FETCH_TIMEOUT_MS = 5_000;
const GUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;
/** Longer than any token that Entra issues; what is longer is not looked at. */
const MAX_TOKEN_CHARACTERS = 32_768;

/** Verifies Entra access tokens in code: signature, issuer, audience, tenant and times. Headers that App Service adds are not looked at. */
export class TokenVerifier {
  private readonly keys: ReturnType<typeof createRemoteJWKSet>;
  /** Issuer by token version; a version with the other's issuer is refused. */
  private readonly issuers: Readonly<Record<string, string>>;
  private readonly audiences: readonly string[];

  constructor(private readonly options: TokenVerifierOptions) {
    const { authority, tenantId, audience } = options;
    this.keys = createRemoteJWKSet(new URL(`${authority}/${tenantId}/discovery/v2.0/keys`), {
      cooldownDuration: KEY_COOLDOWN_MS,
      timeoutDuration: KEY_FETCH_TIMEOUT_MS,
    });
    this.issuers = { "1.0": `https://sts.windows.net/${tenantId}/`, "2.0": `${authority}/${tenantId}/v2.0` };
    this.audiences = [audience];
  }

  /** @param authorization the request's header, `Bearer <token>` */
  async verify(authorization: string | null): Promise<Verification> {
    const token = /^Bearer ([^\s]+)$/i.exec(authorization ?? "")?.[1];
    if (token === undefined) return refused("a bearer token is required");
    if (token.length > MAX_TOKEN_CHARACTERS) return refused("the token is not valid for this API");
    try {
      return this.callerOf(await this.payloadOf(token, this.keys));
    } catch (error) {
      if (isAboutToken(error)) return refused("the token is not valid for this API");
      return this.verifyWithLastKeys(token);
    }
  }

  /** The keys cannot be fetched now: those that were had last go on counting, and say nothing of tokens that other keys have signed. */
  private async verifyWithLastKeys(token: string): Promise<Verification> {
    const last = this.keys.jwks();
    if (!last) return { outcome: "unavailable" };
    try {
      return this.callerOf(await this.payloadOf(token, createLocalJWKSet(last)));
    } catch (error) {
      if (error instanceof errors.JWKSNoMatchingKey || !isAboutToken(error)) return { outcome: "unavailable" };
      return refused("the token is not valid for this API");
    }
  }

  private async payloadOf(token: string, keys: JWTVerifyGetKey): Promise<JWTPayload> {
    const { payload } = await jwtVerify(token, keys, {
      algorithms: ["RS256"],
      issuer: Object.values(this.issuers),
      audience: [...this.audiences],
      clockTolerance: CLOCK_TOLERANCE_SECONDS,
      requiredClaims: ["exp", "iat", "nbf", "tid", "oid", "sub", "ver"],
    });
    return payload;
  }

  private callerOf(payload: JWTPayload): Verification {
    const { tid, oid, ver, iss, iat = 0 } = payload;
    if (tid !== this.options.tenantId) return refused("the token is of another tenant");
    if (typeof ver !== "string" || this.issuers[ver] !== iss) return refused("the token's version and issuer differ");
    if (iat > Date.now() / 1000 + CLOCK_TOLERANCE_SECONDS) return refused("the token is of the future");
    const appId = ver === "1.0" ? payload["appid"] : payload["azp"];
    if (typeof oid !== "string" || !GUID.test(oid)) return refused("the token names no object id");
    if (typeof appId !== "string" || !GUID.test(appId)) return refused("the token names no client application");
    const scopes = wordsOf(payload["scp"]);
    const appRoles = textsOf(payload["roles"]);
    const kind = scopes.length > 0 ? "user" : "app";
    const { idtyp } = payload;
    if (idtyp !== undefined && idtyp !== kind) return refused("the token's kind and permissions differ");
    const groups = textsOf(payload["groups"]);
    const caller: Caller = {
      objectId: oid.toLowerCase(),
      tenantId: tid,
      kind,
      appId: appId.toLowerCase(),
      groupIds: groups.filter((id) => GUID.test(id)).map((id) => id.toLowerCase()),
      hasMoreGroups: groups.length === 0 && hasOverage(payload),
      scopes,
      appRoles,
      authenticationContexts: textsOf(payload["acrs"]),
      tokenId: typeof payload["uti"] === "string" ? payload["uti"].slice(0, 64) : `${oid}.${iat}`,
    };
    return { outcome: "verified", caller };
  }
}

const refused = (reason: string): Verification => ({ outcome: "refused", reason });

const textsOf = (claim: unknown): string[] =>
  Array.isArray(claim) ? claim.filter((one) => typeof one === "string") : [];

const wordsOf = (claim: unknown): string[] =>
  typeof claim === "string" ? claim.split(" ").filter((word) => word !== "") : [];

/** https://learn.microsoft.com/entra/identity-platform/access-token-claims-reference#groups-overage-claim */
function hasOverage(payload: JWTPayload): boolean {
  const names = payload["_claim_names"];
  if (payload["hasgroups"] === true || payload["hasgroups"] === "true") return true;
  return typeof names === "object" && names !== null && "groups" in names;
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
