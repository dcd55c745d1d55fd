import { createHash, randomBytes } from "node:crypto";
import { decodeJwt, type JWTPayload } from "jose";
import type { AzureFixture } from "../../local/azure/azure-fixture";
import { type RawReply, send, TENANT } from "../../local/azure/wire";

export const ARM_SCOPE = "https://management.azure.com/.default";
export const API = "33333333-3333-4333-8333-333333333333";
/** Azure's own command line, a public client of every tenant, and the default of @azure/identity. */
export const AZURE_CLI = "04b07795-8ddb-461a-bbee-02f9e1bf7b46";
export const REDIRECT = "http://localhost:4280";

/** How the official credentials find the simulator. */
export const authorityOf = ({ azure }: AzureFixture) => ({
  authorityHost: azure.armUrl,
  disableInstanceDiscovery: true,
  tlsOptions: { ca: azure.caPem },
});

const FORM = { "Content-Type": "application/x-www-form-urlencoded" };

export const postForm = (
  fixture: Pick<AzureFixture, "azure">,
  path: string,
  { fields, headers = {} }: { fields: Readonly<Record<string, string>>; headers?: Readonly<Record<string, string>> },
): Promise<RawReply> =>
  send(fixture, {
    method: "POST",
    path,
    headers: { ...FORM, ...headers },
    text: new URLSearchParams(fields).toString(),
  });

export const askToken = (
  fixture: Pick<AzureFixture, "azure">,
  fields: Readonly<Record<string, string>>,
  tenant = TENANT,
): Promise<RawReply> => postForm(fixture, `/${tenant}/oauth2/v2.0/token`, { fields });

/** The number of a refusal, as in `AADSTS7000215`. */
export const numberOf = ({ body }: RawReply): number | undefined =>
  (body as { error_codes?: number[] } | undefined)?.error_codes?.[0];

export interface Challenge {
  readonly verifier: string;
  readonly challenge: string;
}

export function newChallenge(): Challenge {
  const verifier = randomBytes(32).toString("base64url");
  return { verifier, challenge: createHash("sha256").update(verifier).digest("base64url") };
}

/** A person signs in on the page, and the client finds the code in its redirect. */
export async function authorize(
  fixture: Pick<AzureFixture, "azure">,
  fields: Readonly<Record<string, string>>,
): Promise<URLSearchParams> {
  const asked = {
    client_id: AZURE_CLI,
    response_type: "code",
    redirect_uri: REDIRECT,
    scope: `${ARM_SCOPE} openid profile offline_access`,
    ...fields,
  };
  const { headers } = await postForm(fixture, `/${TENANT}/oauth2/v2.0/authorize`, { fields: asked });
  return new URL(String(headers["location"])).searchParams;
}

export const redeem = (
  fixture: Pick<AzureFixture, "azure">,
  code: string,
  more: Readonly<Record<string, string>> = {},
): Promise<RawReply> =>
  askToken(fixture, {
    grant_type: "authorization_code",
    client_id: AZURE_CLI,
    redirect_uri: REDIRECT,
    client_info: "1",
    code,
    ...more,
  });

export interface TokenBody {
  readonly access_token: string;
  readonly refresh_token: string;
  readonly id_token: string;
  readonly client_info: string;
  readonly scope: string;
}

/** Tokens of a user for a scope, by way of the page. */
export async function tokensOf(
  fixture: Pick<AzureFixture, "azure">,
  user: string,
  more: Readonly<Record<string, string>> = {},
): Promise<TokenBody> {
  const code = (await authorize(fixture, { user, ...more })).get("code") ?? "";
  return (await redeem(fixture, code)).body as TokenBody;
}

export const claimsOf = (token: string): JWTPayload => decodeJwt(token);
