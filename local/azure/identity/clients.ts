import type { Directory, Principal } from "./directory";
import { EntraRefusal, unknownClient } from "./entra-errors";

/** Who asks for tokens in a user's name, or in its own. */
export interface Client {
  readonly clientId: string;
  readonly displayName: string;
  readonly isPublic: boolean;
  readonly redirectUris: readonly string[];
  /** Absent for Microsoft's own programs, which have no application in the tenant. */
  readonly principal: Principal | undefined;
}

/** Microsoft's programs that are known in every tenant, by their published client ids. */
const FIRST_PARTY: Readonly<Record<string, string>> = {
  "04b07795-8ddb-461a-bbee-02f9e1bf7b46": "Microsoft Azure CLI",
  "1950a258-227b-4e31-a9cf-717495945fc2": "Microsoft Azure PowerShell",
  "aebc6443-996d-45c2-90f0-388ff96faa56": "Visual Studio Code",
};

export function findClient(directory: Directory, clientId: string): Client {
  const displayName = FIRST_PARTY[clientId.toLowerCase()];
  if (displayName) return { clientId, displayName, isPublic: true, redirectUris: [], principal: undefined };
  const principal = directory.findByClientId(clientId);
  if (principal?.kind !== "application") throw new EntraRefusal(unknownClient(clientId, directory.tenantId));
  return {
    clientId: principal.clientId ?? clientId,
    displayName: principal.displayName,
    isPublic: principal.isPublicClient ?? false,
    redirectUris: principal.redirectUris ?? [],
    principal,
  };
}

/** Registered word for word; of `http://localhost` the port does not count, as a program takes any free one. */
export function mayRedirectTo({ isPublic, redirectUris }: Client, redirectUri: string): boolean {
  if (redirectUris.includes(redirectUri)) return true;
  const url = parseUrl(redirectUri);
  if (url?.protocol !== "http:" || !["localhost", "127.0.0.1"].includes(url.hostname)) return false;
  if (isPublic && redirectUris.length === 0) return true;
  return redirectUris.some((registered) => {
    const known = parseUrl(registered);
    return known?.protocol === url.protocol && known.hostname === url.hostname && known.pathname === url.pathname;
  });
}

function parseUrl(text: string): URL | undefined {
  return URL.canParse(text) ? new URL(text) : undefined;
}
