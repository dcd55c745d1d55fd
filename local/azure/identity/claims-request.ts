/** What a client asks to find in the access token, after a claims challenge or because it can take one. */
export interface ClaimsRequest {
  /** Authentication contexts: https://learn.microsoft.com/entra/identity-platform/developer-guide-conditional-access-authentication-context */
  readonly acrs: readonly string[];
  /** `CP1`: the client can take a claims challenge. */
  readonly capabilities: readonly string[];
}

export const NO_CLAIMS: ClaimsRequest = { acrs: [], capabilities: [] };

/** Reads the `claims` parameter of OpenID Connect; `undefined` for one that is no JSON object. */
export function parseClaimsRequest(text: string | null | undefined): ClaimsRequest | undefined {
  if (!text) return NO_CLAIMS;
  const parsed = parseObject(text);
  if (!parsed) return undefined;
  const wanted = asObject(parsed["access_token"]) ?? {};
  return { acrs: valuesOf(wanted["acrs"]), capabilities: valuesOf(wanted["xms_cc"]) };
}

function parseObject(text: string): Readonly<Record<string, unknown>> | undefined {
  try {
    return asObject(JSON.parse(text));
  } catch {
    // A stranger's text: that it is no JSON is the answer.
    return undefined;
  }
}

const asObject = (value: unknown): Readonly<Record<string, unknown>> | undefined =>
  typeof value === "object" && value !== null && !Array.isArray(value)
    ? (value as Readonly<Record<string, unknown>>) // an object has nothing but string keys in JSON
    : undefined;

function valuesOf(claim: unknown): string[] {
  const { value, values } = asObject(claim) ?? {};
  return [value, ...(Array.isArray(values) ? (values as unknown[]) : [])].filter((one) => typeof one === "string");
}
