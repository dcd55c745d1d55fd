import type { TableClient } from "@azure/data-tables";
import { findRow, insertRow, replaceRow, type Stored, toEntity } from "./rows";

/** Which scheduler places for a subscription. An older epoch has lost its right and must stop. */
export interface SchedulerLease {
  readonly subscriptionId: string;
  readonly epoch: number;
  /** Random id of the execution that took it, so that taking it twice gives the same epoch. */
  readonly holder: string;
}

/** Leases: partition = kind, row = what is leased. */
export class LeaseTable {
  constructor(private readonly client: TableClient) {}

  findScheduler(subscriptionId: string): Promise<Stored<SchedulerLease> | undefined> {
    return findRow<SchedulerLease>(this.client, "scheduler", subscriptionId);
  }

  insertScheduler(lease: SchedulerLease): Promise<"inserted" | "exists"> {
    return insertRow(this.client, toEntity("scheduler", lease.subscriptionId, lease));
  }

  replaceScheduler(before: Stored<SchedulerLease>, next: SchedulerLease): Promise<"replaced" | "stale"> {
    return replaceRow(this.client, toEntity("scheduler", next.subscriptionId, next), before.etag);
  }
}
