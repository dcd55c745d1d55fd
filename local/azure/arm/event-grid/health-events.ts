import { randomUUID } from "node:crypto";
import type { ResourceEvent } from "../resource-events";

const VM = "Microsoft.Compute/virtualMachines";
const STATES: Readonly<Record<string, readonly [string, string]>> = {
  [`${VM}/deallocate/action`]: ["Available", "Unavailable"],
  [`${VM}/powerOff/action`]: ["Available", "Unavailable"],
  [`${VM}/start/action`]: ["Unavailable", "Available"],
};

/**
 * The change of a VM's availability that follows from an event: a customer stopped or started it, or Azure took it back.
 * https://learn.microsoft.com/azure/event-grid/event-schema-health-resources
 */
export function availabilityEvent(cause: ResourceEvent): ResourceEvent | undefined {
  const { operationName } = cause.data;
  const action = typeof operationName === "string" ? operationName : "";
  const states = cause.eventType.endsWith("HealthResources.ResourceAnnotated")
    ? (["Available", "Unavailable"] as const)
    : STATES[action];
  if (
    !states ||
    (cause.eventType.startsWith("Microsoft.Resources.") &&
      cause.eventType !== "Microsoft.Resources.ResourceActionSuccess")
  )
    return undefined;
  const name = randomUUID();
  const [previousAvailabilityState, availabilityState] = states;
  const type = "Microsoft.ResourceHealth/availabilityStatuses";
  return {
    ...cause,
    id: randomUUID(),
    eventType: "Microsoft.ResourceNotifications.HealthResources.AvailabilityStatusChanged",
    dataVersion: "1",
    data: {
      resourceInfo: {
        id: `${cause.subject}/providers/${type}/${name}`,
        name,
        type,
        properties: {
          targetResourceId: cause.subject,
          targetResourceType: VM,
          occurredTime: cause.eventTime,
          previousAvailabilityState,
          availabilityState,
        },
      },
      operationalInfo: { resourceEventTime: cause.eventTime },
      apiVersion: "2023-12-01",
    },
  };
}
