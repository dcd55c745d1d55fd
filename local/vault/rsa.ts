import {
  constants,
  createPrivateKey,
  createPublicKey,
  generateKeyPair,
  type JsonWebKey,
  type KeyObject,
  privateDecrypt,
  privateEncrypt,
  publicDecrypt,
  publicEncrypt,
} from "node:crypto";
import { promisify } from "node:util";
import { badParameter } from "./vault-error";

const generate = promisify(generateKeyPair);

const PADDINGS = {
  "RSA-OAEP": { padding: constants.RSA_PKCS1_OAEP_PADDING, oaepHash: "sha1" },
  "RSA-OAEP-256": { padding: constants.RSA_PKCS1_OAEP_PADDING, oaepHash: "sha256" },
  RSA1_5: { padding: constants.RSA_PKCS1_PADDING },
} as const;

/** The DER that PKCS #1 puts before a digest (RFC 8017, section 9.2): signatures are asked for with the digest alone. */
const DIGESTS = new Map([
  ["RS256", { length: 32, prefix: "3031300d060960864801650304020105000420" }],
  ["RS384", { length: 48, prefix: "3041300d060960864801650304020205000430" }],
  ["RS512", { length: 64, prefix: "3051300d060960864801650304020305000440" }],
]);

export async function generateRsa(bits: number): Promise<string> {
  const { privateKey } = await generate("rsa", { modulusLength: bits });
  return pemOf(privateKey);
}

/** A private key as a client imports it; undefined for what is no RSA key. */
export function importRsa(jwk: JsonWebKey): string | undefined {
  try {
    const key = createPrivateKey({ key: { ...jwk, kty: "RSA" }, format: "jwk" });
    return pemOf(key);
  } catch {
    // The client is told; OpenSSL's own words name no field.
    return undefined;
  }
}

export const bitsOf = (pem: string): number => createPrivateKey(pem).asymmetricKeyDetails?.modulusLength ?? 0;

export function publicPartsOf(pem: string): { readonly n: string; readonly e: string } {
  const { n = "", e = "" } = createPublicKey(pem).export({ format: "jwk" });
  return { n, e };
}

export function encrypt(pem: string, algorithm: string, value: Buffer): Buffer {
  const padding = paddingOf(algorithm);
  return orBadParameter(() => publicEncrypt({ key: pem, ...padding }, value));
}

export function decrypt(pem: string, algorithm: string, value: Buffer): Buffer {
  const padding = paddingOf(algorithm);
  return orBadParameter(() => privateDecrypt({ key: pem, ...padding }, value));
}

export function sign(pem: string, algorithm: string, digest: Buffer): Buffer {
  return privateEncrypt({ key: pem, padding: constants.RSA_PKCS1_PADDING }, digestInfo(algorithm, digest));
}

export function verify(pem: string, algorithm: string, signed: { digest: Buffer; signature: Buffer }): boolean {
  const expected = digestInfo(algorithm, signed.digest);
  try {
    const key = createPublicKey(pem);
    return publicDecrypt({ key, padding: constants.RSA_PKCS1_PADDING }, signed.signature).equals(expected);
  } catch {
    // No signature of this key at all.
    return false;
  }
}

function digestInfo(algorithm: string, digest: Buffer): Buffer {
  const known = DIGESTS.get(algorithm);
  if (!known) throw badParameter(`The algorithm ${algorithm} is not simulated; ${[...DIGESTS.keys()].join(", ")} are.`);
  if (digest.length !== known.length)
    throw badParameter(
      `Invalid length of 'value': ${digest.length} bytes. ${algorithm} requires ${known.length} bytes.`,
    );
  return Buffer.concat([Buffer.from(known.prefix, "hex"), digest]);
}

function paddingOf(algorithm: string) {
  if (Object.hasOwn(PADDINGS, algorithm)) return PADDINGS[algorithm as keyof typeof PADDINGS];
  throw badParameter(`The algorithm ${algorithm} is not simulated; ${Object.keys(PADDINGS).join(", ")} are.`);
}

/** What cannot be decrypted, or is too long to be encrypted: Azure says no more than this. */
function orBadParameter(act: () => Buffer): Buffer {
  try {
    return act();
  } catch {
    throw badParameter("The parameter is incorrect.\r\n");
  }
}

const pemOf = (key: KeyObject): string => key.export({ format: "pem", type: "pkcs8" }).toString();
