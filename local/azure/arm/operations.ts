import { randomBytes, randomUUID } from "node:crypto";
import type { DatabaseSync } from "node:sqlite";
import type { FaultPlan } from "../../faults/fault-plan";
import { JsonTable } from "../store/json-table";
import type { ArmErrorBody } from "./arm-error";
import type { EventSeed } from "./resource-events";

export type OperationStatus = "InProgress" | "Succeeded" | "Failed" | "Canceled";

/** A long-running operation; it is stored, so that it goes on after a restart of the cloud. */
export interface Operation {
  readonly id: string;
  readonly kind: string;
  /** What the fault plan calls it: method and type of the call that began it. */
  readonly label: string;
  readonly resourceId: string;
  readonly subscriptionId: string;
  readonly provider: string;
  readonly location: string;
  readonly startTime: string;
  readonly dueAtMs: number;
  readonly status: OperationStatus;
  readonly endTime?: string;
  readonly error?: ArmErrorBody;
  /** In the operation's URL; who has it may poll without a role, as the caller that began it does. */
  readonly ticket: string;
  readonly input: Readonly<Record<string, string>>;
  readonly event?: EventSeed | undefined;
}

export interface NewOperation {
  readonly kind: string;
  readonly label: string;
  readonly resourceId: string;
  readonly subscriptionId: string;
  readonly provider: string;
  readonly location: string;
  readonly latencyMs: number;
  readonly input?: Readonly<Record<string, string>>;
}

/** What an operation does when its time has come. An error that `complete` answers makes it fail. */
export interface OperationEffect {
  complete(operation: Operation): Promise<ArmErrorBody | undefined>;
  fail(operation: Operation, error: ArmErrorBody): Promise<void>;
}

export interface OperationsOptions {
  readonly database: DatabaseSync;
  readonly faults: FaultPlan;
  readonly log: (line: string) => void;
  readonly onEnd: (operation: Operation) => void;
}

// How long an ended operation may still be asked for.
const KEPT_MS = 24 * 60 * 60 * 1000;

// However many there were in that day: more ended ones than this are forgotten, the oldest first.
const MAX_ENDED = 5000;

// setTimeout takes no longer waits.
const MAX_TIMER_MS = 2 ** 31 - 1;

/** Runs long-running operations: begins, ends after their latency, fails on demand, is preempted by a deletion. */
export class Operations {
  private readonly table: JsonTable<Operation>;
  private readonly effects = new Map<string, OperationEffect>();
  private readonly timers = new Map<string, NodeJS.Timeout>();
  private readonly current = new Map<string, string>();
  private readonly ending = new Set<Promise<void>>();
  private readonly waiters = new Map<string, PromiseWithResolvers<Operation>[]>();
  /** Ended operations in the order of their end. */
  private readonly ended = new Set<string>();
  private closed = false;

  constructor(private readonly options: OperationsOptions) {
    this.table = new JsonTable(options.database, "operations");
  }

  on(kind: string, effect: OperationEffect): void {
    this.effects.set(kind, effect);
  }

  /** Takes up what was in progress when the process ended. Called once all effects are known. */
  resume(): void {
    const known = this.table.values();
    for (const operation of known.filter(({ status }) => status === "InProgress")) this.schedule(operation);
    const ended = known.filter(({ status }) => status !== "InProgress");
    for (const { id } of ended.toSorted((left, right) => endedAt(left) - endedAt(right))) this.ended.add(id);
    this.forgetEnded();
  }

  /** Nothing is asked for a day after its end, and there is an end to what is kept. */
  private forgetEnded(): void {
    const oldest = Date.now() - KEPT_MS;
    for (const id of this.ended) {
      const operation = this.table.get(id);
      if (operation && this.ended.size <= MAX_ENDED && endedAt(operation) >= oldest) return;
      this.ended.delete(id);
      this.table.delete(id);
    }
  }

  get(id: string): Operation | undefined {
    return this.table.get(id);
  }

  /** The operation that a resource is in. */
  currentOf(resourceId: string): Operation | undefined {
    const id = this.current.get(resourceId.toLowerCase());
    return id ? this.table.get(id) : undefined;
  }

  begin({ latencyMs, input = {}, ...given }: NewOperation): Operation {
    const now = Date.now();
    const operation: Operation = {
      ...given,
      input,
      id: randomUUID(),
      ticket: randomBytes(24).toString("base64url"),
      startTime: new Date(now).toISOString(),
      dueAtMs: now + latencyMs,
      status: "InProgress",
    };
    this.table.set(operation.id, operation);
    this.schedule(operation);
    return operation;
  }

