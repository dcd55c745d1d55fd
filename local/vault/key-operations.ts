import { z } from "zod";
import type { WireReply } from "../azure/http/wire";
import { requireVersion } from "./object-lifecycle";
import { decrypt, encrypt, sign, verify } from "./rsa";
import { badParameter, keyExpired, keyNotYetValid, objectDisabled, operationNotPermitted } from "./vault-error";
import { bodyOf, idOf, type VaultRequest } from "./vault-request";
import type { StoredVersion } from "./vault-store";

export type KeyOperation = "encrypt" | "decrypt" | "sign" | "verify" | "wrapKey" | "unwrapKey";

/** Paths name them in whatever case. */
export const KEY_OPERATIONS: ReadonlyMap<string, KeyOperation> = new Map(
  (["encrypt", "decrypt", "sign", "verify", "wrapKey", "unwrapKey"] as const).map((one) => [one.toLowerCase(), one]),
);

/** What was encrypted must stay readable: a key's times do not stop these (https://learn.microsoft.com/azure/key-vault/keys/about-keys-details). */
const TIMELESS: readonly KeyOperation[] = ["decrypt", "unwrapKey", "verify"];

const MAX_VALUE_BYTES = 4096;
const base64url = z.string().regex(/^[\w-]*=*$/, "It must be base64url.");
const OperationBody = z.looseObject({ alg: z.string(), value: base64url });
const VerifyBody = z.looseObject({ alg: z.string(), digest: base64url, value: base64url });

export function useKey(request: VaultRequest, operation: KeyOperation): WireReply {
  const { name, stored } = requireVersion(request);
  requireUse(stored, operation, request.nowSeconds);
  if (operation === "verify") return verifySignature(request, stored);
  const { alg, value } = bodyOf(OperationBody, request);
  const result = act(operation, { pem: stored.material, algorithm: alg, value: bytesOf(value) });
  return {
    status: 200,
    body: { kid: idOf(request, name, stored.version), value: result.toString("base64url") },
  };
}

function requireUse({ attributes, operations = [] }: StoredVersion, operation: KeyOperation, now: number): void {
  if (!attributes.enabled) throw objectDisabled("key", operation);
  if (!operations.includes(operation)) throw operationNotPermitted(operation);
  if (TIMELESS.includes(operation)) return;
  if (attributes.nbf !== undefined && now < attributes.nbf) throw keyNotYetValid(operation);
  if (attributes.exp !== undefined && now >= attributes.exp) throw keyExpired(operation);
}

function act(
  operation: Exclude<KeyOperation, "verify">,
  { pem, algorithm, value }: { pem: string; algorithm: string; value: Buffer },
): Buffer {
  switch (operation) {
    case "encrypt":
    case "wrapKey":
      return encrypt(pem, algorithm, value);
    case "decrypt":
    case "unwrapKey":
      return decrypt(pem, algorithm, value);
    case "sign":
      return sign(pem, algorithm, value);
  }
}

function verifySignature(request: VaultRequest, stored: StoredVersion): WireReply {
  const { alg, digest, value } = bodyOf(VerifyBody, request);
  const signed = { digest: bytesOf(digest), signature: bytesOf(value) };
  return { status: 200, body: { value: verify(stored.material, alg, signed) } };
}

function bytesOf(text: string): Buffer {
  const bytes = Buffer.from(text, "base64url");
  if (bytes.length > MAX_VALUE_BYTES) throw badParameter(`Property value has invalid value. It is too long.`);
  return bytes;
}
