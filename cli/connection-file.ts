import { join } from "node:path";
import { z } from "zod";
import { readFileIfThere, removeFile, writePrivateFile } from "./private-file";
import { WAYS } from "./sign-in/way";
import { usage } from "./cli-error";

/** What `corral login` keeps: where, and how one signed in. No secret: tokens lie in a file of their own. */
const ConnectionFile = z.object({
  v: z.literal(1),
  apiUrl: z.url(),
  tenantId: z.string(),
  audience: z.string(),
  clientId: z.string().optional(),
  way: z.enum(WAYS),
  org: z.string().optional(),
  authority: z.url().optional(),
  caFile: z.string().optional(),
  armUrl: z.url().optional(),
  /** @azure/identity's record of the account, as it serializes it. */
  account: z.string().optional(),
});
export type SavedConnection = z.infer<typeof ConnectionFile>;

const fileIn = (folder: string): string => join(folder, "connection.json");

export function loadConnection(folder: string): SavedConnection | undefined {
  const text = readFileIfThere(fileIn(folder));
  if (text === undefined) return undefined;
  try {
    return ConnectionFile.parse(JSON.parse(text));
  } catch {
    throw usage(`${fileIn(folder)} cannot be read: remove it with corral logout, then corral login`);
  }
}

export const saveConnection = (folder: string, connection: SavedConnection): void =>
  writePrivateFile(fileIn(folder), `${JSON.stringify(connection, undefined, 2)}\n`);

export const forgetConnection = (folder: string): void => removeFile(fileIn(folder));
