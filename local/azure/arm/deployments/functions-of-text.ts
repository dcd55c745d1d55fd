import { createHash } from "node:crypto";
import type { TemplateFunction } from "./evaluate";
import { isList, isMap, type Json } from "./json-value";

/** https://learn.microsoft.com/azure/azure-resource-manager/templates/template-functions-string */
export const TEXT_FUNCTIONS: Readonly<Record<string, TemplateFunction>> = {
  concat: (given) => {
    if (given.count > 0 && isList(given.value(0))) return given.values().flatMap((_, index) => given.list(index));
    return given
      .values()
      .map((value, index) => {
        if (isMap(value) || isList(value)) throw given.unexpected(index, value, "a string");
        return textOf(value);
      })
      .join("");
  },
  format: (given) => {
    const values = given.values().slice(1).map(textOf);
    return given.text(0).replace(/\{\{|\}\}|\{(\d+)(?::[^}]*)?\}/g, (found, index: string | undefined) => {
      if (index === undefined) return found[0] ?? "";
      const value = values[Number(index)];
      if (value === undefined) throw given.wrong(`there is no value for '{${index}}'`);
      return value;
    });
  },
  tolower: (given) => given.text(0).toLowerCase(),
  toupper: (given) => given.text(0).toUpperCase(),
  trim: (given) => given.text(0).trim(),
  replace: (given) => given.text(0).replaceAll(given.text(1), () => given.text(2)),
  split: (given) => {
    const delimiters = isList(given.value(1)) ? given.list(1).map(textOf) : [given.text(1)];
    return delimiters.reduce<string[]>(
      (parts, delimiter) => parts.flatMap((one) => one.split(delimiter)),
      [given.text(0)],
    );
  },
  join: (given) => given.list(0).map(textOf).join(given.text(1)),
  substring: (given) => {
    const [text, start] = [given.text(0), given.integer(1)];
    const length = given.has(2) ? given.integer(2) : text.length - start;
    if (start < 0 || length < 0 || start + length > text.length)
      throw given.wrong(`the index and length must lie within the string of ${text.length} characters`);
    return text.slice(start, start + length);
  },
  padleft: (given) =>
    textOf(given.value(0)).padStart(given.integer(1), given.has(2) ? given.text(2).slice(0, 1) || " " : " "),
  startswith: (given) => given.text(0).toLowerCase().startsWith(given.text(1).toLowerCase()),
  endswith: (given) => given.text(0).toLowerCase().endsWith(given.text(1).toLowerCase()),
  string: (given) => textOf(given.value(0)),
  base64: (given) => Buffer.from(given.text(0), "utf8").toString("base64"),
  base64tostring: (given) => Buffer.from(given.text(0), "base64").toString("utf8"),
  uricomponent: (given) => encodeURIComponent(given.text(0)),
  uri: (given) => {
    if (!URL.canParse(given.text(1), given.text(0))) throw given.wrong(`'${given.text(0)}' is no absolute URI`);
    return new URL(given.text(1), given.text(0)).href;
  },
  uniquestring: (given) => uniqueString(given.values().map(textOf).join("-")),
  guid: (given) => nameBasedGuid(given.values().map(textOf).join("-")),
};

export const textOf = (value: Json): string => {
  if (typeof value === "string") return value;
  // Templates write booleans as .NET does.
  if (typeof value === "boolean") return value ? "True" : "False";
  return value === null ? "" : JSON.stringify(value);
};

const BASE32 = "abcdefghijklmnopqrstuvwxyz234567";

/** 13 characters as Azure has them, always the same for the same input; Azure's own hash is another, so that its values differ. */
function uniqueString(text: string): string {
  const digest = createHash("sha256").update(text).digest();
  return [...digest.subarray(0, 13)].map((byte) => BASE32[byte & 31]).join("");
}

// The namespace of guid() that Bicep's and Terraform's users have found out; RFC 4122, version 5.
const NAMESPACE = Buffer.from("11fb06fb712d4ddd98c7e71bbd588830", "hex");

function nameBasedGuid(text: string): string {
  const digest = createHash("sha1").update(NAMESPACE).update(text, "utf8").digest().subarray(0, 16);
  digest[6] = ((digest[6] ?? 0) & 0x0f) | 0x50;
  digest[8] = ((digest[8] ?? 0) & 0x3f) | 0x80;
  return digest.toString("hex").replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, "$1-$2-$3-$4-$5");
}
