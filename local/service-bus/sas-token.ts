import { createHmac, timingSafeEqual } from "node:crypto";

/** What somebody may do with an entity; Manage includes the others. https://learn.microsoft.com/azure/service-bus-messaging/service-bus-sas */
export type Right = "Send" | "Listen" | "Manage";

export interface NamedKey {
  readonly name: string;
  readonly value: string;
  /** All of them when absent. */
  readonly rights?: readonly Right[] | undefined;
  /** The queue or topic whose key this is; absent for a key of the namespace. */
  readonly entity?: string | undefined;
}

/** What a token opens: every entity whose path begins with `path`, until then. */
export interface Claim {
  readonly path: string;
  readonly expiresAt: number;
  readonly rights: readonly Right[];
}

export type TokenCheck =
  { readonly outcome: "valid"; readonly claim: Claim } | { readonly outcome: "refused"; readonly reason: string };

/**
 * Checks `SharedAccessSignature sr=<uri>&sig=<hmac>&se=<unix seconds>&skn=<key name>`: the signature is over the encoded `sr`,
 * a line feed and `se`. https://learn.microsoft.com/azure/service-bus-messaging/service-bus-sas
 */
export function checkToken(token: string, keys: readonly NamedKey[], nowMs: number): TokenCheck {
  const [scheme, query] = token.split(" ", 2);
  if (scheme !== "SharedAccessSignature" || query === undefined)
    return refused("MalformedToken: not a SharedAccessSignature");
  const fields = new Map(query.split("&").map((field) => splitOnce(field)));
  const [sr, sig, se, skn] = ["sr", "sig", "se", "skn"].map((name) => fields.get(name));
  if (sr === undefined || sig === undefined || se === undefined || skn === undefined) {
    return refused("MalformedToken: sr, sig, se and skn are required");
  }
  const key = keys.find(({ name }) => name === decoded(skn));
  const expected = createHmac("sha256", key?.value ?? "")
    .update(`${sr}\n${se}`)
    .digest();
  const actual = Buffer.from(decoded(sig), "base64");
  if (!key || actual.length !== expected.length || !timingSafeEqual(actual, expected)) {
    return refused("InvalidSignature: The token has an invalid signature.");
  }
  const expiresAt = Number(se) * 1000;
  if (!(expiresAt > nowMs)) return refused("ExpiredToken: The token is expired.");
  const path = entityPath(decoded(sr));
  if (key.entity !== undefined && !isBelow(key.entity.toLowerCase(), path))
    return refused("InvalidSignature: The key of the token belongs to another entity.");
  return { outcome: "valid", claim: { path, expiresAt, rights: rightsOf(key) } };
}

/** `amqps://host/Jobs/$DeadLetterQueue` and `Jobs/$DeadLetterQueue` are the same address. */
export function entityPath(address: string): string {
  const withoutHost = /^[a-z]+:\/\/[^/]*\/?(.*)$/i.exec(address)?.[1] ?? address;
  return withoutHost.replace(/^\/+|\/+$/g, "").toLowerCase();
}

/** A claim on `jobs` also opens `jobs/$management`; one on the namespace opens everything. */
export function covers(claim: Pick<Claim, "path">, path: string): boolean {
  return claim.path === "" || isBelow(claim.path, path);
}

export function isBelow(entity: string, path: string): boolean {
  return path === entity || path.startsWith(`${entity}/`);
}

function rightsOf({ rights = ["Manage"] }: NamedKey): readonly Right[] {
  return rights.includes("Manage") ? ["Manage", "Send", "Listen"] : rights;
}

function refused(reason: string): TokenCheck {
  return { outcome: "refused", reason };
}

function splitOnce(field: string): [string, string] {
  const at = field.indexOf("=");
  return at < 0 ? [field, ""] : [field.slice(0, at), field.slice(at + 1)];
}

function decoded(value: string): string {
  try {
    return decodeURIComponent(value);
  } catch {
    // Not a percent-encoding: it cannot match anything.
    return "";
  }
}
