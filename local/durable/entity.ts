import type { EntityMessage, EntityOwner, EntityRow, QueuedMessage } from "./entity-tables";

/** What an entity's function is called with. */
export interface EntityBatch {
  readonly self: { readonly name: string; readonly key: string };
  readonly exists: boolean;
  readonly state: string | null;
  readonly batch: readonly {
    readonly name: string;
    readonly input?: string;
    readonly isSignal: boolean;
    readonly id: string;
  }[];
}

export type EntityStep =
  | { readonly kind: "operations"; readonly messages: readonly QueuedMessage[] }
  | { readonly kind: "control"; readonly message: QueuedMessage };

/** One entity in memory: its state, who has locked it, and what waits. */
export class Entity {
  state: string | null;
  alive: boolean;
  owner: EntityOwner | undefined;
  operatedAt: number;
  running = false;
  private lastSeq: number;

  constructor(
    readonly id: string,
    row: EntityRow | undefined,
    readonly queue: QueuedMessage[],
  ) {
    this.state = row?.state ?? null;
    this.alive = row?.alive ?? false;
    this.owner = row?.owner;
    this.operatedAt = row?.operatedAt ?? 0;
    this.lastSeq = queue.at(-1)?.seq ?? 0;
  }

  /** Adds what was written to the queue on disk; an entity that was read since then has it already. */
  offer(queued: QueuedMessage): void {
    if (queued.seq <= this.lastSeq) return;
    this.lastSeq = queued.seq;
    this.queue.push(queued);
  }

  get row(): EntityRow {
    const { id, state, alive, owner, operatedAt } = this;
    return { id, state, alive, owner, operatedAt };
  }

  get idle(): boolean {
    return !this.running && this.queue.length === 0;
  }

  /** Takes what comes next: some operations in a row, or one message about locks. While it is locked only its owner is heard. */
  take(maxBatch: number): EntityStep | undefined {
    const taken: QueuedMessage[] = [];
    for (const queued of this.queue) {
      if (!this.hears(queued.message)) continue;
      if (queued.message.kind !== "operation") {
        if (taken.length > 0) break;
        this.remove([queued]);
        return { kind: "control", message: queued };
      }
      taken.push(queued);
      if (taken.length === maxBatch) break;
    }
    if (taken.length === 0) return undefined;
    this.remove(taken);
    return { kind: "operations", messages: taken };
  }

  private hears({ caller }: EntityMessage): boolean {
    if (!this.owner) return true;
    return caller?.iid === this.owner.iid && caller.execution === this.owner.execution;
  }

  private remove(taken: readonly QueuedMessage[]): void {
    const gone = new Set(taken);
    const left = this.queue.filter((queued) => !gone.has(queued));
    this.queue.splice(0, this.queue.length, ...left);
  }
}
