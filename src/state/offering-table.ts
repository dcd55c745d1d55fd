import type { TableClient } from "@azure/data-tables";
import type { BlockedOffering, Offering } from "../domain/placement";
import { listRows, toEntity } from "./rows";

interface OfferingRow extends BlockedOffering {
  readonly blockedUntil: string;
}

const partitionOf = (subscriptionId: string, location: string): string => `${subscriptionId}:${location}`;

/** Offerings: partition = subscription and location, row = size and capacity. What Azure refused lately, and until when. */
export class OfferingTable {
  constructor(private readonly client: TableClient) {}

  /** Remembers a refusal. Written without a condition: the newest refusal is as good as any other. */
  async block(offering: Offering, reason: string, blockedUntil: Date): Promise<void> {
    const { subscriptionId, location, vmSize, capacity } = offering;
    const row: OfferingRow = { location, vmSize, capacity, reason, blockedUntil: blockedUntil.toISOString() };
    await this.client.upsertEntity(
      toEntity(partitionOf(subscriptionId, location), `${vmSize}:${capacity}`, row),
      "Replace",
    );
  }

  async listBlocked(subscriptionId: string, location: string, now: Date): Promise<BlockedOffering[]> {
    const rows = await listRows<OfferingRow>(this.client, partitionOf(subscriptionId, location), "");
    return rows.map(({ value }) => value).filter((row) => Date.parse(row.blockedUntil) > now.getTime());
  }
}
