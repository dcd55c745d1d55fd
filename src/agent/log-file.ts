import { closeSync, mkdirSync, openSync, readdirSync, rmSync, statSync, writeSync } from "node:fs";
import { dirname, join } from "node:path";

const LOG_LIMIT_BYTES = 16 * 1024 * 1024;
const TAIL_CHARACTERS = 4096;
const KEPT_LOGS = 20;

/** The log of one attempt, from its start; what goes beyond the limit is dropped, and the file says so. */
export class LogFile {
  private readonly file: number;
  private bytes = 0;
  private closed = false;
  private full = false;
  private lastText = "";

  constructor(
    readonly path: string,
    private readonly limitBytes = LOG_LIMIT_BYTES,
  ) {
    mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
    this.file = openSync(path, "w", 0o600);
  }

  /** The end of what the job wrote, also of what was dropped. */
  get tail(): string {
    return this.lastText;
  }

  write(chunk: Buffer): void {
    this.lastText = (this.lastText + chunk.toString()).slice(-TAIL_CHARACTERS);
    if (this.full || this.closed) return;
    const room = this.limitBytes - this.bytes;
    this.append(chunk.subarray(0, room));
    if (chunk.length <= room) return;
    this.append(Buffer.from(`\n[corral: the log is longer than ${this.limitBytes} bytes, the rest is dropped]\n`));
    this.full = true;
  }

  close(): void {
    if (!this.closed) closeSync(this.file);
    this.closed = true;
  }

  /** A full disk is the job's outcome and must not end the agent that has to report it. */
  private append(bytes: Buffer): void {
    try {
      writeSync(this.file, bytes);
      this.bytes += bytes.length;
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== "ENOSPC") throw error;
      this.full = true;
      this.lastText += "\nno space left on device";
    }
  }
}

/** A machine that lives long must not fill its disk with old logs. */
export function removeOldLogs(folder: string): void {
  const logs = readdirSync(folder).map((name) => join(folder, name));
  const newestFirst = logs.sort((a, b) => statSync(b).mtimeMs - statSync(a).mtimeMs);
  for (const path of newestFirst.slice(KEPT_LOGS)) rmSync(path, { force: true });
}
