import type { DatabaseSync } from "node:sqlite";
import type { Hypervisor } from "../../vm/hypervisor";
import type { AzureOptions } from "../azure-options";
import type { Directory } from "../identity/directory";
import { JsonTable } from "../store/json-table";
import { ActivityLog } from "./activity-log/activity-log";
import { createActivityLogRoutes } from "./activity-log/activity-log-routes";
import { activityRow } from "./activity-log/activity-row";
import { AccessControl } from "./authorization/access-control";
import { createRoleAssignmentRoutes } from "./authorization/role-assignment-routes";
import { createRoleDefinitionRoutes } from "./authorization/role-definition-routes";
import type { CloudWorld } from "./cloud-world";
import { Capacity } from "./compute/capacity";
import { createComputeRoutes } from "./compute/compute-routes";
import { DISK_TYPE } from "./compute/disk-type";
import { registerEviction } from "./compute/vm-eviction";
import { registerVmOperations } from "./compute/vm-lifecycle";
import { VmPower } from "./compute/vm-power";
import { createDeploymentRoutes } from "./deployments/deployment-routes";
import { registerDeployments } from "./deployments/deployment-run";
import { DeploymentStore } from "./deployments/deployment-store";
import { InternalCalls } from "./deployments/internal-calls";
import { Latencies } from "./latencies";
import { createLockRoutes } from "./locks/lock-routes";
import { LockStore } from "./locks/lock-store";
import { userAssignedIdentityType } from "./managed-identity/user-assigned-identity-type";
import { networkInterfaceType, virtualNetworkType } from "./network/network-types";
import { createSubnetRoutes } from "./network/subnets";
import { type Operation, Operations } from "./operations";
import { DenyRules } from "./policy/deny-rules";
import { type EventResult, type ResourceEvent, resourceEvent } from "./resource-events";
import { createGroupRoutes } from "./resources/group-routes";
import { createResourceListRoutes } from "./resources/resource-list-routes";
import { createSubscriptionRoutes } from "./resources/subscription-routes";
import { createTagRoutes } from "./resources/tag-routes";
import { locationName, ResourceStore } from "./resource-store";
import type { ArmRoute } from "./route";
import { createSimpleRoutes } from "./simple-resource";
import { storageAccountType } from "./storage/storage-account-type";

export interface WorldParts {
  readonly options: AzureOptions;
  readonly database: DatabaseSync;
  readonly directory: Directory;
  readonly hypervisor: Hypervisor;
  /** Told of each event before the caller is answered. */
  readonly publish?: ((event: ResourceEvent) => void) | undefined;
}

export function createWorld({ options, database, directory, hypervisor, publish }: WorldParts): CloudWorld {
  const { faults, log, speed } = options;
  const resources = new ResourceStore(database);
  const capacity = new Capacity({ database, resources, gpuFamilyCores: options.gpuFamilyCores ?? 0 });
  for (const quota of options.quotas ?? []) capacity.setLimit(quota);
  const tell = createTeller(options);
  const activityLog = new ActivityLog(database);
  const emit: CloudWorld["emit"] = (seed, result) => {
    const event = resourceEvent(seed, result);
    activityLog.add(activityRow(seed, result, event));
    publish?.(event);
    tell(options.onEvent, event);
  };
  const world: CloudWorld = {
    resources,
    activityLog,
    capacity,
    directory,
    emit,
    log,
    operations: new Operations({ database, faults, log, onEnd: (operation) => tellEnd(emit, operation) }),
    access: new AccessControl(database, (principalId) => directory.groups.groupsOf(principalId)),
    locks: new LockStore(database),
    denyRules: new DenyRules(database),
    latencies: new Latencies({
      speed,
      multiplier: () => capacity.latencyMultiplier,
      random: options.random,
      sendsRetryAfter: options.sendsRetryAfter ?? true,
    }),
    power: new VmPower({ hypervisor, directory, log }),
    deployments: new DeploymentStore(database),
    internalCalls: new InternalCalls(),
    locations: options.locations.map(locationName),
    subscriptionIds: [options.subscriptionId, ...(options.moreSubscriptionIds ?? [])].map((id) => id.toLowerCase()),
    subscriptionTags: new JsonTable(database, "subscriptionTags"),
    pageSize: options.pageSize,
    evictionNoticeSeconds: options.evictionNoticeSeconds ?? Math.max(5, 30 / speed),
    principalReplicationMs: options.principalReplicationMs ?? 0,
    roleReplicationMs: options.roleReplicationMs ?? 0,
    storageBlobEndpoint: options.storageBlobEndpoint,
    storage: options.storage,
    emitHealth: (event) => {
      publish?.(event);
      tell(options.onHealthEvent, event);
    },
  };
  world.access.onForget((scope) => world.locks.forgetScope(scope));
  registerVmOperations(world);
  registerEviction(world);
  registerDeployments(world);
  return world;
}

export function createRoutes(world: CloudWorld): ArmRoute[] {
  const simple = [
    DISK_TYPE,
    virtualNetworkType(world),
    networkInterfaceType(world),
    userAssignedIdentityType(world),
    storageAccountType(world),
  ];
  return [
    ...createSubscriptionRoutes(world),
    ...createResourceListRoutes(world),
    ...createGroupRoutes(world),
    ...createTagRoutes(world),
    ...createDeploymentRoutes(world),
    ...createRoleDefinitionRoutes(world),
    ...createRoleAssignmentRoutes(world),
    ...createLockRoutes(world),
    ...createComputeRoutes(world),
    ...createActivityLogRoutes(world),
    ...createSubnetRoutes(world),
    ...simple.flatMap((type) => createSimpleRoutes(world, type)),
  ];
}

type Listen = ((event: ResourceEvent) => void) | undefined;

/** Events leave after the answer, and a listener that throws harms nobody. */
function createTeller({ log }: AzureOptions): (listen: Listen, event: ResourceEvent) => void {
  return (listen, event) => {
    if (!listen) return;
    setImmediate(() => {
      try {
        listen(event);
      } catch (error) {
        log(`event ${event.eventType} was not taken: ${error instanceof Error ? error.message : String(error)}`);
      }
    });
  };
}

const RESULTS: Readonly<Record<string, EventResult>> = { Succeeded: "Success", Failed: "Failure", Canceled: "Cancel" };

function tellEnd(emit: CloudWorld["emit"], { event, status }: Operation): void {
  const result = RESULTS[status];
  if (event && result) emit(event, result);
}
