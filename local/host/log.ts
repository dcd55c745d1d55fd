export type Log = (line: string) => void;

export const stderrLog: Log = (line) => {
  process.stderr.write(`[${new Date().toISOString()}] ${line}\n`);
};

export function describeError(error: unknown): string {
  return error instanceof Error ? (error.stack ?? error.message) : String(error);
}
