import { type ChildProcess, spawn } from "node:child_process";
import { Readable } from "node:stream";
import { environmentOf } from "../../cli/environment";
import { runCli } from "../../cli/run-cli";
import { builtFile } from "../local/vm/build-folder";

export interface CliEnd {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

export interface CliRun {
  readonly env?: Readonly<Record<string, string>>;
  readonly stdin?: string | Buffer;
  /** Whether stdin is a person's terminal. */
  readonly isTTY?: boolean;
}

/** The CLI in this process, with an environment and streams of its own. */
export async function corral(
  args: readonly string[],
  { env = {}, stdin = "", isTTY = false }: CliRun = {},
): Promise<CliEnd> {
  let [stdout, stderr] = ["", ""];
  const code = await runCli(args, {
    environment: environmentOf(env),
    stdin: Object.assign(Readable.from([Buffer.from(stdin)]), { isTTY }),
    stdout: (text) => (stdout += text),
    stderr: (text) => (stderr += text),
  });
  return { code, stdout, stderr };
}

/** The compiled CLI in a process with just this environment: credentials read it, and Node its authorities, when a process starts. */
export function corralProcess(
  args: readonly string[],
  { env = {}, stdin = "", onStderr }: CliRun & { onStderr?: (text: string) => void } = {},
): Promise<CliEnd> {
  const { PATH = "" } = process.env;
  const child: ChildProcess = spawn(process.execPath, [builtFile("cli/main.js"), ...args], { env: { PATH, ...env } });
  let [stdout, stderr] = ["", ""];
  child.stdout?.on("data", (chunk) => (stdout += String(chunk)));
  child.stderr?.on("data", (chunk) => {
    stderr += String(chunk);
    onStderr?.(stderr);
  });
  child.stdin?.end(stdin);
  return new Promise((resolve, reject) => {
    child.on("error", reject);
    child.on("close", (code) => resolve({ code: code ?? -1, stdout, stderr }));
  });
}
