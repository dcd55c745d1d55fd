// `corral`: a client of the HTTP API, ARM and Key Vault, as any other client would be.
import { environmentOf } from "./environment";
import { runCli } from "./run-cli";

void runCli(process.argv.slice(2), {
  environment: environmentOf(process.env),
  stdin: process.stdin,
  stdout: (text) => void process.stdout.write(text),
  stderr: (text) => void process.stderr.write(text),
}).then((code) => {
  process.exitCode = code;
});
