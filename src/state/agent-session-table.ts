import type { TableClient } from "@azure/data-tables";
import { deleteRow, findRow, insertRow, listRows, replaceRow, type Stored, toEntity } from "./rows";

/** One boot of a machine and what its agent said last. Kept apart from the machine's row, so that heartbeats never race with leases. */
export interface AgentSessionRow {
  readonly org: string;
  readonly machineId: string;
  readonly bootId: string;
  /** SHA-256 of the session secret; the secret itself is only on the VM. */
  readonly sessionHash: string;
  /** The session before this one, good until this one is used: the reply that carried the new one may have been lost. */
  readonly previousSessionHash?: string;
  readonly vmId: string;
  readonly registeredAt: string;
  /** False until the agent has used the session once: until then its reply to `register` may have been lost. */
  readonly used: boolean;
  readonly lastHeartbeatAt: string;
  readonly gpuUtilizationPercent?: number;
  readonly containers?: number;
  readonly sshSessions?: number;
}

/** AgentSessions: partition = organization, row = machine. */
export class AgentSessionTable {
  constructor(private readonly client: TableClient) {}

  find(org: string, machineId: string): Promise<Stored<AgentSessionRow> | undefined> {
    return findRow<AgentSessionRow>(this.client, org, machineId);
  }

  insert(row: AgentSessionRow): Promise<"inserted" | "exists"> {
    return insertRow(this.client, toEntity(row.org, row.machineId, row));
  }

  replace(before: Stored<AgentSessionRow>, next: AgentSessionRow): Promise<"replaced" | "stale"> {
    return replaceRow(this.client, toEntity(next.org, next.machineId, next), before.etag);
  }

  remove(org: string, machineId: string): Promise<void> {
    return deleteRow(this.client, org, machineId);
  }

  async listOf(org: string): Promise<Map<string, AgentSessionRow>> {
    const rows = await listRows<AgentSessionRow>(this.client, org, "");
    return new Map(rows.map(({ value }) => [value.machineId, value]));
  }
}
