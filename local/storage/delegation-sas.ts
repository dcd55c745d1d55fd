import { createHmac, timingSafeEqual } from "node:crypto";
import { sign } from "./account-keys";
import type { NeededRight } from "./access-rules";
import type { StorageTarget } from "./storage-target";

/** Keys that the holder of a token may ask for, to sign addresses with: https://learn.microsoft.com/rest/api/storageservices/get-user-delegation-key */

const VERSION = "2024-11-04";
const MAX_LIFE_MS = 7 * 24 * 3_600_000;

export interface DelegationKeys {
  /** The answer to a request for a key; undefined when the request is no good one. */
  answer(caller: { readonly objectId: string; readonly tenantId: string }, body: string): string | undefined;
  /** Object id of who gave the signature, when it is good, covers the target, and permits one of the letters. */
  verify(
    target: StorageTarget,
    letters: RegExp,
  ): { readonly objectId: string } | "expired" | "not permitted" | undefined;
}

/** Nothing is kept: the key is made again from what the address says of it. */
export function createDelegationKeys(secret: string): DelegationKeys {
  const keyOf = (parts: readonly string[]): string =>
    createHmac("sha256", Buffer.from(secret, "base64")).update(parts.join("|")).digest("base64");
  return {
    answer: ({ objectId, tenantId }, body) => {
      const start = /<Start>([^<]+)<\/Start>/.exec(body)?.[1] ?? new Date().toISOString();
      const expiry = /<Expiry>([^<]+)<\/Expiry>/.exec(body)?.[1] ?? "";
      const lifeMs = Date.parse(expiry) - Date.now();
      if (!(lifeMs > 0) || lifeMs > MAX_LIFE_MS + 60_000 || Number.isNaN(Date.parse(start))) return undefined;
      const [from, until] = [seconds(start), seconds(expiry)];
      const value = keyOf([objectId, tenantId, from, until, "b", VERSION]);
      return `<?xml version="1.0" encoding="utf-8"?><UserDelegationKey><SignedOid>${objectId}</SignedOid><SignedTid>${tenantId}</SignedTid><SignedStart>${from}</SignedStart><SignedExpiry>${until}</SignedExpiry><SignedService>b</SignedService><SignedVersion>${VERSION}</SignedVersion><Value>${value}</Value></UserDelegationKey>`;
    },
    verify: (target, letters) => {
      const get = (name: string): string => target.query.get(name) ?? "";
      const key = keyOf(["skoid", "sktid", "skt", "ske", "sks", "skv"].map(get));
      const expected = Buffer.from(sign(key, textToSign(target, get)));
      const given = Buffer.from(get("sig"));
      if (expected.length !== given.length || !timingSafeEqual(expected, given)) return undefined;
      const now = Date.now();
      const isInTime =
        [get("se"), get("ske")].every((end) => Date.parse(end) > now) &&
        [get("st"), get("skt")].every((start) => start === "" || Date.parse(start) <= now + 60_000);
      if (!isInTime) return "expired";
      if (!letters.test(get("sp"))) return "not permitted";
      return { objectId: get("skoid") };
    },
  };
}

/** The letters of a signature that permit it; none for what no signature permits. */
export function lettersFor({ plane, actions }: NeededRight, method: string, target: StorageTarget): RegExp {
  const action = actions[0] ?? "";
  if (plane === "control") return /(?!)/;
  if (action.endsWith("blobs/delete")) return /d/;
  if (action.endsWith("blobs/read")) return target.item === "" ? /l/ : /r/;
  if (target.query.get("comp") === "appendblock") return /[aw]/;
  return method === "PUT" && target.query.get("comp") === null ? /[cw]/ : /w/;
}

/** https://learn.microsoft.com/rest/api/storageservices/create-user-delegation-sas: later versions have more lines. */
function textToSign({ account, container, item }: StorageTarget, get: (name: string) => string): string {
  const version = get("sv");
  const isBlob = get("sr") !== "c";
  const name = `/blob/${account}/${container}${isBlob ? `/${item}` : ""}`;
  const head = [
    get("sp"),
    get("st"),
    get("se"),
    name,
    ...["skoid", "sktid", "skt", "ske", "sks", "skv", "saoid", "suoid", "scid"].map(get),
  ];
  const delegated = version >= "2025-07-05" ? [get("skdutid"), get("sduoid")] : [];
  const resource = [get("sip"), get("spr"), version, get("sr"), get("snapshot"), get("ses")];
  const bound = version >= "2026-04-06" ? ["", ""] : [];
  return [...head, ...delegated, ...resource, ...bound, ...["rscc", "rscd", "rsce", "rscl", "rsct"].map(get)].join(
    "\n",
  );
}

const seconds = (time: string): string => new Date(time).toISOString().replace(/\.\d+Z$/, "Z");
