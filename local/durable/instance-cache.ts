import { FINISHED } from "./journal";
import type { InstanceRow, Journal } from "./journal";
import { Instance } from "./instance";

const MAX_INSTANCES = 5_000;
const MAX_HISTORY_CHARACTERS = 64 * 1024 * 1024;
/** Looking at all instances after every commit would cost more than the memory is worth. */
const TRIM_EVERY = 256;

/** The unfinished instances in memory, so that an episode need not read its history from disk. Bounded: idle ones leave first. */
export class InstanceCache {
  private readonly byIid = new Map<number, Instance>();
  private readonly byId = new Map<string, Instance>();
  private calls = 0;

  constructor(private readonly journal: Journal) {}

  add(instance: Instance): void {
    this.byIid.set(instance.iid, instance);
    this.byId.set(instance.id, instance);
  }

  remove(instance: Instance): void {
    if (this.byIid.get(instance.iid) === instance) this.byIid.delete(instance.iid);
    if (this.byId.get(instance.id) === instance) this.byId.delete(instance.id);
  }

  /** The instance in memory, also one that ended in a turn that is not on disk yet. */
  peek(id: string): Instance | undefined {
    return this.byId.get(id);
  }

  /** The unfinished instance with this number, read from the journal when need be. */
  load(iid: number): Instance | undefined {
    const cached = this.byIid.get(iid);
    return cached ?? this.restore(this.journal.instanceByIid(iid));
  }

  loadById(id: string): Instance | undefined {
    return this.byId.get(id) ?? this.restore(this.journal.instanceById(id));
  }

  /** Must only be called when nothing waits to be written: a later load reads from disk. */
  trim(): void {
    this.calls += 1;
    if (this.calls % TRIM_EVERY !== 0) return;
    if (this.byIid.size <= MAX_INSTANCES && !this.isHeavy()) return;
    let surplus = Math.max(this.byIid.size - MAX_INSTANCES, Math.ceil(this.byIid.size / 4));
    for (const instance of this.byIid.values()) {
      if (surplus === 0) return;
      if (!instance.idle) continue;
      this.remove(instance);
      surplus -= 1;
    }
  }

  private isHeavy(): boolean {
    let characters = 0;
    for (const { played } of this.byIid.values()) characters += played.length;
    return characters > MAX_HISTORY_CHARACTERS;
  }

  private restore(row: InstanceRow | undefined): Instance | undefined {
    if (!row || FINISHED.includes(row.status)) return undefined;
    const instance = new Instance(row);
    instance.restore(row.episodes === 0 ? "" : this.journal.historyOf(row.iid), this.journal.inboxOf(row.iid));
    this.add(instance);
    return instance;
  }
}
