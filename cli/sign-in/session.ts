import {
  type AccessToken,
  type AuthenticationRecord,
  AuthenticationRequiredError,
  type GetTokenOptions,
  type TokenCredential,
} from "@azure/identity";
import { CliError, EXIT, messageOf, signInNeeded } from "../cli-error";
import { type PersonCredential, personCredential, type SignInAsk, unattendedCredential } from "./credentials";
import { isInteractive, type Way } from "./way";

/** Signs a person in anew, whatever is kept of him. */
export async function signIn(
  way: "browser" | "device-code",
  ask: SignInAsk,
  scope: string,
): Promise<AuthenticationRecord> {
  const credential = personCredential(way, { ...ask, record: undefined });
  try {
    const record = await credential.authenticate(scope, { enableCae: true });
    if (record) return record;
  } catch (error) {
    throw failed(way, ask, error);
  }
  throw signInNeeded("signing in ended without an account: try again");
}

/** Tokens in one of the ways for every client of the CLI: Corral's API, ARM, Key Vault. */
export function sessionOf(way: Way, ask: SignInAsk): TokenCredential {
  if (!isInteractive(way)) {
    const credential = unattendedCredential(way, ask);
    return tokensOf(way, ask, (scopes, options) => credential.getToken(scopes, options));
  }
  const credential = personCredential(way, ask);
  return tokensOf(way, ask, (scopes, options) => tokenOfPerson(credential, scopes, options));
}

/**
 * A challenge may need the person, who is there: he has just started the command. All else is silent or ends with the words that signing in
 * is needed.
 */
async function tokenOfPerson(
  credential: PersonCredential,
  scopes: string | string[],
  options: GetTokenOptions,
): Promise<AccessToken | null> {
  try {
    return await credential.getToken(scopes, options);
  } catch (error) {
    if (!(error instanceof AuthenticationRequiredError) || options.claims === undefined) throw error;
    await credential.authenticate(scopes, options);
    return credential.getToken(scopes, options);
  }
}

type Get = (scopes: string | string[], options: GetTokenOptions) => Promise<AccessToken | null>;

function tokensOf(way: Way, ask: SignInAsk, get: Get): TokenCredential {
  return {
    getToken: async (scopes, options = {}) => {
      try {
        // Every client says that it can take a challenge: tokens that differ in it are kept apart and renewed apart.
        return await get(scopes, { ...options, enableCae: true });
      } catch (error) {
        throw failed(way, ask, error);
      }
    },
  };
}

/** What Entra said, on one line, and what to do next. Its trace ids help support, and nobody else. */
function failed(way: Way, { target }: SignInAsk, error: unknown): CliError {
  if (error instanceof CliError) return error;
  if (error instanceof AuthenticationRequiredError && isInteractive(way))
    return signInNeeded("your sign-in has ended: corral login");
  const said = messageOf(error).split(/\s*(?:\r?\n|Trace ID:)/)[0] ?? "";
  return new CliError(`signing in to tenant ${target.tenantId} by ${way} failed: ${said}${NEXT[way]}`, EXIT.signIn);
}

const NEXT: Readonly<Record<Way, string>> = {
  browser: " (without a browser on this computer: corral login --sign-in device-code)",
  "device-code": " (start again with corral login)",
  "service-principal": " (look at AZURE_TENANT_ID, AZURE_CLIENT_ID and the secret or certificate in the environment)",
  "azure-cli": "",
  "managed-identity":
    " (this way works on an Azure machine that has an identity; AZURE_CLIENT_ID names one of several)",
};
