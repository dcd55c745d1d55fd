import { writeSync } from "node:fs";

export type Log = (line: string) => void;

let waiting: string[] = [];

/** Lines of one turn of the event loop are written together: two lines for each invocation would otherwise be two system calls. */
export const stderrLog: Log = (line) => {
  if (waiting.length === 0) setImmediate(flushLog);
  waiting.push(`[${new Date().toISOString()}] ${line}\n`);
};

/** Called by itself; to be called before the process is ended in the middle of a turn. */
export function flushLog(): void {
  const text = waiting.join("");
  waiting = [];
  if (text !== "") process.stderr.write(text);
}

process.on("exit", () => {
  const text = waiting.join("");
  waiting = [];
  try {
    if (text !== "") writeSync(2, text);
  } catch {
    // Nobody reads any more, and nothing can be told to anybody at this point.
  }
});

export function describeError(error: unknown): string {
  return error instanceof Error ? (error.stack ?? error.message) : String(error);
}
