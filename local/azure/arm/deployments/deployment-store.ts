import type { DatabaseSync } from "node:sqlite";
import { JsonTable } from "../../store/json-table";
import type { ArmErrorBody } from "../arm-error";
import { isWithin } from "../authorization/access-control";
import type { Caller } from "../resource-events";
import { isSame } from "../resource-store";
import { type Json, type JsonMap, textOf } from "./json-value";
import type { DeploymentTarget } from "./resource-ids";

export type DeploymentState = "Accepted" | "Running" | "Succeeded" | "Failed" | "Canceled";

/** One thing that a deployment does: a row of its operations list. */
export interface DeploymentStep {
  readonly operationId: string;
  readonly provisioningOperation: "Create" | "Delete" | "EvaluateDeploymentOutput";
  /** Absent at the evaluation of outputs. */
  readonly resourceId?: string | undefined;
  readonly state: "Running" | "Succeeded" | "Failed" | "Canceled";
  readonly startedAtMs: number;
  readonly endedAtMs: number;
  readonly serviceRequestId: string;
  readonly statusCode?: string | undefined;
  readonly error?: ArmErrorBody | undefined;
}

export interface DeploymentRecord extends DeploymentTarget {
  readonly id: string;
  readonly name: string;
  readonly location: string | undefined;
  readonly tags: Readonly<Record<string, string>> | undefined;
  readonly mode: "Incremental" | "Complete";
  readonly template: JsonMap;
  readonly templateHash: string;
  /** Every parameter with its value, so that a restart binds no default anew; emptied at the end, as secrets may be among them. */
  readonly parameters: JsonMap;
  /** What a GET shows of them. */
  readonly shownParameters: JsonMap;
  readonly caller: Caller;
  readonly correlationId: string;
  readonly operationId: string;
  readonly state: DeploymentState;
  readonly startedAtMs: number;
  readonly changedAtMs: number;
  readonly steps: readonly DeploymentStep[];
  readonly outputs?: JsonMap | undefined;
  readonly outputResources: readonly string[];
  readonly providers: readonly Json[];
  readonly dependencies: readonly Json[];
  readonly error?: ArmErrorBody | undefined;
}

// https://learn.microsoft.com/azure/azure-resource-manager/templates/deployment-history-deletions
const MAX_HISTORY = 800;

const MAX_WHAT_IFS = 100;

/** Deployments and the results of what-ifs, over restarts. */
export class DeploymentStore {
  private readonly table: JsonTable<DeploymentRecord>;
  private readonly whatIfs: JsonTable<JsonMap>;

  constructor(database: DatabaseSync) {
    this.table = new JsonTable(database, "deployments");
    this.whatIfs = new JsonTable(database, "whatIfs");
  }

  get(id: string): DeploymentRecord | undefined {
    return this.table.get(id.toLowerCase());
  }

  put(record: DeploymentRecord): DeploymentRecord {
    if (!this.get(record.id)) this.trim(record);
    return this.table.set(record.id.toLowerCase(), record);
  }

  change(id: string, change: Partial<DeploymentRecord>): DeploymentRecord | undefined {
    const known = this.get(id);
    return known && this.table.set(id.toLowerCase(), { ...known, ...change, changedAtMs: Date.now() });
  }

  /** Puts a step into its row, or adds one. */
  step(id: string, step: DeploymentStep): void {
    const steps = this.get(id)?.steps.filter(({ operationId }) => operationId !== step.operationId) ?? [];
    this.change(id, { steps: [...steps, step] });
  }

  delete(id: string): boolean {
    return this.table.delete(id.toLowerCase());
  }

  at({ subscriptionId, group }: DeploymentTarget): DeploymentRecord[] {
    return this.table
      .values()
      .filter((one) => isSame(one.subscriptionId, subscriptionId) && isSame(one.group ?? "", group ?? ""));
  }

  /** A group takes its deployments along. */
  forgetScope(scope: string): void {
    for (const { id } of this.table.values()) if (isWithin(id, scope)) this.delete(id);
  }

  keepWhatIf(operationId: string, result: JsonMap): void {
    this.whatIfs.set(operationId, { ...result, operationId });
    for (const old of this.whatIfs.values().slice(0, -MAX_WHAT_IFS)) this.whatIfs.delete(textOf(old["operationId"]));
  }

  whatIf(operationId: string): JsonMap | undefined {
    return this.whatIfs.get(operationId);
  }

  /** Azure deletes the oldest entries of a history by itself, so that it never fills up. */
  private trim(target: DeploymentTarget): void {
    const ended = this.at(target)
      .filter(isEnded)
      .toSorted((left, right) => left.startedAtMs - right.startedAtMs);
    for (const { id } of ended.slice(0, Math.max(0, ended.length + 1 - MAX_HISTORY))) this.delete(id);
  }
}

export const isEnded = ({ state }: DeploymentRecord): boolean => state !== "Accepted" && state !== "Running";
