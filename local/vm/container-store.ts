import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { isAlive } from "./processes";

export interface ContainerRecord {
  readonly id: string;
  readonly name: string;
  readonly osBootId: string;
  readonly startedAt?: string;
  /** Leader of the process group. */
  readonly pid?: number;
  /** Docker's words when the program could not be started. */
  readonly error?: string;
  readonly exitCode?: number;
}

export interface ContainerStatus {
  readonly Status: "created" | "running" | "exited";
  readonly Running: boolean;
  readonly OOMKilled: boolean;
  readonly ExitCode: number;
  readonly Error: string;
  readonly StartedAt: string;
  readonly FinishedAt: string;
}

const NEVER = "0001-01-01T00:00:00Z";
const KILLED = 137;
/** What Docker notes for a container that ended with its host. */
const LOST_WITH_HOST = 255;

/** The containers of one VM: a folder each, since every call of the stand-in is a process of its own. */
export class ContainerStore {
  constructor(
    private readonly vmFolder: string,
    private readonly osBootId: string,
  ) {}

  folderOf(name: string): string {
    return join(this.vmFolder, "containers", name);
  }

  workFolderOf(name: string): string {
    return join(this.folderOf(name), "work");
  }

  logOf(name: string): string {
    return join(this.folderOf(name), "output.log");
  }

  pidFileOf(name: string): string {
    return join(this.folderOf(name), "pid");
  }

  exitFileOf(name: string): string {
    return join(this.folderOf(name), "exit");
  }

  /** False when the name is taken: the folder's creation decides between two callers. */
  create(name: string): boolean {
    mkdirSync(join(this.vmFolder, "containers"), { recursive: true });
    try {
      mkdirSync(this.folderOf(name));
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === "EEXIST") return false;
      throw error;
    }
    mkdirSync(this.workFolderOf(name));
    writeFileSync(this.logOf(name), "");
    return true;
  }

  save(record: ContainerRecord): void {
    const path = join(this.folderOf(record.name), "container.json");
    writeFileSync(`${path}.new`, JSON.stringify(record));
    renameSync(`${path}.new`, path);
    // For the shell scripts of the VM.
    writeFileSync(join(this.folderOf(record.name), "id"), record.id);
  }

  /** The number is the leader's own note: a client that was killed may have started it and noted nothing more. */
  find(name: string): ContainerRecord | undefined {
    const path = join(this.folderOf(name), "container.json");
    if (!existsSync(path)) return undefined;
    const record = JSON.parse(readFileSync(path, "utf8")) as ContainerRecord;
    const pidFile = this.pidFileOf(name);
    const pid = existsSync(pidFile) ? Number(readFileSync(pidFile, "utf8")) : 0;
    return pid > 0 ? { ...record, pid, startedAt: record.startedAt ?? statSync(pidFile).mtime.toISOString() } : record;
  }

  list(): ContainerRecord[] {
    const folder = join(this.vmFolder, "containers");
    return existsSync(folder) ? readdirSync(folder).flatMap((name) => this.find(name) ?? []) : [];
  }

  remove(name: string): void {
    rmSync(this.folderOf(name), { recursive: true, force: true, maxRetries: 5 });
  }

  statusOf(record: ContainerRecord): ContainerStatus {
    const { startedAt = NEVER, error = "" } = record;
    const common = { OOMKilled: false, Error: error, StartedAt: startedAt };
    if (record.pid === undefined) {
      return { Status: "created", Running: false, ...common, ExitCode: record.exitCode ?? 0, FinishedAt: NEVER };
    }
    const exitFile = this.exitFileOf(record.name);
    // Asked before the file is read: a program that ends in between has written it by then.
    const alive = record.osBootId === this.osBootId && isAlive(record.pid, this.vmFolder);
    const written = existsSync(exitFile) ? readFileSync(exitFile, "utf8").trim() : "";
    if (written !== "") {
      const FinishedAt = statSync(exitFile).mtime.toISOString();
      return { Status: "exited", Running: false, ...common, ExitCode: Number(written), FinishedAt };
    }
    if (alive) return { Status: "running", Running: true, ...common, ExitCode: 0, FinishedAt: NEVER };
    const ExitCode = record.osBootId === this.osBootId ? KILLED : LOST_WITH_HOST;
    return { Status: "exited", Running: false, ...common, ExitCode, FinishedAt: new Date().toISOString() };
  }
}
