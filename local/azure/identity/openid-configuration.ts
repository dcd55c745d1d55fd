/** What a tenant says about itself: https://learn.microsoft.com/entra/identity-platform/v2-protocols-oidc */
export function openIdConfiguration({
  authority,
  tenantId,
  tenant,
}: {
  readonly authority: string;
  readonly tenantId: string;
  /** As the path names it. */
  readonly tenant: string;
}): Readonly<Record<string, unknown>> {
  return tenant === "adfs" ? onPremises(`${authority}/adfs`) : inTheCloud({ authority, tenantId, tenant });
}

const supported = {
  token_endpoint_auth_methods_supported: ["client_secret_post", "private_key_jwt", "client_secret_basic"],
  response_modes_supported: ["query", "fragment", "form_post"],
  subject_types_supported: ["pairwise"],
  id_token_signing_alg_values_supported: ["RS256"],
  response_types_supported: ["code"],
  scopes_supported: ["openid", "profile", "email", "offline_access"],
  code_challenge_methods_supported: ["plain", "S256"],
  request_uri_parameter_supported: false,
  claims_supported: [
    "sub",
    "iss",
    "aud",
    "exp",
    "iat",
    "nonce",
    "preferred_username",
    "name",
    "tid",
    "oid",
    "ver",
    "groups",
  ],
};

function inTheCloud({ authority, tenantId, tenant }: { authority: string; tenantId: string; tenant: string }) {
  const isAnyTenant = ["common", "organizations"].includes(tenant);
  const base = `${authority}/${isAnyTenant ? tenant : tenantId}`;
  return {
    ...supported,
    // Of `common` the issuer is a pattern, word for word: the tokens name the user's tenant.
    issuer: `${authority}/${isAnyTenant ? "{tenantid}" : tenantId}/v2.0`,
    token_endpoint: `${base}/oauth2/v2.0/token`,
    authorization_endpoint: `${base}/oauth2/v2.0/authorize`,
    device_authorization_endpoint: `${base}/oauth2/v2.0/devicecode`,
    jwks_uri: `${base}/discovery/v2.0/keys`,
    tenant_region_scope: "NA",
    cloud_instance_name: "microsoftonline.com",
  };
}

const onPremises = (base: string) => ({
  ...supported,
  issuer: base,
  token_endpoint: `${base}/oauth2/token`,
  authorization_endpoint: `${base}/oauth2/authorize`,
  device_authorization_endpoint: `${base}/oauth2/devicecode`,
  jwks_uri: `${base}/discovery/keys`,
  access_token_issuer: base,
});
