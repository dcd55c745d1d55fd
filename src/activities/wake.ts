import {
  CHANGED,
  type InstanceClient,
  jobInstanceIdOf,
  machineInstanceIdOf,
  type MachineRef,
  schedulerInstanceIdOf,
} from "../domain/instances";
import type { OrganizationTable } from "../state/organization-table";

/** Tells orchestrations that rows of their subject have changed. A hint that is lost costs time, never a job: each looks again by itself. */
export class Wake {
  constructor(private readonly organizations: OrganizationTable) {}

  async schedulerOf(instances: InstanceClient, org: string): Promise<void> {
    const organization = await this.organizations.find(org);
    if (!organization) return;
    const { subscriptionId } = organization.value.settings;
    const instanceId = schedulerInstanceIdOf(subscriptionId);
    if (!(await instances.raise(instanceId, CHANGED)))
      await instances.startOnce("scheduler", instanceId, { subscriptionId });
  }

  /** For the case that the scheduler has ended: an event to an instance that is over is accepted and comes to nothing. */
  async reviveScheduler(instances: InstanceClient, org: string): Promise<void> {
    const organization = await this.organizations.find(org);
    if (!organization) return;
    const { subscriptionId } = organization.value.settings;
    await instances.startOnce("scheduler", schedulerInstanceIdOf(subscriptionId), { subscriptionId });
    await this.schedulerOf(instances, org);
  }

  async machine(instances: InstanceClient, { org, machineId }: MachineRef): Promise<void> {
    const instanceId = machineInstanceIdOf(org, machineId);
    if (!(await instances.raise(instanceId, CHANGED)))
      await instances.startOnce("runMachine", instanceId, { org, machineId });
  }

  async start(instances: InstanceClient, { org, machineId }: MachineRef): Promise<void> {
    await instances.startOnce("runMachine", machineInstanceIdOf(org, machineId), { org, machineId });
  }

  async job(instances: InstanceClient, org: string, jobId: string): Promise<void> {
    const instanceId = jobInstanceIdOf(org, jobId);
    if (!(await instances.raise(instanceId, CHANGED))) await instances.startOnce("runJob", instanceId, { org, jobId });
  }

  async startJob(instances: InstanceClient, org: string, jobId: string): Promise<void> {
    await instances.startOnce("runJob", jobInstanceIdOf(org, jobId), { org, jobId });
  }
}
