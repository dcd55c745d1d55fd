import type { TableClient } from "@azure/data-tables";
import type { Lease, MachineState } from "../contract/machine";
import type { Offering } from "../domain/placement";
import { deleteRow, findRow, insertRow, listRows, replaceRow, type Stored, toEntity, writeTogether } from "./rows";

/** A machine as stored. Times are RFC 3339; absent until they are known. */
export interface MachineRow {
  readonly org: string;
  readonly machineId: string;
  readonly state: MachineState;
  readonly offering: Offering;
  readonly pricePerHour: number;
  readonly createdAt: string;
  /** SHA-256 of the boot nonce in the VM's custom data. Set before the PUT: a row that has one may have a VM. */
  readonly nonceHash?: string;
  /** Whether a VM was ever there. A machine whose PUT was refused leaves nothing behind. */
  readonly putSentAt?: string;
  readonly vmSucceededAt?: string;
  readonly registeredAt?: string;
  readonly bootId?: string;
  readonly lease?: Lease;
  readonly idleSince?: string;
  readonly jobsRun: number;
  readonly nicId?: string;
  readonly failure?: MachineFailure;
  readonly deleteReason?: string;
  readonly deletingAt?: string;
  readonly deletedAt?: string;
}

/** `capacity`: refused before a VM ran, costs a job no retry; `boot`: a VM was there and did not come up; `lost`: it went silent. */
export interface MachineFailure {
  readonly kind: "capacity" | "boot" | "lost";
  readonly reason: string;
}

const LIVE_PREFIX = "live:";
const ENDED_PREFIX = "ended:";

/**
 * Machines: partition = organization, row = `live:<machine>` until it is deleted, then `ended:<machine>`, moved in one transaction:
 * the scheduler and the clean-up read live machines only, however many there have been.
 */
export class MachineTable {
  constructor(private readonly client: TableClient) {}

  async find(org: string, machineId: string): Promise<Stored<MachineRow> | undefined> {
    const live = await findRow<MachineRow>(this.client, org, LIVE_PREFIX + machineId);
    return live ?? (await findRow<MachineRow>(this.client, org, ENDED_PREFIX + machineId));
  }

  insert(row: MachineRow): Promise<"inserted" | "exists"> {
    return insertRow(this.client, toEntity(row.org, LIVE_PREFIX + row.machineId, row));
  }

  /** Writes the next state of a machine that was read before; `stale` when somebody else was faster. `Deleted` is final. */
  async replace(before: Stored<MachineRow>, next: MachineRow): Promise<"replaced" | "stale"> {
    const { org, machineId, state } = before.value;
    if (state === "Deleted") return "stale";
    if (next.state !== "Deleted")
      return replaceRow(this.client, toEntity(org, LIVE_PREFIX + machineId, next), before.etag);
    // A delete inside a transaction takes no ETag, so the live row is first replaced under its ETag and then removed.
    const written = await writeTogether(this.client, [
      ["update", toEntity(org, LIVE_PREFIX + machineId, next), "Replace", { etag: before.etag }],
      ["upsert", toEntity(org, ENDED_PREFIX + machineId, next), "Replace"],
    ]);
    if (written === "conflict") return "stale";
    await deleteRow(this.client, org, LIVE_PREFIX + machineId);
    return "replaced";
  }

  /** Machines that are not deleted. A row in `Deleted` is one whose removal was cut off; its `ended:` row says the same. */
  async listLive(org: string): Promise<Stored<MachineRow>[]> {
    const rows = await listRows<MachineRow>(this.client, org, LIVE_PREFIX);
    return rows.filter(({ value }) => value.state !== "Deleted");
  }

  async listEnded(org: string): Promise<MachineRow[]> {
    const rows = await listRows<MachineRow>(this.client, org, ENDED_PREFIX);
    return rows.map(({ value }) => value);
  }
}
