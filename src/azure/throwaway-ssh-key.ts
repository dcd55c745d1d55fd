import { generateKeyPairSync } from "node:crypto";

function field(bytes: Uint8Array): Buffer {
  const length = Buffer.alloc(4);
  length.writeUInt32BE(bytes.length);
  return Buffer.concat([length, bytes]);
}

/**
 * A public key whose private half nobody has. Azure creates no Linux VM without a password or a key; Corral logs in by neither.
 * Ed25519 is accepted since 2024 (https://learn.microsoft.com/azure/virtual-machines/linux/mac-create-ssh-keys) and costs no time to make.
 */
export function throwawaySshPublicKey(): string {
  const { publicKey } = generateKeyPairSync("ed25519");
  const raw = Buffer.from(publicKey.export({ format: "jwk" }).x ?? "", "base64url");
  return `ssh-ed25519 ${Buffer.concat([field(Buffer.from("ssh-ed25519")), field(raw)]).toString("base64")} corral-throwaway`;
}
