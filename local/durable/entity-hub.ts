import { randomUUID } from "node:crypto";
import type { CommitLoop } from "./commit-loop";
import { Entity } from "./entity";
import type { EntityBatch } from "./entity";
import { entityIdOf, entityKeyOf, entityNameOf } from "./entity-id";
import type { EntityCaller, EntityMessage, EntityOwner, EntityTables, QueuedMessage } from "./entity-tables";
import { messageOf, missing } from "./episode";
import type { DurableFunctions, EntityBatchResult } from "./functions";

export interface EntityHubParts {
  readonly functions: DurableFunctions;
  readonly tables: EntityTables;
  readonly commits: () => CommitLoop;
  /** True while that very execution of that instance has not ended. */
  readonly isAlive: (caller: EntityCaller) => boolean;
  /** Brings an answer, or a lock, to the orchestration that asked under that id. */
  readonly answer: (caller: EntityCaller, requestId: string, input: string) => void;
  readonly maxBatch: number;
  readonly log: (line: string) => void;
}

const MAX_ENTITIES = 2_000;

/** All entities: one batch of operations at a time for each, and critical sections over several of them. */
export class EntityHub {
  private readonly entities = new Map<string, Entity>();
  /** The locked entities of each instance that holds a lock. */
  private readonly heldBy = new Map<number, Set<string>>();
  private seq: number;
  private paused = false;
  private stopped = false;

  constructor(private readonly parts: EntityHubParts) {
    this.seq = parts.tables.highestSeq();
  }

  /** Takes up what an earlier process left. A batch that was running is run again: its results were not written. */
  open(): void {
    for (const { id, owner } of this.parts.tables.locked()) if (owner) this.hold(owner, id);
    for (const id of this.parts.tables.waiting()) this.step(this.load(id));
  }

  pause(): void {
    this.paused = true;
  }

  /** After this no result is taken any more. */
  stop(): void {
    this.stopped = true;
  }

  /** Writes the message with the commit that is being prepared; the entity sees it when that is on disk. */
  send(id: string, message: EntityMessage): void {
    const { commits, tables } = this.parts;
    const queued = { seq: (this.seq += 1), message };
    commits().write(() => tables.enqueue(id, queued));
    commits().afterwards(() => {
      const entity = this.load(id);
      entity.offer(queued);
      this.step(entity);
    });
    commits().settle();
  }

  /** The execution has ended, however it did: nobody would ever give its locks back. */
  releaseAll({ iid, execution }: EntityCaller): void {
    for (const id of this.heldBy.get(iid) ?? []) {
      const entity = this.load(id);
      if (entity.owner?.execution === execution) this.unlock(entity);
    }
  }

  purge(id: string): boolean {
    const entity = this.load(id);
    if (!entity.alive || entity.owner || entity.running) return false;
    entity.state = null;
    entity.alive = false;
    this.save(entity);
    return true;
  }

  private load(id: string): Entity {
    const known = this.entities.get(id);
    if (known) return known;
    const { tables } = this.parts;
    const entity = new Entity(id, tables.find(id), tables.queueOf(id));
    this.entities.set(id, entity);
    return entity;
  }

  /** Must only be called when nothing waits to be written: a later load reads from disk. */
  trim(): void {
    if (this.entities.size <= MAX_ENTITIES) return;
    for (const [id, entity] of this.entities) if (entity.idle) this.entities.delete(id);
  }

  private step(entity: Entity): void {
    while (!entity.running && !this.paused) {
      const next = entity.take(this.parts.maxBatch);
      if (!next) return;
      if (next.kind === "operations") void this.runBatch(entity, next.messages);
      else this.handle(entity, next.message);
    }
  }

  private handle(entity: Entity, queued: QueuedMessage): void {
    const { commits, tables, isAlive } = this.parts;
    const { message, seq } = queued;
    commits().write(() => tables.dequeue(seq));
    commits().settle();
    if (message.kind === "release") {
      if (entity.owner?.requestId === message.requestId) this.unlock(entity);
      return;
    }
    const { caller } = message;
    // The orchestration ended while it waited in the queue.
    if (!caller || !isAlive(caller)) return;
    entity.owner = { ...caller, requestId: message.requestId };
    this.hold(entity.owner, entity.id);
    this.save(entity);
    this.passOn(message, caller);
  }

