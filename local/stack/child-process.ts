import { type ChildProcess, spawn } from "node:child_process";
import { createWriteStream } from "node:fs";

export interface ChildOptions {
  readonly script: string;
  readonly args: readonly string[];
  readonly env: NodeJS.ProcessEnv;
  /** Everything that the process prints goes there. */
  readonly logFile: string;
}

/** A Node process of the stack that tells by IPC when it is ready. */
export class StackProcess<Ready> {
  private constructor(
    private readonly child: ChildProcess,
    readonly ready: Ready,
    readonly ended: Promise<string>,
  ) {}

  /** Starts it and waits until it is ready; fails with its last words when it ends before. */
  static async start<Ready>(options: ChildOptions): Promise<StackProcess<Ready>> {
    const child = spawn(process.execPath, ["--disable-warning=ExperimentalWarning", options.script, ...options.args], {
      env: options.env,
      stdio: ["ignore", "pipe", "pipe", "ipc"],
    });
    const log = createWriteStream(options.logFile, { flags: "a" });
    let tail = "";
    const keep = (chunk: Buffer): void => {
      tail = (tail + chunk.toString("utf8")).slice(-4000);
    };
    for (const stream of [child.stdout, child.stderr]) {
      stream?.on("data", keep);
      stream?.pipe(log, { end: false });
    }
    const ended = new Promise<string>((resolve) => {
      child.once("close", (code, signal) => {
        log.end();
        resolve(signal ?? `exit code ${code ?? "unknown"}`);
      });
    });
    const ready = await Promise.race([
      new Promise<Ready>((resolve) => child.once("message", (message) => resolve(message as Ready))),
      ended.then((how) => {
        throw new Error(`${options.script} ended (${how}) before it was ready:\n${tail.trim()}`);
      }),
    ]);
    return new StackProcess(child, ready, ended);
  }

  get pid(): number {
    return this.child.pid ?? 0;
  }

  send(message: object): void {
    if (this.child.connected) this.child.send(message);
  }

  /** Asks it to end in order, and ends it by force after the time allowed. */
  async stop(timeoutMs: number): Promise<string> {
    this.child.kill("SIGTERM");
    const timer = setTimeout(() => this.child.kill("SIGKILL"), timeoutMs);
    const how = await this.ended;
    clearTimeout(timer);
    return how;
  }

  async kill(): Promise<void> {
    this.child.kill("SIGKILL");
    await this.ended;
  }
}
