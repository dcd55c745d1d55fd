import { z } from "zod";
import type { WireReply } from "../azure/http/wire";
import {
  AttributesBody,
  attributesView,
  changedAttributes,
  newAttributes,
  newVersion,
  type ObjectView,
  requireFreeName,
  requireVersion,
  Tags,
} from "./object-lifecycle";
import { bitsOf, generateRsa, importRsa, publicPartsOf } from "./rsa";
import { badParameter } from "./vault-error";
import { bodyOf, idOf, keyOf, type VaultRequest } from "./vault-request";
import type { StoredVersion } from "./vault-store";

const OPERATIONS = ["encrypt", "decrypt", "sign", "verify", "wrapKey", "unwrapKey"] as const;
const SIZES = [2048, 3072, 4096];

const KeyOperations = z.array(z.string()).nullish();
const CreateBody = z.looseObject({
  kty: z.string(),
  key_size: z.number().nullish(),
  key_ops: KeyOperations,
  attributes: AttributesBody.nullish(),
  tags: Tags.nullish(),
});
const ImportBody = z.looseObject({
  key: z.looseObject({ kty: z.string(), key_ops: KeyOperations }),
  attributes: AttributesBody.nullish(),
  tags: Tags.nullish(),
});
const UpdateBody = z.looseObject({
  key_ops: KeyOperations,
  attributes: AttributesBody.nullish(),
  tags: Tags.nullish(),
});

export const keyView: ObjectView = {
  bundle: (request, name, version) => ({
    key: {
      kid: idOf(request, name, version.version),
      kty: "RSA",
      key_ops: version.operations,
      ...publicPartsOf(version.material),
    },
    attributes: attributesView(request, version.attributes),
    ...(version.tags ? { tags: version.tags } : {}),
  }),
  item: (request, { name, version, isVersioned }) => ({
    kid: idOf(request, name, isVersioned ? version.version : undefined),
    attributes: attributesView(request, version.attributes),
    ...(version.tags ? { tags: version.tags } : {}),
  }),
};

export async function createKey(request: VaultRequest): Promise<WireReply> {
  requireFreeName(request);
  const { kty, key_size: size, key_ops: operations, attributes, tags } = bodyOf(CreateBody, request);
  requireRsa(kty);
  const bits = size ?? 2048;
  if (!SIZES.includes(bits)) throw badParameter(`Property key_size has invalid value. It must be ${SIZES.join(", ")}.`);
  const common = { attributes, tags, operations: operationsOf(operations) };
  return addVersion(request, { ...common, material: await generateRsa(bits) });
}

export function importKey(request: VaultRequest): WireReply {
  requireFreeName(request);
  const { key, attributes, tags } = bodyOf(ImportBody, request);
  requireRsa(key.kty);
  const parts = ["n", "e", "d", "p", "q", "dp", "dq", "qi"] as const;
  const jwk = Object.fromEntries(parts.map((part) => [part, base64url(key[part])]));
  const material = importRsa(jwk);
  if (material === undefined || !SIZES.includes(bitsOf(material)))
    throw badParameter(
      "The specified RSA JWK is invalid: a private key of 2048, 3072 or 4096 bits with all its primes is needed.",
    );
  return addVersion(request, { attributes, tags, operations: operationsOf(key.key_ops), material });
}

/** A new version of the same size, for the same uses. */
export async function rotateKey(request: VaultRequest): Promise<WireReply> {
  const { stored } = requireVersion({ ...request, version: undefined });
  const material = await generateRsa(bitsOf(stored.material));
  return addVersion(request, { operations: stored.operations ?? OPERATIONS, tags: stored.tags, material });
}

export function getKey(request: VaultRequest): WireReply {
  const { name, stored } = requireVersion(request);
  return { status: 200, body: keyView.bundle(request, name, stored) };
}

export function updateKey(request: VaultRequest): WireReply {
  const { name, stored } = requireVersion(request);
  const { key_ops: operations, attributes, tags } = bodyOf(UpdateBody, request);
  const changed: StoredVersion = {
    ...stored,
    attributes: changedAttributes(stored.attributes, attributes ?? undefined, request.nowSeconds),
    operations: operations ? operationsOf(operations) : stored.operations,
    tags: tags ?? stored.tags,
  };
  request.store.replaceVersion(keyOf(request), changed);
  return { status: 200, body: keyView.bundle(request, name, changed) };
}

interface NewKey {
  readonly attributes?: z.infer<typeof AttributesBody> | null | undefined;
  readonly tags?: Readonly<Record<string, string>> | null | undefined;
  readonly operations: readonly string[];
  readonly material: string;
}

function addVersion(request: VaultRequest, { attributes, tags, operations, material }: NewKey): WireReply {
  // Making a key takes a while: its name may have been deleted meanwhile.
  requireFreeName(request);
  const stored: StoredVersion = {
    version: newVersion(),
    attributes: newAttributes(attributes ?? undefined, request.nowSeconds),
    material,
    operations,
    ...(tags ? { tags } : {}),
  };
  request.store.addVersions(keyOf(request), [stored]);
  return { status: 200, body: keyView.bundle(request, request.store.nameOf(keyOf(request)), stored) };
}

/** Clients write it with and without padding. */
const base64url = (part: unknown): string => (typeof part === "string" ? part.replace(/=+$/, "") : "");

function requireRsa(type: string): void {
  if (type === "RSA") return;
  throw badParameter(`Property kty has invalid value. Keys of type ${type} are not simulated; RSA is.`);
}

function operationsOf(given: readonly string[] | null | undefined): readonly string[] {
  if (!given) return OPERATIONS;
  const unknown = given.find((one) => !(OPERATIONS as readonly string[]).includes(one));
  if (unknown !== undefined) throw badParameter(`Property key_ops has invalid value: ${unknown}.`);
  return given;
}
