import { mkdirSync } from "node:fs";
import { dirname } from "node:path";
import { DatabaseSync } from "node:sqlite";
import type { StatementSync } from "node:sqlite";
import { SCHEMA } from "./journal-schema";

export type RuntimeStatus = "Pending" | "Running" | "Suspended" | "Completed" | "Failed" | "Terminated";

export const FINISHED: readonly RuntimeStatus[] = ["Completed", "Failed", "Terminated"];

export interface InstanceRow {
  readonly iid: number;
  readonly id: string;
  readonly name: string;
  readonly version: string;
  readonly execution: string;
  readonly status: RuntimeStatus;
  /** JSON texts. */
  readonly input: string;
  readonly output: string | null;
  readonly customStatus: string | null;
  readonly createdAt: number;
  readonly updatedAt: number;
  /** How many episodes of the present execution are written; 0 means that it has not started. */
  readonly episodes: number;
  readonly parentIid: number | null;
  readonly parentId: string | null;
  readonly parentExecution: string | null;
  readonly parentTask: number | null;
}

export interface ActivityRow {
  readonly wid: number;
  readonly iid: number;
  readonly execution: string;
  readonly task: number;
  readonly instanceId: string;
  readonly name: string;
  readonly input: string;
}

export interface TimerRow {
  readonly iid: number;
  readonly execution: string;
  readonly task: number;
  readonly fireAt: number;
}

export interface InboxRow {
  readonly seq: number;
  readonly execution: string | null;
  readonly event: string;
}

/** What one status query asks for; an empty list of statuses means all. */
export interface InstanceFilter {
  readonly statuses: readonly string[];
  readonly createdFrom: number;
  readonly createdTo: number;
  readonly prefix: string;
  readonly after: number;
  readonly top: number;
}

/**
 * The task hub on disk. Every write happens inside `commit`, which is durable when it returns: the write-ahead log is
 * synced at each commit, so that a killed process or machine finds all that was promised.
 */
export class Journal {
  readonly db: DatabaseSync;
  private readonly statements = new Map<string, StatementSync>();

  constructor(path: string) {
    mkdirSync(dirname(path), { recursive: true });
    this.db = new DatabaseSync(path);
    this.db.exec(
      "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA busy_timeout = 5000; PRAGMA wal_autocheckpoint = 4000;",
    );
    this.db.exec(SCHEMA);
  }

  close(): void {
    this.statements.clear();
    this.db.close();
  }

  /** Runs the writes in one transaction. One sync for all of them is what makes many small orchestrations affordable. */
  commit(writes: readonly (() => void)[]): void {
    this.db.exec("BEGIN IMMEDIATE");
    try {
      for (const write of writes) write();
      this.db.exec("COMMIT");
    } catch (error) {
      this.db.exec("ROLLBACK");
      throw error;
    }
  }

  /** The highest numbers ever given to instances, activities and messages that are still there. */
  highest(): { iid: number; wid: number; seq: number } {
    const max = (column: string, table: string): number => {
      const [row] = this.all(`SELECT max(${column}) AS highest FROM ${table}`) as { highest: number | null }[];
      return row?.highest ?? 0;
    };
    return {
      iid: Math.max(max("iid", "instances"), max("iid", "activities")),
      wid: max("wid", "activities"),
      seq: max("seq", "inbox"),
    };
  }

