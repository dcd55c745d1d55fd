import { closeSync, fsyncSync, mkdirSync, openSync, readFileSync, renameSync, rmSync, writeSync } from "node:fs";
import { join } from "node:path";
import type { HeldAttempt } from "./lifecycle";

export interface StoredSession {
  readonly session: string;
  readonly bootId: string;
  readonly osBootId: string;
}

/** What must outlive the agent's process. */
export interface AgentDisk {
  readSession(): StoredSession | undefined;
  saveSession(session: StoredSession): void;
  readAttempt(): HeldAttempt | undefined;
  saveAttempt(held: HeldAttempt | undefined): void;
}

export function openDisk(folder: string): AgentDisk {
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  const session = join(folder, "session.json");
  const attempt = join(folder, "attempt.json");
  return {
    readSession: () => read(session) as StoredSession | undefined,
    saveSession: (value) => write(session, value),
    readAttempt: () => read(attempt) as HeldAttempt | undefined,
    saveAttempt: (held) => {
      if (!held) rmSync(attempt, { force: true });
      // The environment may hold secrets and is of no use once the container runs.
      else write(attempt, { ...held, work: { ...held.work, env: {} } });
    },
  };
}

/** Only our own whole files are ever read: `write` replaces them in one step. */
function read(path: string): unknown {
  try {
    return JSON.parse(readFileSync(path, "utf8"));
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return undefined;
    throw error;
  }
}

function write(path: string, value: object): void {
  const draft = `${path}.new`;
  const file = openSync(draft, "w", 0o600);
  try {
    writeSync(file, JSON.stringify(value));
    fsyncSync(file);
  } finally {
    closeSync(file);
  }
  renameSync(draft, path);
}