  /** Entities are locked one after another in the order of their ids, so that two critical sections cannot wait for each other. */
  private passOn(message: EntityMessage, caller: EntityCaller): void {
    const position = (message.position ?? 0) + 1;
    const next = message.lockSet?.[position];
    if (next === undefined) this.parts.answer(caller, message.requestId, '{"result":null}');
    else this.send(next, { ...message, position });
  }

  private async runBatch(entity: Entity, messages: readonly QueuedMessage[]): Promise<void> {
    entity.running = true;
    const outcome = await this.call(entity, messages);
    entity.running = false;
    if (this.stopped) return;
    const { commits, tables } = this.parts;
    for (const { seq } of messages) commits().write(() => tables.dequeue(seq));
    entity.alive = outcome.entityExists;
    entity.state = outcome.entityExists ? (outcome.entityState ?? null) : null;
    entity.operatedAt = Date.now();
    this.save(entity);
    for (const [position, { message }] of messages.entries()) this.reply(message, outcome.results[position]);
    for (const { target, name, input } of outcome.signals)
      this.signal(entityIdOf(target.name, target.key), name, input);
    this.step(entity);
  }

  private async call(entity: Entity, messages: readonly QueuedMessage[]): Promise<EntityBatchResult> {
    const { functions, log } = this.parts;
    const name = entityNameOf(entity.id);
    try {
      if (!functions.has("entity", name)) throw new Error(missing("entity", name, functions));
      const { results, signals, entityExists, entityState } = await functions.runEntity(
        name,
        JSON.stringify(batchOf(entity, messages)),
      );
      return { results, signals, entityExists, ...(entityState !== undefined && { entityState }) };
    } catch (error) {
      log(`[${entity.id}] Entity function '${name}' failed: ${messageOf(error)}`);
      const result = { isError: true, result: JSON.stringify(`Entity function '${name}' failed: ${messageOf(error)}`) };
      const unchanged = { entityExists: entity.alive, ...(entity.state !== null && { entityState: entity.state }) };
      return { results: messages.map(() => result), signals: [], ...unchanged };
    }
  }

  private reply(
    { caller, requestId, isSignal = false }: EntityMessage,
    result: EntityBatchResult["results"][number] | undefined,
  ): void {
    if (isSignal || !caller) return;
    const { isError = false, result: value } = result ?? {};
    const response = { ...(value !== undefined && { result: value }), ...(isError && { exceptionType: "Error" }) };
    this.parts.answer(caller, requestId, JSON.stringify(response));
  }

  private signal(id: string, operation: string, input: string): void {
    const { functions, log } = this.parts;
    const name = entityNameOf(id);
    if (!functions.has("entity", name)) log(`A signal was dropped: ${missing("entity", name, functions)}`);
    else this.send(id, signalOf(operation, input === "" ? undefined : input));
  }

  private unlock(entity: Entity): void {
    const owner = entity.owner;
    if (!owner) return;
    const held = this.heldBy.get(owner.iid);
    held?.delete(entity.id);
    if (held?.size === 0) this.heldBy.delete(owner.iid);
    entity.owner = undefined;
    this.save(entity);
    this.parts.commits().afterwards(() => this.step(entity));
  }

  private hold({ iid }: EntityOwner, id: string): void {
    const held = this.heldBy.get(iid) ?? new Set();
    this.heldBy.set(iid, held.add(id));
  }

  private save(entity: Entity): void {
    const { commits, tables } = this.parts;
    const row = entity.row;
    commits().write(() => tables.save(row));
    commits().settle();
  }
}

export function signalOf(operation: string, input: string | undefined): EntityMessage {
  return {
    kind: "operation",
    requestId: randomUUID(),
    operation,
    isSignal: true,
    ...(input !== undefined && { input }),
  };
}

function batchOf(entity: Entity, messages: readonly QueuedMessage[]): EntityBatch {
  return {
    self: { name: entityNameOf(entity.id), key: entityKeyOf(entity.id) },
    exists: entity.alive,
    state: entity.state,
    batch: messages.map(({ message }) => ({
      name: message.operation ?? "",
      ...(message.input !== undefined && { input: message.input }),
      isSignal: message.isSignal ?? false,
      id: message.requestId,
    })),
  };
}
