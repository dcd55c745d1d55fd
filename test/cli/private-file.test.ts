import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { readFileIfThere, writePrivateFile } from "../../cli/private-file";

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "corral-private-"));
});
afterEach(() => rmSync(folder, { recursive: true }));

it("replaces a file by one that its owner alone may read, in a folder that he alone may enter", () => {
  const file = join(folder, "corral", "tokens.json");
  writePrivateFile(file, "one");
  const old = join(folder, "corral", "old.json");
  writeFileSync(old, "readable by all", { mode: 0o644 });

  for (const path of [file, old]) writePrivateFile(path, "two");

  const modes = [join(folder, "corral"), file, old].map((path) => statSync(path).mode & 0o777);
  expect(modes).toEqual([0o700, 0o600, 0o600]);
  expect([readFileSync(file, "utf8"), readdirSync(join(folder, "corral")).sort()]).toEqual([
    "two",
    ["old.json", "tokens.json"],
  ]);
});

it("tells a file that is not there from one that cannot be read", () => {
  expect(readFileIfThere(join(folder, "none"))).toBeUndefined();
  expect(() => readFileIfThere(folder)).toThrow(/EISDIR/);
});
