import { execFileSync } from "node:child_process";
import { cpSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join, resolve } from "node:path";

const root = resolve(__dirname, "..", "..", "..");
const folders: string[] = [];

afterAll(() => {
  for (const folder of folders.splice(0)) rmSync(folder, { recursive: true, force: true });
});

/** A folder inside the repository, so that the app in it finds the packages, removed after the tests of the file. */
function freshFolder(): string {
  mkdirSync(join(root, ".corral"), { recursive: true });
  const folder = mkdtempSync(join(root, ".corral", "test-app-"));
  folders.push(folder);
  return folder;
}

/** An app that consists of these files; host.json is there unless given. */
export function appOf(files: Readonly<Record<string, string | object>>): string {
  const folder = freshFolder();
  for (const [name, content] of Object.entries({ "host.json": { version: "2.0" }, ...files })) {
    mkdirSync(dirname(join(folder, name)), { recursive: true });
    writeFileSync(join(folder, name), typeof content === "string" ? content : JSON.stringify(content));
  }
  return folder;
}

/** A TypeScript app of test/apps, compiled by tsc as its own `npm run build` would. */
export function compiledApp(name: string): string {
  const folder = freshFolder();
  cpSync(join(root, "test", "apps", name), folder, { recursive: true });
  execFileSync(process.execPath, [join(root, "node_modules", "typescript", "bin", "tsc"), "-p", folder], {
    stdio: ["ignore", "inherit", "inherit"],
  });
  return folder;
}
