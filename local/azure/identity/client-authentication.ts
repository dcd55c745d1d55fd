import type { IncomingHttpHeaders } from "node:http";
import { checkAssertion } from "./client-assertion";
import { type Client, findClient } from "./clients";
import type { Directory } from "./directory";
import { EntraRefusal, missingParameter, wrongSecret } from "./entra-errors";
import { clientIsPublic, clientMustProve, noClientProof, wrongAssertionType } from "./sign-in-errors";
import type { ClientProof } from "./token-claims";

export interface ProvenClient {
  readonly client: Client;
  readonly proof: ClientProof;
}

export interface ClientRequest {
  readonly form: URLSearchParams;
  readonly headers: IncomingHttpHeaders;
  readonly grant: string;
}

export interface ClientAuthenticationOptions {
  readonly directory: Directory;
  /** What an assertion may be meant for: the token endpoint, or the tenant. */
  readonly audiences: () => readonly string[];
}

const ASSERTION_TYPE = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";

/** Finds out which client asks, by its secret, by its assertion, or by nothing where it is a public one. */
export async function authenticateClient(
  options: ClientAuthenticationOptions,
  { form, headers, grant }: ClientRequest,
): Promise<ProvenClient> {
  const basic = basicCredentials(headers.authorization);
  const clientId = form.get("client_id") ?? basic?.clientId;
  if (!clientId) throw new EntraRefusal(missingParameter("client_id"));
  const secret = form.get("client_secret") ?? basic?.secret;
  const assertion = form.get("client_assertion");
  const client = findClient(options.directory, clientId);
  if (!secret && !assertion) return withoutProof(client, grant);
  if (client.isPublic) throw clientIsPublic();
  if (assertion) {
    if (form.get("client_assertion_type") !== ASSERTION_TYPE) throw wrongAssertionType();
    await checkAssertion(options, client, assertion);
    return { client, proof: "certificate" };
  }
  if (!client.principal || !secret || !options.directory.isSecretOf(client.principal, secret))
    throw new EntraRefusal(wrongSecret(clientId));
  return { client, proof: "secret" };
}

function withoutProof(client: Client, grant: string): ProvenClient {
  if (grant === "client_credentials") throw noClientProof();
  if (!client.isPublic) throw clientMustProve();
  return { client, proof: "none" };
}

function basicCredentials(authorization: string | undefined): { clientId: string; secret: string } | undefined {
  const encoded = /^Basic ([A-Za-z0-9+/=]+)$/i.exec(authorization ?? "")?.[1];
  if (!encoded) return undefined;
  const [clientId = "", secret = ""] = Buffer.from(encoded, "base64").toString("utf8").split(/:(.*)/s);
  return { clientId: unescape(clientId), secret: unescape(secret) };
}

/** RFC 6749 wants both percent-encoded; not every client does so. */
function unescape(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    // A secret that has a plain % in it.
    return text;
  }
}
