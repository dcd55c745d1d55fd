import { createHash } from "node:crypto";
import { z } from "zod";
import {
  digestInvalid,
  manifestBlobUnknown,
  manifestInvalid,
  manifestNotAccepted,
  manifestUnknown,
  nameUnknown,
  tagInvalid,
} from "./registry-error";
import { isDigest, readSmall, type RegistryReply, type RegistryRequest, TAG } from "./registry-request";
import type { StoredManifest } from "./registry-store";

/** https://github.com/opencontainers/distribution-spec: registries should take manifests of at least 4 MiB. */
const MAX_MANIFEST_BYTES = 4 * 1024 * 1024;

const Descriptor = z.looseObject({
  digest: z.string(),
  size: z.number().optional(),
  urls: z.array(z.string()).optional(),
});
const ImageManifest = z.looseObject({ schemaVersion: z.literal(2), config: Descriptor, layers: z.array(Descriptor) });
const ImageIndex = z.looseObject({ schemaVersion: z.literal(2), manifests: z.array(Descriptor) });

const IMAGES = ["application/vnd.oci.image.manifest.v1+json", "application/vnd.docker.distribution.manifest.v2+json"];
const INDEXES = [
  "application/vnd.oci.image.index.v1+json",
  "application/vnd.docker.distribution.manifest.list.v2+json",
];
/** What an old client, which sends no `Accept`, is known to understand. */
const ANY = /\*\/\*|application\/\*/;

export function getManifest(request: RegistryRequest): RegistryReply {
  const manifest = requireManifest(request);
  const accept = [request.headers.accept ?? "*/*"].flat().join(",");
  if (!ANY.test(accept) && !accept.includes(manifest.mediaType)) throw manifestNotAccepted(manifest.mediaType);
  const headers = {
    "Content-Type": manifest.mediaType,
    "Content-Length": String(manifest.content.length),
    "Docker-Content-Digest": manifest.digest,
    ETag: `"${manifest.digest}"`,
  };
  if (request.headers["if-none-match"] === headers.ETag) return { status: 304, headers: { ETag: headers.ETag } };
  return { status: 200, headers, ...(request.method === "HEAD" ? {} : { body: manifest.content }) };
}

export async function putManifest(request: RegistryRequest): Promise<RegistryReply> {
  const { repository, reference, headers, store } = request;
  if (!isDigest(reference) && !TAG.test(reference)) throw tagInvalid(reference);
  const content = await readSmall(request.content, MAX_MANIFEST_BYTES);
  if (!content) throw manifestInvalid(`it is larger than ${MAX_MANIFEST_BYTES} bytes`);
  const digest = `sha256:${createHash("sha256").update(content).digest("hex")}`;
  if (isDigest(reference) && reference !== digest) throw digestInvalid(reference);
  const { mediaType, parts, imageSize } = readManifest(
    content,
    (headers["content-type"] ?? "").split(";")[0]?.trim() ?? "",
  );
  requireParts(request, mediaType, parts);
  const manifest = { digest, mediaType, content, createdTime: new Date().toISOString() };
  const tag = isDigest(reference) ? undefined : reference;
  store.putManifest(repository, manifest, { parts, imageSize, tag });
  const location = `/v2/${repository.name}/manifests/${digest}`;
  return { status: 201, headers: { Location: location, "Docker-Content-Digest": digest } };
}

/** By digest the manifest goes with all its tags; a tag alone is no manifest. */
export function deleteManifest(request: RegistryRequest): RegistryReply {
  const { repository, reference, store, files } = request;
  const manifest = requireManifest(request);
  if (isDigest(reference)) for (const digest of store.deleteManifest(repository, manifest.digest)) files.remove(digest);
  else store.deleteTag(repository, reference);
  return { status: 202 };
}

function requireManifest({ repository, reference, store }: RegistryRequest): StoredManifest {
  const manifest = store.findManifest(repository, reference);
  if (manifest) return manifest;
  throw store.isRepository(repository) ? manifestUnknown(reference) : nameUnknown(repository.name);
}

interface ReadManifest {
  readonly mediaType: string;
  readonly parts: readonly string[];
  readonly imageSize: number;
}

function readManifest(content: Buffer, contentType: string): ReadManifest {
  const json = parsed(content);
  const mediaType = contentType === "" || contentType === "application/json" ? textOf(json["mediaType"]) : contentType;
  if (!IMAGES.includes(mediaType) && !INDEXES.includes(mediaType))
    throw manifestInvalid(`the media type ${mediaType} is none that this registry takes`);
  if (json["mediaType"] !== undefined && json["mediaType"] !== mediaType)
    throw manifestInvalid("the media type of the manifest is not that of the request");
  const descriptors = INDEXES.includes(mediaType) ? indexed(json) : layered(json);
  const bad = descriptors.find(({ digest }) => !isDigest(digest));
  if (bad) throw manifestInvalid(`'${bad.digest}' is no digest`);
  // Layers with addresses of their own are not stored here.
  const parts = descriptors.filter(({ urls }) => urls === undefined).map(({ digest }) => digest);
  return { mediaType, parts: [...new Set(parts)], imageSize: descriptors.reduce((sum, { size = 0 }) => sum + size, 0) };
}

const textOf = (value: unknown): string => (typeof value === "string" ? value : "");

function parsed(content: Buffer): Record<string, unknown> {
  try {
    const json: unknown = JSON.parse(content.toString("utf8"));
    if (typeof json === "object" && json !== null && !Array.isArray(json)) return json as Record<string, unknown>; // just checked
  } catch {
    // Told below.
  }
  throw manifestInvalid("it is no JSON object");
}

function layered(json: unknown) {
  const image = ImageManifest.safeParse(json);
  if (!image.success) throw manifestInvalid(image.error.issues[0]?.path.join(".") ?? "config");
  return [image.data.config, ...image.data.layers];
}

function indexed(json: unknown) {
  const index = ImageIndex.safeParse(json);
  if (!index.success) throw manifestInvalid(index.error.issues[0]?.path.join(".") ?? "manifests");
  return index.data.manifests;
}

/** A manifest never names what is not there: blobs first, then the manifest. */
function requireParts({ store, repository }: RegistryRequest, mediaType: string, parts: readonly string[]): void {
  const isThere = INDEXES.includes(mediaType)
    ? (digest: string) => store.findManifest(repository, digest) !== undefined
    : (digest: string) => store.hasBlob(repository, digest);
  const missing = parts.find((digest) => !isThere(digest));
  if (missing !== undefined) throw manifestBlobUnknown(missing);
}
