import { existsSync } from "node:fs";
import { join, resolve } from "node:path";

/** Compiled programs that tests start as processes: `npm run build` puts them into dist. */
export function builtFile(path: string): string {
  const file = join(resolve(process.env["CORRAL_BUILD"] ?? "dist"), path);
  if (!existsSync(file)) throw new Error(`${file} is not there: run npm run build first`);
  return file;
}
