import { ArmError } from "./arm-error";
import type { StoredResource } from "./resource-store";
import type { ArmRequest } from "./route";

/**
 * `If-Match` and `If-None-Match` of a write, for types that have an etag. The 412s of Network and Compute as recorded:
 * https://github.com/kubernetes-sigs/cloud-provider-azure/issues/9729 and …/issues/9728
 */
export function requirePreconditions({ headers, path }: ArmRequest, known: StoredResource | undefined): void {
  const noneMatch = headers["if-none-match"];
  const match = headers["if-match"];
  if (noneMatch !== undefined && noneMatch !== "*") throw unsupportedNoneMatch();
  if (noneMatch === "*" && known)
    throw failed(path.type, `Etag provided in if-none-match header * matches ${etagOf(known)} of resource`, known.id);
  if (match === undefined) return;
  if (!known)
    throw failed(path.type, `Etag provided in if-match header ${match} does not match etag of resource`, path.id);
  const { etag } = known.body;
  // Without an etag there is nothing to compare with: such providers do not read the header.
  if (match === "*" || typeof etag !== "string" || strong(match) === strong(etag)) return;
  throw failed(
    path.type,
    `Etag provided in if-match header ${match} does not match ${etagOf(known)} of resource`,
    known.id,
  );
}

const etagOf = ({ body }: StoredResource): string => `etag ${typeof body["etag"] === "string" ? body["etag"] : "*"}`;

/** Clients send a weak etag with or without its `W/`. */
const strong = (etag: string): string => etag.trim().replace(/^W\//i, "");

function failed(type: string, message: string, id: string): ArmError {
  if (!type.toLowerCase().startsWith("microsoft.network/"))
    return new ArmError(412, { code: "PreconditionFailed", message: `${message}.` });
  const details = [{ code: "PreconditionFailedEtagMismatch", message: `${message} ${id} in NRP data store.` }];
  return new ArmError(412, { code: "PreconditionFailed", message: "Precondition failed." }, { details });
}

/** `*` alone is taken: https://learn.microsoft.com/rest/api/compute/virtual-machines/create-or-update */
const unsupportedNoneMatch = (): ArmError =>
  new ArmError(
    400,
    { code: "InvalidParameter", message: "The value of header If-None-Match is not supported: only '*' is." },
    { target: "If-None-Match" },
  );
