import { randomUUID } from "node:crypto";
import type { EventResult, EventSeed, ResourceEvent } from "../resource-events";
import { parseArmPath } from "../arm-path";

/** A line of the activity log with what it is found by. */
export interface ActivityRow {
  readonly at: string;
  readonly subscriptionId: string;
  readonly resourceGroup: string;
  readonly resourceId: string;
  readonly provider: string;
  readonly correlationId: string;
  readonly caller: string;
  readonly status: string;
  readonly view: Readonly<Record<string, unknown>>;
}

// Ticks of .NET: 100 ns since year 1.
const TICKS_OF_1970 = 621_355_968_000_000_000n;
const ticksOf = (at: string): string => String(TICKS_OF_1970 + BigInt(Date.parse(at)) * 10_000n);

const localizable = (value: string): object => ({ value, localizedValue: value });

const STATUS = { Success: "Succeeded", Failure: "Failed", Cancel: "Canceled" } as const;

/** The line of an act that has ended. https://learn.microsoft.com/azure/azure-monitor/essentials/activity-log-schema */
export function activityRow(seed: EventSeed, result: EventResult, event: ResourceEvent): ActivityRow {
  const { resourceId, action, correlationId, subscriptionId, tenantId, claims } = seed;
  const path = parseArmPath(resourceId);
  const status = STATUS[result];
  const provider = action.split("/")[0] ?? "";
  const at = event.eventTime;
  const eventDataId = randomUUID();
  // A person is shown by name, an application by its object id.
  const caller = [claims["upn"], claims["oid"]].find((claim) => typeof claim === "string") ?? "";
  const resourceGroup = path?.group ?? /\/resourcegroups\/([^/]+)/i.exec(resourceId)?.[1] ?? "";
  const { url, ...request } = seed.httpRequest ?? {};
  const view = {
    authorization: { action, scope: resourceId, role: seed.evidence["role"] },
    caller,
    channels: "Operation",
    claims: event.data["claims"],
    correlationId,
    description: "",
    eventDataId,
    eventName: localizable("EndRequest"),
    category: localizable("Administrative"),
    ...(seed.httpRequest ? { httpRequest: { ...request, uri: url } } : {}),
    id: `${resourceId}/events/${eventDataId}/ticks/${ticksOf(at)}`,
    level: result === "Failure" ? "Error" : "Informational",
    resourceGroupName: resourceGroup,
    resourceProviderName: localizable(provider),
    resourceId,
    resourceType: localizable(path?.type ?? ""),
    operationId: correlationId,
    operationName: localizable(action),
    properties: { eventCategory: "Administrative", entity: resourceId, message: action, hierarchy: subscriptionId },
    status: localizable(status),
    subStatus: localizable(""),
    eventTimestamp: at,
    submissionTimestamp: at,
    subscriptionId,
    tenantId,
  };
  return { at, subscriptionId, resourceGroup, resourceId, provider, correlationId, caller, status, view };
}
