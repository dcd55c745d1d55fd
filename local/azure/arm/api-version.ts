import { invalidApiVersion, missingApiVersion } from "./arm-errors";

const SUFFIX = "(-(preview|alpha|beta|privatepreview|rc|testonly))?";
const API_VERSION = new RegExp(String.raw`^\d{4}-(0[1-9]|1[0-2])-(0[1-9]|[12]\d|3[01])${SUFFIX}$`, "i");

/** The version that a request names. Every one that could be one is served: clients are of any age. */
export function requireApiVersion(query: URLSearchParams): string {
  const given = query.get("api-version");
  if (!given) throw missingApiVersion();
  if (!API_VERSION.test(given)) throw invalidApiVersion(given);
  return given;
}