  insertInstance(row: InstanceRow): void {
    this.run(
      `INSERT INTO instances (iid, id, name, version, execution, status, input, output, customStatus, createdAt, updatedAt, episodes,
       parentIid, parentId, parentExecution, parentTask) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
      row.iid,
      row.id,
      row.name,
      row.version,
      row.execution,
      row.status,
      row.input,
      row.output,
      row.customStatus,
      row.createdAt,
      row.updatedAt,
      row.episodes,
      row.parentIid,
      row.parentId,
      row.parentExecution,
      row.parentTask,
    );
  }

  updateInstance(
    row: Pick<InstanceRow, "iid" | "status" | "output" | "customStatus" | "updatedAt" | "episodes">,
  ): void {
    this.run(
      "UPDATE instances SET status = ?, output = ?, customStatus = ?, updatedAt = ?, episodes = ? WHERE iid = ?",
      row.status,
      row.output,
      row.customStatus,
      row.updatedAt,
      row.episodes,
      row.iid,
    );
  }

  /** Begins a new execution of the same instance: its history and timers start from nothing, its custom status stays. */
  restartInstance(iid: number, execution: string, input: string): void {
    this.run("UPDATE instances SET execution = ?, input = ?, episodes = 0 WHERE iid = ?", execution, input, iid);
    this.run("DELETE FROM history WHERE iid = ?", iid);
    this.deleteTimers(iid);
  }

  deleteInstance(iid: number): void {
    for (const table of ["instances", "history", "timers", "inbox"])
      this.run(`DELETE FROM ${table} WHERE iid = ?`, iid);
  }

  appendHistory(iid: number, episode: number, events: string): void {
    this.run("INSERT INTO history (iid, episode, events) VALUES (?, ?, ?)", iid, episode, events);
  }

  /** Forgets the episodes from that one on. */
  cutHistory(iid: number, episode: number): void {
    this.run("DELETE FROM history WHERE iid = ? AND episode >= ?", iid, episode);
  }

  insertActivity(row: ActivityRow): void {
    this.run(
      "INSERT INTO activities (wid, iid, execution, task, instanceId, name, input) VALUES (?, ?, ?, ?, ?, ?, ?)",
      row.wid,
      row.iid,
      row.execution,
      row.task,
      row.instanceId,
      row.name,
      row.input,
    );
  }

  deleteActivity(wid: number): void {
    this.run("DELETE FROM activities WHERE wid = ?", wid);
  }

  insertTimer(row: TimerRow): void {
    this.run(
      "INSERT INTO timers (iid, task, execution, fireAt) VALUES (?, ?, ?, ?)",
      row.iid,
      row.task,
      row.execution,
      row.fireAt,
    );
  }

  deleteTimer(iid: number, task: number): void {
    this.run("DELETE FROM timers WHERE iid = ? AND task = ?", iid, task);
  }

  deleteTimers(iid: number): void {
    this.run("DELETE FROM timers WHERE iid = ?", iid);
  }

  insertMessage(iid: number, row: InboxRow): void {
    this.run(
      "INSERT INTO inbox (seq, iid, execution, event) VALUES (?, ?, ?, ?)",
      row.seq,
      iid,
      row.execution,
      row.event,
    );
  }

  deleteMessage(seq: number): void {
    this.run("DELETE FROM inbox WHERE seq = ?", seq);
  }

  deleteMessages(iid: number): void {
    this.run("DELETE FROM inbox WHERE iid = ?", iid);
  }

  instanceById(id: string): InstanceRow | undefined {
    return (this.all("SELECT * FROM instances WHERE id = ?", id) as InstanceRow[])[0];
  }

  instanceByIid(iid: number): InstanceRow | undefined {
    return (this.all("SELECT * FROM instances WHERE iid = ?", iid) as InstanceRow[])[0];
  }

  historyOf(iid: number): string {
    return this.episodesOf(iid).join(",");
  }

  episodesOf(iid: number): string[] {
    const rows = this.all("SELECT events FROM history WHERE iid = ? ORDER BY episode", iid) as { events: string }[];
    return rows.map(({ events }) => events);
  }

  deleteActivityOf(iid: number, execution: string, task: number): void {
    this.run("DELETE FROM activities WHERE iid = ? AND execution = ? AND task = ?", iid, execution, task);
  }

  inboxOf(iid: number): InboxRow[] {
    return this.all("SELECT seq, execution, event FROM inbox WHERE iid = ? ORDER BY seq", iid) as InboxRow[];
  }

  activities(): ActivityRow[] {
    return this.all("SELECT * FROM activities ORDER BY wid") as ActivityRow[];
  }

  timers(): TimerRow[] {
    return this.all("SELECT * FROM timers") as TimerRow[];
  }

  /** The instances that a restart must wake by itself: not begun, or with messages that no episode has seen. */
  unsettledInstances(): number[] {
    const rows = this.all(
      `SELECT iid FROM instances WHERE status IN ('Pending', 'Running', 'Suspended')
       AND (episodes = 0 OR iid IN (SELECT iid FROM inbox))`,
    ) as { iid: number }[];
    return rows.map(({ iid }) => iid);
  }

  find({ after, createdFrom, createdTo, prefix, statuses, top }: InstanceFilter): InstanceRow[] {
    const list = JSON.stringify(statuses);
    return this.all(
      `SELECT * FROM instances WHERE iid > ? AND createdAt BETWEEN ? AND ? AND substr(id, 1, length(?)) = ?
       AND (? = '[]' OR status IN (SELECT value FROM json_each(?))) ORDER BY iid LIMIT ?`,
      ...[after, createdFrom, createdTo, prefix, prefix, list, list, top],
    ) as InstanceRow[];
  }

  private prepared(sql: string): StatementSync {
    let statement = this.statements.get(sql);
    if (!statement) this.statements.set(sql, (statement = this.db.prepare(sql)));
    return statement;
  }

  private run(sql: string, ...values: (string | number | null)[]): void {
    this.prepared(sql).run(...values);
  }

  /** The columns are those of the schema above, so that each caller knows its rows' type. */
  private all(sql: string, ...values: (string | number | null)[]): unknown[] {
    return this.prepared(sql).all(...values);
  }
}
