import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { type CryptoKey, exportJWK, generateKeyPair, SignJWT } from "jose";
import { API_APP_ROLE } from "../../src/contract/names";
import { TokenVerifier } from "../../src/access/token-verifier";

export const TENANT = "7e4a0000-0000-4000-8000-000000000001";
export const AUDIENCE = "api://corral-test";
export const CLIENT = "c11e0000-0000-4000-8000-000000000001";

/** Claims and header of a token; what is left out is that of a good token of v2.0. */
export interface TokenFields {
  readonly claims?: Record<string, unknown>;
  readonly key?: "own" | "stranger" | "unknown";
  readonly algorithm?: "RS256" | "RS512";
  readonly issuedSecondsAgo?: number;
  readonly lifetimeSeconds?: number;
}

export interface EntraKeys {
  readonly authority: string;
  readonly verifier: TokenVerifier;
  /** How often the keys were asked for. */
  fetches: number;
  /** What the key endpoint answers instead of its keys. */
  failure: { readonly status: number; readonly body: string } | undefined;
  /** A bearer header for the object id, signed with a key that was made in this test. */
  bearerOf(objectId: string, fields?: TokenFields): Promise<string>;
  /** A verifier that has fetched no keys yet. */
  newVerifier(): TokenVerifier;
  close(): Promise<void>;
}

/** An identity provider as far as the app sees it: a key set on port 0, and tokens. */
export async function startEntraKeys(): Promise<EntraKeys> {
  const [own, stranger] = await Promise.all([generateKeyPair("RS256"), generateKeyPair("RS256")]);
  const published = { ...(await exportJWK(own.publicKey)), kid: "own", use: "sig" };
  const server = createServer((request, response) => {
    keys.fetches += 1;
    const isKeys = request.url === `/${TENANT}/discovery/v2.0/keys`;
    const { status, body } = keys.failure ?? {
      status: isKeys ? 200 : 404,
      body: JSON.stringify({ keys: [published] }),
    };
    response.writeHead(status, { "content-type": "application/json" }).end(body);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  // A server that listens on TCP has an address with a port.
  const authority = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const newVerifier = () => new TokenVerifier({ authority, tenantId: TENANT, audience: AUDIENCE });
  const signed = (objectId: string, fields: TokenFields) =>
    sign(
      { iss: `${authority}/${TENANT}/v2.0`, oid: objectId },
      fields.key === "stranger" ? stranger.privateKey : own.privateKey,
      fields,
    );
  const keys: EntraKeys = {
    authority,
    verifier: newVerifier(),
    fetches: 0,
    failure: undefined,
    bearerOf: async (objectId, fields = {}) => `Bearer ${await signed(objectId, fields)}`,
    newVerifier,
    close: () => closeServer(server),
  };
  return keys;
}

function sign(base: Record<string, unknown>, key: CryptoKey, fields: TokenFields): Promise<string> {
  const { claims = {}, issuedSecondsAgo = 10, lifetimeSeconds = 600, algorithm = "RS256" } = fields;
  const issuedAt = Math.floor(Date.now() / 1000) - issuedSecondsAgo;
  const times = { iat: issuedAt, nbf: issuedAt, exp: issuedAt + lifetimeSeconds };
  const usual = {
    ...times,
    aud: AUDIENCE,
    tid: TENANT,
    sub: "subject",
    ver: "2.0",
    azp: CLIENT,
    roles: [API_APP_ROLE],
  };
  const kid = fields.key === "unknown" ? "rotated" : "own";
  return new SignJWT({ ...usual, ...base, ...claims }).setProtectedHeader({ alg: algorithm, kid }).sign(key);
}

function closeServer(server: Server): Promise<void> {
  server.closeAllConnections();
  return new Promise((resolve) => server.close(() => resolve()));
}
