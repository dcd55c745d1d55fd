// Writes the pages of docs/ that are made from code. Run by `npm run docs`, after a build.
import { writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { createRequire } from "node:module";
import { fileURLToPath } from "node:url";

const root = join(dirname(fileURLToPath(import.meta.url)), "..");
const { operationsDocument } = createRequire(import.meta.url)(
  join(root, "dist", "src", "domain", "access", "operations-document.js"),
);
writeFileSync(join(root, "docs", "operations.md"), operationsDocument());
process.stdout.write("docs/operations.md\n");
