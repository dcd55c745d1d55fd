import type { DurableClient } from "durable-functions";
import type { InstanceClient, OrchestrationName } from "../domain/instances";

/** A finished instance keeps its id; only these three mean that somebody is at work. */
const AT_WORK: ReadonlySet<string> = new Set(["Pending", "Running", "ContinuedAsNew"]);

/** Orchestration instances through the durable client of a trigger or an activity. */
export class DurableInstances implements InstanceClient {
  constructor(private readonly client: DurableClient) {}

  async startOnce(orchestration: OrchestrationName, instanceId: string, input: object): Promise<void> {
    try {
      await this.client.startNew(orchestration, { instanceId, input });
    } catch (error) {
      // The extension refuses the id of a running instance, with which status is not documented: ask instead of guessing.
      if (!(await this.isAtWork(instanceId))) throw error;
    }
  }

  async raise(instanceId: string, eventName: string): Promise<boolean> {
    try {
      await this.client.raiseEvent(instanceId, eventName, {});
      return true;
    } catch (error) {
      if (error instanceof Error && error.message.includes("No instance with ID")) return false;
      throw error;
    }
  }

  private async isAtWork(instanceId: string): Promise<boolean> {
    try {
      const status = await this.client.getStatus(instanceId);
      return AT_WORK.has(status.runtimeStatus);
    } catch {
      // Not even its status can be had: the caller throws the error that brought it here.
      return false;
    }
  }
}
