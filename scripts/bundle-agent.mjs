// Bundles the VM's program to one file without dependencies and refuses one that has grown over its limit.
import { statSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";

const MAX_BYTES = 40 * 1024;
const root = join(dirname(fileURLToPath(import.meta.url)), "..");
const outfile = join(root, "dist", "agent.js");

await build({
  entryPoints: [join(root, "src", "agent", "main.ts")],
  outfile,
  bundle: true,
  platform: "node",
  target: "node22",
  format: "cjs",
  // A stack trace from a VM is read with the map, which stays here.
  minify: true,
  sourcemap: "external",
  legalComments: "none",
  logLevel: "warning",
});
const { size } = statSync(outfile);
if (size >= MAX_BYTES) {
  process.stderr.write(`dist/agent.js has ${size} bytes; a VM's agent must stay below ${MAX_BYTES}\n`);
  process.exit(1);
}
