import { existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { dirname } from "node:path";

export interface TimerStatus {
  readonly last: string;
  readonly next: string;
}

/** When each timer ran last and was due next, kept over restarts so that a missed run is made up for. */
export class TimerState {
  private readonly statuses: Record<string, TimerStatus>;

  constructor(private readonly path: string) {
    this.statuses = read(path);
  }

  of(name: string): TimerStatus | undefined {
    return this.statuses[name];
  }

  set(name: string, status: TimerStatus): void {
    this.statuses[name] = status;
    mkdirSync(dirname(this.path), { recursive: true });
    const draft = `${this.path}.new`;
    writeFileSync(draft, JSON.stringify(this.statuses));
    renameSync(draft, this.path);
  }
}

function read(path: string): Record<string, TimerStatus> {
  // Written by `set` alone, and whole or not at all.
  return existsSync(path) ? (JSON.parse(readFileSync(path, "utf8")) as Record<string, TimerStatus>) : {};
}
