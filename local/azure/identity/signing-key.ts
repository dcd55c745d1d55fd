import {
  createHash,
  createPrivateKey,
  createPublicKey,
  generateKeyPairSync,
  type JsonWebKey,
  type KeyObject,
} from "node:crypto";
import { existsSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { join } from "node:path";

export interface SigningKey {
  readonly keyId: string;
  readonly privateKey: KeyObject;
  readonly publicKey: KeyObject;
  /** As it stands in the tenant's `discovery/v2.0/keys`. */
  readonly jwk: JsonWebKey;
}

/** The key that the tenant signs with. It is kept, so that tokens outlive a restart of the cloud. */
export function loadOrCreateSigningKey(folder: string): SigningKey {
  const file = join(folder, "entra-signing.key");
  if (!existsSync(file)) {
    const { privateKey } = generateKeyPairSync("rsa", { modulusLength: 2048 });
    writeFileSync(`${file}.part`, privateKey.export({ format: "pem", type: "pkcs8" }), { mode: 0o600 });
    renameSync(`${file}.part`, file);
  }
  const privateKey = createPrivateKey(readFileSync(file, "utf8"));
  const publicKey = createPublicKey(privateKey);
  const jwk = publicKey.export({ format: "jwk" });
  const keyId = createHash("sha1")
    .update(JSON.stringify({ e: jwk.e, kty: jwk.kty, n: jwk.n }))
    .digest("base64url");
  return { keyId, privateKey, publicKey, jwk: { ...jwk, kid: keyId, x5t: keyId, use: "sig", alg: "RS256" } };
}