  /** The event that is told when the operation ends; known only to who answers the request. */
  attachEvent(operation: Operation, event: EventSeed): void {
    const known = this.table.get(operation.id);
    if (known && !known.event) this.table.set(known.id, { ...known, event });
  }

  /** A more recent operation, or an eviction, takes the resource away from the one that it is in. */
  preempt(resourceId: string): void {
    const operation = this.currentOf(resourceId);
    if (!operation) return;
    const error = {
      code: "OperationPreempted",
      message: "Operation execution has been preempted by a more recent operation.",
    };
    this.end(operation.id, "Canceled", error);
  }

  /** Resolves with the operation once it has ended; rejects when the cloud stops before that. */
  whenEnded(id: string): Promise<Operation> {
    const known = this.table.get(id);
    if (!known || this.closed) return Promise.reject(new Error(`There is no operation ${id} to wait for.`));
    if (known.status !== "InProgress") return Promise.resolve(known);
    const waiter = Promise.withResolvers<Operation>();
    this.waiters.set(id, [...(this.waiters.get(id) ?? []), waiter]);
    return waiter.promise;
  }

  isInProgress(id: string): boolean {
    return !this.closed && this.table.get(id)?.status === "InProgress";
  }

  async close(): Promise<void> {
    this.closed = true;
    for (const timer of this.timers.values()) clearTimeout(timer);
    this.timers.clear();
    for (const waiter of [...this.waiters.values()].flat()) waiter.reject(new Error("The cloud is stopping."));
    this.waiters.clear();
    await Promise.all(this.ending);
  }

  private schedule(operation: Operation): void {
    this.current.set(operation.resourceId.toLowerCase(), operation.id);
    const waitMs = Math.min(MAX_TIMER_MS, Math.max(0, operation.dueAtMs - Date.now()));
    this.timers.set(
      operation.id,
      setTimeout(() => void this.fire(operation.id), waitMs),
    );
  }

  private async fire(id: string): Promise<void> {
    this.timers.delete(id);
    const operation = this.table.get(id);
    if (!operation) return;
    const { label: operationName, resourceId: subject } = operation;
    const verdict = await this.options.faults.at("operation", { service: "arm", operation: operationName, subject });
    if (!this.isInProgress(id)) return;
    if (verdict?.kind === "drop") {
      this.preempt(operation.resourceId);
      return;
    }
    const work = this.finish(operation, verdict && { code: verdict.code, message: verdict.message });
    this.ending.add(work);
    await work.finally(() => this.ending.delete(work));
  }

  private async finish(operation: Operation, fault: ArmErrorBody | undefined): Promise<void> {
    const effect = this.effects.get(operation.kind);
    try {
      const error = fault ?? (await effect?.complete(operation));
      if (!this.isInProgress(operation.id)) return;
      if (error) await effect?.fail(operation, error);
      this.end(operation.id, error ? "Failed" : "Succeeded", error);
    } catch (failure) {
      // The cloud is stopping, or a deletion came between: whoever goes on with the resource settles it.
      if (!this.isInProgress(operation.id)) return;
      const message = failure instanceof Error ? failure.message : String(failure);
      this.options.log(`operation ${operation.kind} of ${operation.resourceId} failed: ${message}`);
      const error = {
        code: "InternalExecutionError",
        message: "An internal execution error occurred. Please retry later.",
      };
      await effect?.fail(operation, error);
      this.end(operation.id, "Failed", error);
    }
  }

  private end(id: string, status: OperationStatus, error: ArmErrorBody | undefined): void {
    const operation = this.table.get(id);
    if (operation?.status !== "InProgress") return;
    clearTimeout(this.timers.get(id));
    this.timers.delete(id);
    const key = operation.resourceId.toLowerCase();
    if (this.current.get(key) === id) this.current.delete(key);
    const ended = this.table.set(id, {
      ...operation,
      status,
      endTime: new Date().toISOString(),
      ...(error ? { error } : {}),
    });
    this.ended.add(id);
    this.forgetEnded();
    this.options.onEnd(ended);
    for (const waiter of this.waiters.get(id) ?? []) waiter.resolve(ended);
    this.waiters.delete(id);
  }
}

const endedAt = ({ endTime, dueAtMs }: Operation): number => (endTime ? Date.parse(endTime) : dueAtMs);
