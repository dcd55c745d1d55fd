import { z } from "zod";
import type { Service } from "../api";
import type { ActivityEvent } from "../../src/domain/audit-match";

const Localizable = z.object({ value: z.string() });

/** https://learn.microsoft.com/azure/azure-monitor/essentials/activity-log-schema */
const Row = z.object({
  eventTimestamp: z.string(),
  operationName: Localizable,
  resourceId: z.string(),
  correlationId: z.string(),
  caller: z.string().default("unknown"),
  status: Localizable,
  category: Localizable.optional(),
});

export interface ActivityLogAsk {
  readonly subscriptionId: string;
  readonly group: string;
  readonly from: string;
  readonly to: string;
}

/** What was done in a resource group, by Azure's own account. */
export async function readActivityLog(arm: Service, ask: ActivityLogAsk): Promise<ActivityEvent[]> {
  const { subscriptionId, group, from, to } = ask;
  const filter = `eventTimestamp ge '${from}' and eventTimestamp le '${to}' and resourceGroupName eq '${group}'`;
  const place = `/subscriptions/${subscriptionId}/providers/Microsoft.Insights/eventtypes/management/values`;
  const rows = z
    .array(Row)
    .parse(await arm.list(`${place}?api-version=2015-04-01&$filter=${encodeURIComponent(filter)}`));
  // Other categories tell of health and of policies' judgements, not of acts.
  return rows
    .filter(({ category }) => category === undefined || category.value === "Administrative")
    .map(({ eventTimestamp: at, operationName, resourceId, correlationId, caller, status }) => ({
      at,
      operation: operationName.value,
      resourceId,
      correlationId,
      caller,
      status: status.value,
    }));
}
