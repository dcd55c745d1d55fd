import type { FaultPlan } from "../../faults/fault-plan";
import { answerWithFaults } from "../http/answer-with-faults";
import type { DROPPED, WireHandler, WireReply, WireRequest } from "../http/wire";
import type { Directory } from "./directory";
import {
  missingParameter,
  tenantNotFound,
  unknownClient,
  unknownResource,
  unsupportedGrant,
  wrongScope,
  wrongSecret,
} from "./entra-errors";
import type { SigningKey } from "./signing-key";
import { type TokenIssuer, UnknownAudienceError } from "./token-issuer";

export interface EntraRoutesOptions {
  readonly directory: Directory;
  readonly issuer: TokenIssuer;
  readonly key: SigningKey;
  readonly faults: FaultPlan;
  readonly authority: () => string;
}

/** The tenant's endpoints below `https://<authority>/<tenant>/`. */
export function createEntraRoutes(options: EntraRoutesOptions): WireHandler {
  const { directory, key } = options;
  return async (request) => {
    const [, tenant = "", ...rest] = request.path.split("/");
    const endpoint = `${request.method} ${rest.join("/").toLowerCase()}`;
    if (tenant.toLowerCase() !== directory.tenantId.toLowerCase()) return tenantNotFound(tenant);
    switch (endpoint) {
      case "GET v2.0/.well-known/openid-configuration":
        return { status: 200, body: openIdConfiguration(options.authority(), directory.tenantId) };
      case "GET discovery/v2.0/keys":
        return { status: 200, body: { keys: [key.jwk] } };
      case "POST oauth2/v2.0/token":
        return tokenWithFaults(options, request);
      default:
        return { status: 404 };
    }
  };
}

const openIdConfiguration = (authority: string, tenantId: string) => ({
  token_endpoint: `${authority}/${tenantId}/oauth2/v2.0/token`,
  token_endpoint_auth_methods_supported: ["client_secret_post", "client_secret_basic"],
  jwks_uri: `${authority}/${tenantId}/discovery/v2.0/keys`,
  response_modes_supported: ["query", "fragment", "form_post"],
  subject_types_supported: ["pairwise"],
  id_token_signing_alg_values_supported: ["RS256"],
  response_types_supported: ["code", "id_token", "code id_token", "id_token token"],
  scopes_supported: ["openid", "profile", "email", "offline_access"],
  issuer: `${authority}/${tenantId}/v2.0`,
  authorization_endpoint: `${authority}/${tenantId}/oauth2/v2.0/authorize`,
  device_authorization_endpoint: `${authority}/${tenantId}/oauth2/v2.0/devicecode`,
  claims_supported: ["sub", "iss", "aud", "exp", "iat", "nonce", "tid", "ver"],
});

function tokenWithFaults(options: EntraRoutesOptions, request: WireRequest): Promise<WireReply | typeof DROPPED> {
  const form = new URLSearchParams(request.body.toString("utf8"));
  return answerWithFaults({
    faults: options.faults,
    call: { service: "entra", operation: "token", subject: form.get("client_id") ?? "" },
    answer: () => issueToken(options, form),
    refuse: ({ status, headers, code, message }) => ({
      status,
      headers,
      body: { error: code, error_description: message },
    }),
  });
}

async function issueToken({ directory, issuer }: EntraRoutesOptions, form: URLSearchParams): Promise<WireReply> {
  for (const name of ["grant_type", "client_id"]) if (!form.get(name)) return missingParameter(name);
  const grant = form.get("grant_type") ?? "";
  if (grant !== "client_credentials") return unsupportedGrant(grant);
  const clientId = form.get("client_id") ?? "";
  const scope = form.get("scope");
  const secret = form.get("client_secret");
  if (!scope) return missingParameter("scope");
  if (!secret) return missingParameter("client_secret");
  const principal = directory.findByClientId(clientId);
  if (!principal) return unknownClient(clientId, directory.tenantId);
  if (!directory.isSecretOf(principal, secret)) return wrongSecret(clientId);
  const audience = scope
    .split(" ")
    .find((part) => part.endsWith("/.default"))
    ?.slice(0, -"/.default".length);
  if (!audience) return wrongScope(scope);
  try {
    const { accessToken, expiresAt } = await issuer.issue(principal, audience);
    const expiresIn = Math.max(0, Math.round((expiresAt.getTime() - Date.now()) / 1000));
    return {
      status: 200,
      headers: { "Cache-Control": "no-store, no-cache" },
      body: { token_type: "Bearer", expires_in: expiresIn, ext_expires_in: expiresIn, access_token: accessToken },
    };
  } catch (error) {
    if (error instanceof UnknownAudienceError) return unknownResource(audience, directory.tenantId);
    throw error;
  }
}
