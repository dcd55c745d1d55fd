/** A refusal in the registry's words: `{"errors":[{"code","message","detail"}]}`. */
export class RegistryError extends Error {
  override readonly name = "RegistryError";

  constructor(
    readonly status: number,
    private readonly error: { readonly code: string; readonly message: string; readonly detail?: unknown },
    readonly headers: Readonly<Record<string, string>> = {},
  ) {
    super(error.message);
  }

  toBody(): object {
    const { code, message, detail } = this.error;
    return { errors: [{ code, message, ...(detail === undefined ? {} : { detail }) }] };
  }
}

/** Each error once: codes of https://github.com/opencontainers/distribution-spec, sentences as Azure writes them where they are known. */

/** https://github.com/Azure/acr/issues/841 shows it as Azure sends it. */
export const unauthorized = (challenge: string, detail?: unknown): RegistryError =>
  new RegistryError(
    401,
    {
      code: "UNAUTHORIZED",
      message: "authentication required, visit https://aka.ms/acr/authorization for more information.",
      ...(detail === undefined ? {} : { detail }),
    },
    challenge === "" ? {} : { "WWW-Authenticate": challenge },
  );

export const nameInvalid = (): RegistryError =>
  new RegistryError(400, { code: "NAME_INVALID", message: "invalid repository name" });

export const nameUnknown = (name: string): RegistryError =>
  new RegistryError(404, {
    code: "NAME_UNKNOWN",
    message: "repository name not known to registry",
    detail: { name },
  });

/** https://github.com/MicrosoftDocs/azure-docs/issues/90060 shows the one by tag. */
export const manifestUnknown = (reference: string): RegistryError =>
  new RegistryError(404, {
    code: "MANIFEST_UNKNOWN",
    message: reference.includes(":")
      ? `manifest sha256:${reference.replace("sha256:", "")} is not found`
      : `manifest tagged by "${reference}" is not found`,
    detail: reference.includes(":") ? { Digest: reference } : { Tag: reference },
  });

export const manifestNotAccepted = (mediaType: string): RegistryError =>
  new RegistryError(404, {
    code: "MANIFEST_UNKNOWN",
    message: `A manifest of type ${mediaType} was found, but the accept header does not support it`,
  });

export const manifestInvalid = (reason: string): RegistryError =>
  new RegistryError(400, { code: "MANIFEST_INVALID", message: `manifest invalid: ${reason}` });

export const manifestBlobUnknown = (digest: string): RegistryError =>
  new RegistryError(400, {
    code: "MANIFEST_BLOB_UNKNOWN",
    message: "blob unknown to registry",
    detail: { digest },
  });

export const tagUnknown = (tag: string): RegistryError =>
  new RegistryError(404, { code: "TAG_UNKNOWN", message: "the specified tag does not exist", detail: { name: tag } });

export const tagInvalid = (tag: string): RegistryError =>
  new RegistryError(400, { code: "TAG_INVALID", message: "manifest tag did not match URI", detail: { tag } });

export const digestInvalid = (digest: string): RegistryError =>
  new RegistryError(400, {
    code: "DIGEST_INVALID",
    message: "provided digest did not match uploaded content",
    detail: { digest },
  });

export const blobUnknown = (digest: string): RegistryError =>
  new RegistryError(404, { code: "BLOB_UNKNOWN", message: "blob unknown to registry", detail: { digest } });

export const uploadUnknown = (id: string): RegistryError =>
  new RegistryError(404, { code: "BLOB_UPLOAD_UNKNOWN", message: "blob upload unknown to registry", detail: { id } });

export const uploadInvalid = (reason: string): RegistryError =>
  new RegistryError(400, { code: "BLOB_UPLOAD_INVALID", message: `blob upload invalid: ${reason}` });

export const rangeInvalid = (received: string): RegistryError =>
  new RegistryError(
    416,
    { code: "RANGE_INVALID", message: "the range does not continue what was uploaded, or is not there" },
    { Range: received },
  );

export const paginationInvalid = (): RegistryError =>
  new RegistryError(400, { code: "PAGINATION_NUMBER_INVALID", message: "invalid number of results requested" });

export const unsupported = (what: string): RegistryError =>
  new RegistryError(405, { code: "UNSUPPORTED", message: `${what} is not supported by the simulated registry` });

export const notFound = (): RegistryError =>
  new RegistryError(404, { code: "NOT_FOUND", message: "the path is no path of a registry" });

export const tooManyUploads = (): RegistryError =>
  new RegistryError(
    429,
    { code: "TOOMANYREQUESTS", message: "too many uploads are open in this registry" },
    { "Retry-After": "5" },
  );

export const badTokenRequest = (message: string): RegistryError =>
  new RegistryError(400, { code: "BAD_REQUEST", message });
