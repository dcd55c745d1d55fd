import type { StorageControl } from "../../storage/storage-control";
import type { Directory } from "../identity/directory";
import type { JsonTable } from "../store/json-table";
import type { ActivityLog } from "./activity-log/activity-log";
import type { AccessControl } from "./authorization/access-control";
import type { Capacity } from "./compute/capacity";
import type { VmPower } from "./compute/vm-power";
import type { DeploymentStore } from "./deployments/deployment-store";
import type { InternalCalls } from "./deployments/internal-calls";
import type { Latencies } from "./latencies";
import type { LockStore } from "./locks/lock-store";
import type { Operations } from "./operations";
import type { DenyRules } from "./policy/deny-rules";
import type { EventResult, EventSeed, ResourceEvent } from "./resource-events";
import type { ResourceStore } from "./resource-store";

/** What the handlers of all providers work on. */
export interface CloudWorld {
  readonly resources: ResourceStore;
  readonly operations: Operations;
  readonly directory: Directory;
  readonly activityLog: ActivityLog;
  readonly access: AccessControl;
  readonly locks: LockStore;
  readonly denyRules: DenyRules;
  readonly capacity: Capacity;
  readonly latencies: Latencies;
  readonly power: VmPower;
  readonly deployments: DeploymentStore;
  readonly internalCalls: InternalCalls;
  readonly locations: readonly string[];
  readonly subscriptionIds: readonly string[];
  /** By subscription, in lower case. */
  readonly subscriptionTags: JsonTable<Readonly<Record<string, string>>>;
  /** Shorter pages than Azure's. */
  readonly pageSize: number | undefined;
  readonly evictionNoticeSeconds: number;
  readonly principalReplicationMs: number;
  readonly roleReplicationMs: number;
  readonly storageBlobEndpoint: ((accountName: string) => string) | undefined;
  readonly storage: StorageControl | undefined;
  readonly log: (line: string) => void;
  readonly emit: (seed: EventSeed, result: EventResult) => void;
  readonly emitHealth: (event: ResourceEvent) => void;
}
