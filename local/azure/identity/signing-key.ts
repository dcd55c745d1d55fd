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

/** The keys that the tenant signs with. They are kept, so that tokens outlive a restart of the cloud. */
export class SigningKeys {
  current: SigningKey;
  private previous: SigningKey | undefined;
  private readonly currentFile: string;
  private readonly previousFile: string;

  constructor(folder: string) {
    this.currentFile = join(folder, "entra-signing.key");
    this.previousFile = join(folder, "entra-signing.previous.key");
    if (!existsSync(this.currentFile)) writeWhole(this.currentFile, newPem());
    this.current = load(this.currentFile);
    this.previous = existsSync(this.previousFile) ? load(this.previousFile) : undefined;
  }

  /** What is published: the current key, and the one before, whose tokens are still about. */
  all(): SigningKey[] {
    const { current, previous } = this;
    return previous && previous.keyId !== current.keyId ? [current, previous] : [current];
  }

  find(keyId: string | undefined): SigningKey | undefined {
    return this.all().find((key) => key.keyId === keyId);
  }

  /** Entra rolls its keys over without notice: https://learn.microsoft.com/entra/identity-platform/signing-key-rollover */
  rotate(): SigningKey {
    writeWhole(this.previousFile, readFileSync(this.currentFile, "utf8"));
    writeWhole(this.currentFile, newPem());
    this.previous = this.current;
    this.current = load(this.currentFile);
    return this.current;
  }
}

const newPem = (): string =>
  generateKeyPairSync("rsa", { modulusLength: 2048 }).privateKey.export({ format: "pem", type: "pkcs8" }).toString();

function writeWhole(file: string, pem: string): void {
  writeFileSync(`${file}.part`, pem, { mode: 0o600 });
  renameSync(`${file}.part`, file);
}

function load(file: string): SigningKey {
  const privateKey = createPrivateKey(readFileSync(file, "utf8"));
  const publicKey = createPublicKey(privateKey);
  const jwk = publicKey.export({ format: "jwk" });
  const keyId = createHash("sha1")
    .update(JSON.stringify({ e: jwk.e, kty: jwk.kty, n: jwk.n }))
    .digest("base64url");
  return { keyId, privateKey, publicKey, jwk: { ...jwk, kid: keyId, x5t: keyId, use: "sig", alg: "RS256" } };
}
