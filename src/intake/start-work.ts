import { CHANGED, type InstanceClient, jobInstanceIdOf, schedulerInstanceIdOf } from "../domain/instances";

/** Tells the scheduler of a subscription that something changed; starts it when it does not run. */
export async function wakeScheduler(instances: InstanceClient, subscriptionId: string): Promise<void> {
  const instanceId = schedulerInstanceIdOf(subscriptionId);
  const raised = await instances.raise(instanceId, CHANGED);
  if (!raised) await instances.startOnce("scheduler", instanceId, { subscriptionId });
}

/** Starts the run of a job whose row is durable, and has it placed. */
export async function startJob(
  instances: InstanceClient,
  job: { org: string; jobId: string; subscriptionId: string },
): Promise<void> {
  const { org, jobId, subscriptionId } = job;
  await Promise.all([
    instances.startOnce("runJob", jobInstanceIdOf(org, jobId), { org, jobId }),
    wakeScheduler(instances, subscriptionId),
  ]);
}

/** Tells a job's run that its rows have changed; starts it again when it is not there. */
export async function wakeJob(instances: InstanceClient, org: string, jobId: string): Promise<void> {
  const instanceId = jobInstanceIdOf(org, jobId);
  if (!(await instances.raise(instanceId, CHANGED))) await instances.startOnce("runJob", instanceId, { org, jobId });
}
