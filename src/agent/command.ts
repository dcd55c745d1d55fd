import { spawn } from "node:child_process";

export interface CommandResult {
  /** The exit code; 127 when there is no such program, 137 when it was killed (also by its time limit). */
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

export interface CommandOptions {
  readonly env: Readonly<Record<string, string>>;
  readonly timeoutMs?: number;
  readonly signal?: AbortSignal;
  /** Takes the output in place of `stdout` and `stderr` of the result. */
  readonly onOutput?: (chunk: Buffer) => void;
}

const KEPT_CHARACTERS = 64 * 1024;

/** Runs a program by its argument array, never through a shell. A failure is an exit code and not an exception. */
export function runCommand(file: string, args: readonly string[], options: CommandOptions): Promise<CommandResult> {
  const { env, timeoutMs, signal, onOutput } = options;
  const child = spawn(file, args, {
    env,
    stdio: ["ignore", "pipe", "pipe"],
    killSignal: "SIGKILL",
    ...(timeoutMs === undefined ? {} : { timeout: timeoutMs }),
    ...(signal === undefined ? {} : { signal }),
  });
  let stdout = "";
  let stderr = "";
  child.stdout.on("data", (chunk: Buffer) => {
    if (onOutput) onOutput(chunk);
    else stdout = (stdout + chunk.toString()).slice(-KEPT_CHARACTERS);
  });
  child.stderr.on("data", (chunk: Buffer) => {
    if (onOutput) onOutput(chunk);
    else stderr = (stderr + chunk.toString()).slice(-KEPT_CHARACTERS);
  });
  const { promise, resolve } = Promise.withResolvers<CommandResult>();
  child.once("error", (error) => {
    // An aborted child still closes; one that never started does not.
    if (child.pid === undefined) resolve({ code: 127, stdout, stderr: error.message });
  });
  child.once("close", (code) => resolve({ code: code ?? 137, stdout, stderr }));
  return promise;
}
