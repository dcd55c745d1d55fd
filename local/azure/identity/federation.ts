import { createRemoteJWKSet, customFetch, errors, type JWTPayload, jwtVerify } from "jose";
import { checkTimes } from "./assertion-times";
import type { Client } from "./clients";
import type { Directory } from "./directory";
import {
  malformedAssertion,
  noFederationForAudience,
  noFederationForIssuer,
  noFederationForSubject,
  wrongAssertionSignature,
} from "./sign-in-errors";

interface Presented {
  readonly assertion: string;
  readonly claims: JWTPayload;
}

/** A token of another issuer stands for the client where issuer, subject and audience were registered, letter for letter. */
export async function checkFederation(directory: Directory, client: Client, presented: Presented): Promise<void> {
  const { assertion, claims } = presented;
  const byIssuer = directory.clientKeys.federationsOf(client.clientId).filter(({ issuer }) => issuer === claims.iss);
  if (byIssuer.length === 0) throw noFederationForIssuer(claims.iss);
  const bySubject = byIssuer.filter(({ subject }) => subject === claims.sub);
  if (bySubject.length === 0) throw noFederationForSubject(claims.sub);
  const audiences = [claims.aud ?? []].flat();
  const found = bySubject.find(({ audience }) => audiences.includes(audience));
  if (!found) throw noFederationForAudience(audiences.join(","));
  checkTimes(claims);
  await checkSignature(assertion, { issuer: found.issuer, clientId: client.clientId });
}

async function checkSignature(assertion: string, { issuer, clientId }: { issuer: string; clientId: string }) {
  const keys = createRemoteJWKSet(await keysUrlOf(issuer), { [customFetch]: fetchShortly });
  try {
    await jwtVerify(assertion, keys, { issuer, clockTolerance: 300 });
  } catch (error) {
    if (error instanceof errors.JOSEError) throw wrongAssertionSignature(clientId, "");
    throw unreadableKeys(issuer);
  }
}

const unreadableKeys = (issuer: string): Error =>
  malformedAssertion(`The keys of its issuer '${issuer}' could not be read.`);

/** An issuer says in its OpenID configuration where its keys are. Only registered issuers are asked. */
async function keysUrlOf(issuer: string): Promise<URL> {
  try {
    const answer = await fetchShortly(`${issuer.replace(/\/$/, "")}/.well-known/openid-configuration`);
    const { jwks_uri: keys } = (await answer.json()) as { jwks_uri?: unknown };
    return new URL(String(keys));
  } catch {
    throw unreadableKeys(issuer);
  }
}

const fetchShortly = (url: string): Promise<Response> => fetch(url, { signal: AbortSignal.timeout(5000) });
