import { createHmac, timingSafeEqual } from "node:crypto";

export interface TopicKeys {
  readonly key1: string;
  readonly key2: string;
}

export type CredentialCheck = { readonly outcome: "valid" } | { readonly outcome: "refused"; readonly reason: string };

const refused = (reason: string): CredentialCheck => ({ outcome: "refused", reason });

/** `aeg-sas-key`: one of the topic's two keys. */
export function checkKey(given: string, { key1, key2 }: TopicKeys): CredentialCheck {
  const isKey = [key1, key2].some((key) => isSameText(given, key));
  return isKey ? { outcome: "valid" } : refused("The specified key is not one of the topic's keys");
}

/**
 * `aeg-sas-token`: `r=<resource>&e=<expiry>&s=<signature>`, signed with a key of the topic over what is before `&s=`.
 * https://learn.microsoft.com/azure/event-grid/authenticate-with-access-keys-shared-access-signatures
 */
export function checkToken(
  token: string,
  { endpoint, keys, nowMs }: { readonly endpoint: string; readonly keys: TopicKeys; readonly nowMs: number },
): CredentialCheck {
  const parts = /^(r=([^&]*)&e=([^&]*))&s=([^&]*)$/.exec(token);
  const [, signed = "", resource, expiry, signature] = parts ?? [];
  if (resource === undefined || expiry === undefined || signature === undefined)
    return refused("The token has no form r=UrlEncodedResource&e=UrlEncodedUtcExpiration&s=UrlEncodedSignature");
  const given = decoded(signature) ?? "";
  const isSigned = [keys.key1, keys.key2].some((key) =>
    isSameText(given, createHmac("sha256", Buffer.from(key, "base64")).update(signed).digest("base64")),
  );
  if (!isSigned) return refused("The signature of the token is invalid");
  const expiresAt = parseExpiry(decoded(expiry) ?? "");
  if (expiresAt === undefined) return refused("The expiration of the token is no time");
  if (expiresAt <= nowMs) return refused("The token has expired");
  const path = (decoded(resource) ?? "").split("?")[0] ?? "";
  // A token is good for everything below its resource.
  const isCovered = path !== "" && endpoint.toLowerCase().startsWith(path.toLowerCase().replace(/\/+$/, ""));
  return isCovered ? { outcome: "valid" } : refused("The token is for another resource");
}

function isSameText(left: string, right: string): boolean {
  const [one, other] = [Buffer.from(left), Buffer.from(right)];
  return one.length === other.length && timingSafeEqual(one, other);
}

function decoded(value: string): string | undefined {
  try {
    return decodeURIComponent(value.replaceAll("+", " "));
  } catch {
    // No percent-encoding: it fits nothing.
    return undefined;
  }
}

/** `6/15/2017 6:20:15 PM`, as .NET writes it for en-US, or ISO 8601; always UTC. */
function parseExpiry(text: string): number | undefined {
  const american = /^(\d{1,2})\/(\d{1,2})\/(\d{4}) (\d{1,2}):(\d{2}):(\d{2}) (AM|PM)$/i.exec(text);
  if (american) {
    const [month = 0, day = 0, year = 0, hour = 0, minute = 0, second = 0] = american.slice(1, 7).map(Number);
    const afternoon = american[7]?.toUpperCase() === "PM" ? 12 : 0;
    return Date.UTC(year, month - 1, day, (hour % 12) + afternoon, minute, second);
  }
  const iso = Date.parse(/(Z|[+-]\d\d:?\d\d)$/i.test(text) ? text : `${text}Z`);
  return Number.isNaN(iso) ? undefined : iso;
}
