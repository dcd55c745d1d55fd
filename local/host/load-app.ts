import { existsSync, globSync, readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { extname, join, resolve } from "node:path";
import { pathToFileURL } from "node:url";

interface Manifest {
  readonly main?: string;
  readonly type?: string;
}

/** Runs the app's entry files, which register its functions. `main` in package.json is a file or a glob, as Azure takes it. */
export async function loadApp(appFolder: string): Promise<void> {
  const manifestPath = join(appFolder, "package.json");
  if (!existsSync(manifestPath)) throw new Error(`No Functions app in ${appFolder}: it has no package.json`);
  // A package.json that is not of this shape names no entry and is refused below.
  const manifest = JSON.parse(readFileSync(manifestPath, "utf8")) as Manifest;
  const files = entryFiles(appFolder, manifest.main);
  const requireFromApp = createRequire(pathToFileURL(manifestPath));
  for (const file of files) {
    if (isEsModule(file, manifest)) await import(pathToFileURL(file).href);
    else requireFromApp(file);
  }
}

function entryFiles(appFolder: string, main: string | undefined): string[] {
  if (main === undefined)
    throw new Error(
      `${join(appFolder, "package.json")} has no "main": it names the file or glob that registers the functions`,
    );
  const plain = resolve(appFolder, main);
  if (existsSync(plain)) return [plain];
  const matches = globSync(main, { cwd: appFolder }).sort();
  if (matches.length === 0)
    throw new Error(`"main" of ${join(appFolder, "package.json")} matches no file: ${main} (was the app built?)`);
  return matches.map((match) => resolve(appFolder, match));
}

function isEsModule(file: string, { type }: Manifest): boolean {
  return extname(file) === ".mjs" || (type === "module" && extname(file) !== ".cjs");
}
