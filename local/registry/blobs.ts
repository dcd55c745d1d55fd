import {
  blobUnknown,
  digestInvalid,
  rangeInvalid,
  tooManyUploads,
  uploadInvalid,
  uploadUnknown,
} from "./registry-error";
import { isDigest, type RegistryReply, type RegistryRequest } from "./registry-request";

/** An open upload keeps a file: more than these at once no client needs. */
const MAX_OPEN_UPLOADS = 500;

export function getBlob(request: RegistryRequest): RegistryReply {
  const { repository, reference, store, files, method } = request;
  const size = isDigest(reference) && store.hasBlob(repository, reference) ? files.sizeOf(reference) : undefined;
  if (size === undefined) throw blobUnknown(reference);
  const headers = {
    "Content-Type": "application/octet-stream",
    "Docker-Content-Digest": reference,
    "Accept-Ranges": "bytes",
    ETag: `"${reference}"`,
  };
  if (method === "HEAD") return { status: 200, headers: { ...headers, "Content-Length": String(size) } };
  const range = rangeOf(request.headers.range, size);
  if (!range)
    return { status: 200, headers: { ...headers, "Content-Length": String(size) }, body: files.read(reference) };
  const { start, end } = range;
  return {
    status: 206,
    headers: {
      ...headers,
      "Content-Length": String(end - start + 1),
      "Content-Range": `bytes ${start}-${end}/${size}`,
    },
    body: files.read(reference, range),
  };
}

export function deleteBlob({ repository, reference, store, files }: RegistryRequest): RegistryReply {
  if (!isDigest(reference) || !store.hasBlob(repository, reference)) throw blobUnknown(reference);
  if (store.unlinkBlob(repository, reference)) files.remove(reference);
  return { status: 202, headers: { "Docker-Content-Digest": reference } };
}

/** Begins an upload; or does it at once, from the body or from another repository that has the blob. */
export async function startUpload(request: RegistryRequest): Promise<RegistryReply> {
  const { query, files, store, repository, registry } = request;
  const [mount, from] = [query.get("mount"), query.get("from")];
  if (mount !== null && from !== null && isDigest(mount) && request.mayPullFrom(from)) {
    if (store.hasBlob({ registry: registry.instance, name: from }, mount)) {
      store.linkBlob(repository, mount);
      return created(request, mount);
    }
  }
  if (files.openUploads() >= MAX_OPEN_UPLOADS) throw tooManyUploads();
  const id = files.startUpload();
  const digest = query.get("digest");
  if (digest === null) return accepted(request, id, 0);
  return complete(request, id, digest);
}

export async function appendUpload(request: RegistryRequest): Promise<RegistryReply> {
  const { files, headers, content, reference: id } = request;
  const known = requireUpload(request);
  const start = /^(?:bytes )?(\d+)-\d+/.exec(headers["content-range"] ?? "")?.[1];
  if (start !== undefined && Number(start) !== known) throw rangeInvalid(receivedRange(known));
  return accepted(request, id, await files.append(id, content));
}

export async function finishUpload(request: RegistryRequest): Promise<RegistryReply> {
  requireUpload(request);
  const digest = request.query.get("digest");
  if (digest === null) throw uploadInvalid("the digest is missing");
  return complete(request, request.reference, digest);
}

export function uploadStatus(request: RegistryRequest): RegistryReply {
  const size = requireUpload(request);
  return { status: 204, headers: uploadHeaders(request, request.reference, size) };
}

export function cancelUpload(request: RegistryRequest): RegistryReply {
  requireUpload(request);
  request.files.cancelUpload(request.reference);
  return { status: 204 };
}

async function complete(request: RegistryRequest, id: string, digest: string): Promise<RegistryReply> {
  const { files, store, repository, content } = request;
  if (!isDigest(digest)) throw digestInvalid(digest);
  await files.append(id, content);
  if (!(await files.completeUpload(id, digest))) {
    files.cancelUpload(id);
    throw digestInvalid(digest);
  }
  store.linkBlob(repository, digest);
  return created(request, digest);
}

function requireUpload({ files, reference }: RegistryRequest): number {
  const size = files.uploaded(reference);
  if (size === undefined) throw uploadUnknown(reference);
  return size;
}

const created = ({ repository }: RegistryRequest, digest: string): RegistryReply => ({
  status: 201,
  headers: { Location: `/v2/${repository.name}/blobs/${digest}`, "Docker-Content-Digest": digest },
});

const accepted = (request: RegistryRequest, id: string, size: number): RegistryReply => ({
  status: 202,
  headers: uploadHeaders(request, id, size),
});

const uploadHeaders = ({ repository }: RegistryRequest, id: string, size: number): Record<string, string> => ({
  Location: `/v2/${repository.name}/blobs/uploads/${id}`,
  "Docker-Upload-Uuid": id,
  Range: receivedRange(size),
});

/** As Docker's own registry writes it; nothing is `0-0` too. */
const receivedRange = (size: number): string => `0-${Math.max(0, size - 1)}`;

function rangeOf(header: string | undefined, size: number): { start: number; end: number } | undefined {
  if (header === undefined) return undefined;
  const [, first = "", last = ""] = /^bytes=(\d*)-(\d*)$/.exec(header) ?? [];
  // Several ranges, or none that can be read: the whole is a good answer too.
  if (first === "" && last === "") return undefined;
  const start = first === "" ? Math.max(0, size - Number(last)) : Number(first);
  const end = first === "" || last === "" ? size - 1 : Math.min(Number(last), size - 1);
  if (start > end) throw rangeInvalid(`bytes */${size}`);
  return { start, end };
}
