import { createHash, randomBytes, timingSafeEqual } from "node:crypto";
import type { RegisterRequest } from "../contract/agent";
import type { AgentSessionRow, AgentSessionTable } from "../state/agent-session-table";
import type { MachineRow, MachineTable } from "../state/machine-table";
import type { Stored } from "../state/rows";

export type Registration =
  | { readonly outcome: "registered"; readonly bootId: string; readonly session: string; readonly lostJobId?: string }
  | {
      readonly outcome: "refused";
      readonly code: "MachineUnknown" | "BootNonceRefused" | "SessionRefused" | "MachineGone";
    };

const MAY_BOOT: ReadonlySet<MachineRow["state"]> = new Set(["Creating", "Booting"]);
const ENDING: ReadonlySet<MachineRow["state"]> = new Set(["Draining", "Deleting", "Deleted", "Failed", "Evicted"]);

export const hashOfSecret = (secret: string): string => createHash("sha256").update(secret).digest("hex");

export function matchesHash(secret: string, hash: string | undefined): boolean {
  if (hash === undefined) return false;
  return timingSafeEqual(Buffer.from(hashOfSecret(secret), "hex"), Buffer.from(hash, "hex"));
}

const refuse = (code: Extract<Registration, { outcome: "refused" }>["code"]): Registration => ({
  outcome: "refused",
  code,
});

/**
 * Lets an agent in. First boot: the nonce of the custom data, once. Later: the session that it kept; with the boot id of the running
 * system it is the same boot, without one the system was booted anew and whatever ran on it is gone.
 */
export class AgentRegistry {
  constructor(
    private readonly machines: MachineTable,
    private readonly sessions: AgentSessionTable,
  ) {}

  async register(request: RegisterRequest): Promise<Registration> {
    const [machine, session] = await Promise.all([
      this.machines.find(request.org, request.machineId),
      this.sessions.find(request.org, request.machineId),
    ]);
    if (!machine) return refuse("MachineUnknown");
    if (ENDING.has(machine.value.state)) return refuse("MachineGone");
    if (request.session !== undefined) return this.renew(request, machine, session);
    if (request.bootNonce === undefined || !matchesHash(request.bootNonce, machine.value.nonceHash))
      return refuse("BootNonceRefused");
    // A nonce counts once. It may come again only as long as its session was never used: then the first reply was lost.
    if (session?.value.used) return refuse("BootNonceRefused");
    return this.open(request, machine, {
      previous: session,
      bootId: session?.value.bootId ?? randomBytes(8).toString("hex"),
    });
  }

  private async renew(
    request: RegisterRequest,
    machine: Stored<MachineRow>,
    session: Stored<AgentSessionRow> | undefined,
  ): Promise<Registration> {
    const secret = request.session ?? "";
    const known =
      session &&
      (matchesHash(secret, session.value.sessionHash) ||
        (!session.value.used && matchesHash(secret, session.value.previousSessionHash)));
    if (!known) return refuse("SessionRefused");
    const sameBoot = request.bootId === session.value.bootId;
    return this.open(request, machine, {
      previous: session,
      bootId: sameBoot ? session.value.bootId : randomBytes(8).toString("hex"),
    });
  }

  private async open(
    request: RegisterRequest,
    machine: Stored<MachineRow>,
    boot: { previous: Stored<AgentSessionRow> | undefined; bootId: string },
  ): Promise<Registration> {
    const session = randomBytes(32).toString("base64url");
    const now = new Date().toISOString();
    const row: AgentSessionRow = {
      org: request.org,
      machineId: request.machineId,
      bootId: boot.bootId,
      sessionHash: hashOfSecret(session),
      vmId: request.vmId,
      registeredAt: now,
      used: false,
      lastHeartbeatAt: now,
      // The one that the agent holds: however many replies are lost, it can always come again with it.
      ...(request.session !== undefined && { previousSessionHash: hashOfSecret(request.session) }),
    };
    const written = boot.previous ? await this.sessions.replace(boot.previous, row) : await this.sessions.insert(row);
    if (written === "stale" || written === "exists") {
      throw new Error(`register ${request.org}/${request.machineId}: another registration came between, try again`);
    }
    const { next, lostJobId } = bootedRow(machine.value, boot.bootId, now);
    if (next && (await this.machines.replace(machine, next)) === "stale") {
      throw new Error(`register ${request.org}/${request.machineId}: the machine's row changed, try again`);
    }
    return { outcome: "registered", bootId: boot.bootId, session, ...(lostJobId !== undefined && { lostJobId }) };
  }
}

/** Checks an agent's session and marks it as used, which ends the validity of the nonce and of the session before it. */
export async function useSession(
  sessions: AgentSessionTable,
  request: { org: string; machineId: string; session: string },
): Promise<Stored<AgentSessionRow> | undefined> {
  const found = await sessions.find(request.org, request.machineId);
  if (!found || !matchesHash(request.session, found.value.sessionHash)) return undefined;
  if (found.value.used) return found;
  const { previousSessionHash: _ended, ...row } = found.value;
  await sessions.replace(found, { ...row, used: true });
  return sessions.find(request.org, request.machineId);
}

/** The machine's row after a registration; no `next` when nothing changes. A lease of an earlier boot is void: its container is gone. */
function bootedRow(machine: MachineRow, bootId: string, now: string): { next?: MachineRow; lostJobId?: string } {
  if (MAY_BOOT.has(machine.state))
    return { next: { ...machine, state: "Idle", bootId, registeredAt: now, idleSince: now } };
  if (machine.bootId === bootId) return {};
  const { lease, ...rest } = machine;
  return { next: { ...rest, state: "Idle", bootId, idleSince: now }, ...(lease && { lostJobId: lease.jobId }) };
}
