/**
 * Orchestration instances by name. An instance's status is never a lock: rows are the truth, and an event is only a hint to
 * read them again.
 */
export interface InstanceClient {
  /** Starts the orchestration unless an instance of that id is running already. */
  startOnce(orchestration: OrchestrationName, instanceId: string, input: object): Promise<void>;
  /** Raises an event; false when no such instance is known or it has ended. */
  raise(instanceId: string, eventName: string): Promise<boolean>;
}

export type OrchestrationName = "runJob" | "runMachine" | "scheduler" | "sweep" | "confirmEstateRun";

/** The one event that each orchestration waits for: something about its subject changed, read the rows. */
export const CHANGED = "changed";

export const jobInstanceIdOf = (org: string, jobId: string): string => `job-${org}-${jobId}`;
export const machineInstanceIdOf = (org: string, machineId: string): string => `machine-${org}-${machineId}`;
export const schedulerInstanceIdOf = (subscriptionId: string): string => `scheduler-${subscriptionId}`;
export const estateInstanceIdOf = (org: string): string => `estate-${org}`;
export const SWEEP_INSTANCE_ID = "sweep";

export interface OrgRef {
  readonly org: string;
}
export interface JobRef {
  readonly org: string;
  readonly jobId: string;
}
export interface MachineRef {
  readonly org: string;
  readonly machineId: string;
}
export interface SubscriptionRef {
  readonly subscriptionId: string;
}
