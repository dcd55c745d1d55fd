import { createHmac } from "node:crypto";

/**
 * Each account has keys of its own, made from the key of the stack's own account: whoever may list them can use them, and nothing has to
 * be stored.
 */
export function accountKeysOf(masterKey: string, account: string): readonly [string, string] {
  const key = (name: string): string =>
    createHmac("sha512", Buffer.from(masterKey, "base64")).update(`${account}/${name}`).digest("base64");
  return [key("key1"), key("key2")];
}

const ACCOUNT_NAME = /^[a-z0-9]{3,24}$/;

export const isAccountName = (name: string): boolean => ACCOUNT_NAME.test(name);

const SAS_VERSION = "2021-08-06";
const SAS_HOURS = 12;

/** All rights of an account for a while: https://learn.microsoft.com/rest/api/storageservices/create-account-sas */
export function accountSas(account: string, key: string, service: "b" | "q"): [string, string][] {
  const expiry = new Date(Date.now() + SAS_HOURS * 3_600_000).toISOString().replace(/\.\d+Z$/, "Z");
  const [permissions, types] = ["rwdlacup", "sco"];
  const text = [account, permissions, service, types, "", expiry, "", "", SAS_VERSION, "", ""].join("\n");
  return [
    ["sv", SAS_VERSION],
    ["ss", service],
    ["srt", types],
    ["sp", permissions],
    ["se", expiry],
    ["sig", sign(key, text)],
  ];
}

/** Shared Key Lite for tables: https://learn.microsoft.com/rest/api/storageservices/authorize-with-shared-key */
export function tableAuthorization(
  account: string,
  key: string,
  { path, comp, date }: { path: string; comp: string | null; date: string },
): string {
  const resource = `/${account}${path}${comp === null ? "" : `?comp=${comp}`}`;
  return `SharedKeyLite ${account}:${sign(key, `${date}\n${resource}`)}`;
}

export const sign = (key: string, text: string): string =>
  createHmac("sha256", Buffer.from(key, "base64")).update(text, "utf8").digest("base64");
