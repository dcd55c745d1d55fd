import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";

/** Long enough for a host that is just stopping, short enough for a person who started two. */
const WAIT_MS = 20_000;

/** Keeps a second host away from the same data: two would run the same orchestrations. Freed by the system when the process dies. */
export class HostLock {
  private constructor(private readonly db: DatabaseSync) {}

  static acquire(dataFolder: string, waitMs = WAIT_MS): HostLock {
    mkdirSync(dataFolder, { recursive: true });
    const db = new DatabaseSync(join(dataFolder, "host-lock.sqlite"));
    db.exec(`PRAGMA busy_timeout = ${waitMs}`);
    try {
      db.exec("BEGIN EXCLUSIVE");
    } catch (error) {
      db.close();
      throw new Error(`Another host works on ${dataFolder}. End it, or choose another folder with --data.`, {
        cause: error,
      });
    }
    return new HostLock(db);
  }

  release(): void {
    this.db.exec("ROLLBACK");
    this.db.close();
  }
}
