import type { WireReply, WireRequest } from "../http/wire";
import { type ClaimsRequest, parseClaimsRequest } from "./claims-request";
import { authenticateClient, type ProvenClient } from "./client-authentication";
import type { Directory } from "./directory";
import {
  EntraRefusal,
  malformedRequest,
  missingParameter,
  unknownResource,
  unsupportedGrant,
  wrongScope,
} from "./entra-errors";
import type { GrantStore } from "./grant-store";
import { applicationAudience } from "./scopes";
import { noTenantNamed } from "./sign-in-errors";
import { type TokenIssuer, UnknownAudienceError } from "./token-issuer";
import { tokenReply } from "./token-reply";
import { redeemCode, redeemDeviceCode, redeemRefreshToken, type UserGrant } from "./user-grants";
import { userTokens } from "./user-tokens";

export interface TokenEndpointOptions {
  readonly directory: Directory;
  readonly issuer: TokenIssuer;
  readonly grants: GrantStore;
  /** `https://localhost:<port>` */
  readonly authority: () => string;
  /** How long a client must wait between two polls of the device code flow. */
  readonly deviceCodeIntervalSeconds: number;
}

export interface TokenCall {
  readonly request: WireRequest;
  /** `common` and `organizations` name no tenant; `adfs` is the path of an on-premises server. */
  readonly tenant: string;
}

type Redeem = (options: TokenEndpointOptions, proven: ProvenClient, form: URLSearchParams) => UserGrant;

const DEVICE_CODE = "urn:ietf:params:oauth:grant-type:device_code";

const USER_GRANTS: Readonly<Record<string, Redeem>> = {
  authorization_code: redeemCode,
  refresh_token: redeemRefreshToken,
  [DEVICE_CODE]: redeemDeviceCode,
  // The name that Entra had before the standard's, and that some clients still send.
  device_code: redeemDeviceCode,
};

/** Answers a request for tokens; refusals are thrown. */
export async function answerTokenCall(options: TokenEndpointOptions, { request, tenant }: TokenCall) {
  const form = new URLSearchParams(request.body.toString("utf8"));
  const grant = form.get("grant_type");
  if (!grant) throw new EntraRefusal(missingParameter("grant_type"));
  const redeem = Object.hasOwn(USER_GRANTS, grant) ? USER_GRANTS[grant] : undefined;
  if (!redeem && grant !== "client_credentials") throw new EntraRefusal(unsupportedGrant(grant));
  const audiences = (): string[] => assertionAudiences(options);
  const { directory } = options;
  const proven = await authenticateClient({ directory, audiences }, { form, headers: request.headers, grant });
  const claims = parseClaimsRequest(form.get("claims"));
  if (!claims) throw new EntraRefusal(malformedRequest());
  try {
    if (!redeem) return await applicationToken(options, { proven, form, claims, tenant });
    return await userTokens(options, { proven, form, claims, grant: redeem(options, proven, form) });
  } catch (error) {
    if (error instanceof UnknownAudienceError)
      throw new EntraRefusal(unknownResource(error.message, directory.tenantId));
    throw error;
  }
}

/** Every spelling of this token endpoint and of the tenant that clients sign assertions for. */
function assertionAudiences({ authority, directory }: TokenEndpointOptions): string[] {
  const tenant = `${authority()}/${directory.tenantId}`;
  return [
    `${tenant}/oauth2/v2.0/token`,
    `${tenant}/oauth2/token`,
    `${tenant}/v2.0`,
    `${authority()}/adfs/oauth2/token`,
    `https://sts.windows.net/${directory.tenantId}/`,
  ];
}

interface ApplicationCall {
  readonly proven: ProvenClient;
  readonly form: URLSearchParams;
  readonly claims: ClaimsRequest;
  readonly tenant: string;
}

async function applicationToken(
  { issuer }: TokenEndpointOptions,
  { proven, form, claims, tenant }: ApplicationCall,
): Promise<WireReply> {
  if (["common", "organizations"].includes(tenant)) throw noTenantNamed();
  const resource = form.get("resource");
  const audience = resource ?? audienceOfScope(form.get("scope"));
  const { principal } = proven.client;
  // Microsoft's own programs are public and were refused above; all others have a principal.
  if (!principal) throw new EntraRefusal(malformedRequest());
  const token = await issuer.issue(principal, audience, { proof: proven.proof, claims });
  return tokenReply(resource === null ? {} : { resource }, token);
}

function audienceOfScope(scope: string | null): string {
  if (!scope) throw new EntraRefusal(missingParameter("scope"));
  const audience = applicationAudience(scope);
  if (!audience) throw new EntraRefusal(wrongScope(scope));
  return audience;
}
