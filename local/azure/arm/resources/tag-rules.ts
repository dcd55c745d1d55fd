import { z } from "zod";
import { ArmError } from "../arm-error";
import type { ArmRequest } from "../route";

export type Tags = Readonly<Record<string, string>>;

// https://learn.microsoft.com/azure/azure-resource-manager/management/tag-resources
const MAX_TAGS = 50;
const MAX_NAME = 512;
const MAX_NAME_IN_STORAGE = 128;
const MAX_VALUE = 256;
const RESERVED = /[<>%&\\?/\u0000-\u001f\u007f]/;

const Tagged = z.object({ tags: z.record(z.string(), z.string()) });

/** Refuses tags that ARM lets nobody write, whatever the resource's provider would say. */
export function requireValidTags({ method, path, body }: ArmRequest): void {
  if ((method !== "PUT" && method !== "PATCH") || !path.isItem) return;
  const given = Tagged.safeParse(body);
  // Tags of another form are the provider's to refuse.
  if (given.success) checkTags(given.data.tags, path.type);
}

/** The texts of names and values are those that Azure PowerShell repeats: Az.RecoveryServices, `Test-TagInput`. */
export function checkTags(tags: Tags, type: string): void {
  const names = Object.keys(tags);
  const most = type.toLowerCase().startsWith("microsoft.storage/") ? MAX_NAME_IN_STORAGE : MAX_NAME;
  const reserved = names.filter((name) => RESERVED.test(name) && !/^hidden-/i.test(name));
  const long = names.filter((name) => name.length > most);
  const values = Object.values(tags).filter((value) => value.length > MAX_VALUE);
  if (names.length > MAX_TAGS)
    throw invalid("InvalidTagCount", `The number of tags '${names.length}' exceeds the maximum of '${MAX_TAGS}'.`);
  if (reserved.length > 0)
    throw invalid(
      "InvalidTagNameCharacters",
      String.raw`The tag names '${reserved.join(", ")}' have reserved characters '<,>,%,&,\,?,/' or control characters.`,
    );
  if (long.length > 0) throw invalid("InvalidTagName", tooLong("name", long, most));
  if (values.length > 0) throw invalid("InvalidTagValueLength", tooLong("value", values, MAX_VALUE));
}

const tooLong = (what: string, given: readonly string[], most: number): string =>
  `Tag ${what} too large. Following tag ${what} '${given.join(", ")}' exceeded the maximum length. Maximum allowed length for tag ${what} - '${most}' characters.`;

const invalid = (code: string, message: string): ArmError => new ArmError(400, { code, message });
