import type { DurableClient, TimerDurableClientOptions } from "durable-functions";
import { type InstanceClient, SWEEP_INSTANCE_ID } from "../domain/instances";

/** Timer -> orchestration `sweep`; one that still runs is left to end. */
export function createCleanupTimer(
  schedule: string,
  instances: (client: DurableClient) => InstanceClient,
): TimerDurableClientOptions {
  return {
    schedule,
    handler: async (_timer: unknown, client: DurableClient) => {
      await instances(client).startOnce("sweep", SWEEP_INSTANCE_ID, {});
    },
  };
}
