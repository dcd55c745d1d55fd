import { runCommand } from "./command";

/** What heartbeats say about the use of the machine. */
export interface Probes {
  gpuUtilizationPercent(): Promise<number | undefined>;
  sshSessions(): Promise<number>;
}

const LIMIT_MS = 10_000;

export function createProbes(env: Readonly<Record<string, string>>): Probes {
  return {
    gpuUtilizationPercent: async () => {
      const args = ["--query-gpu=utilization.gpu", "--format=csv,noheader,nounits"];
      const { code, stdout } = await runCommand("nvidia-smi", args, { env, timeoutMs: LIMIT_MS });
      return code === 0 ? highestOf(stdout) : undefined;
    },
    sshSessions: async () => {
      const args = ["-Htn", "state", "established", "sport", "=", ":22"];
      const sockets = await runCommand("ss", args, { env, timeoutMs: LIMIT_MS });
      if (sockets.code === 0) return linesOf(sockets.stdout);
      const logins = await runCommand("who", [], { env, timeoutMs: LIMIT_MS });
      // Unknown counts as one: clean-up then spares the machine, which costs money until its lifetime ends, and no person's work.
      return logins.code === 0 ? linesOf(logins.stdout) : 1;
    },
  };
}

/** One line per GPU; some drivers answer `[N/A]` for a GPU that is split. */
export function highestOf(text: string): number | undefined {
  const numbers = text
    .split("\n")
    .filter((line) => /^\s*\d+(\.\d+)?\s*$/.test(line))
    .map(Number);
  return numbers.length > 0 ? Math.min(100, Math.max(...numbers)) : undefined;
}

function linesOf(text: string): number {
  return text.split("\n").filter((line) => line.trim() !== "").length;
}
