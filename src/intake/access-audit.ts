import { createHash } from "node:crypto";
import type { AuditAct } from "../contract/audit";
import { auditIdOf, type AuditTrail } from "../domain/audit";
import { correlationIdOf } from "../state/correlation-id";

interface Person {
  readonly objectId: string;
  readonly kind: "user" | "app";
  readonly tokenId: string;
}

const REMEMBERED = 10_000;
const MINUTE_MS = 60_000;

/**
 * Sign-ins and refusals. A token is one sign-in however often it is used, and the same refusal counts once a minute, so that a flood
 * of calls is no flood of rows. A line that cannot be written refuses nobody: reading changes nothing.
 */
export class AccessAudit {
  private readonly seen = new Set<string>();

  constructor(
    private readonly trail: AuditTrail,
    private readonly log: (line: string) => void,
  ) {}

  async signedIn(person: Person): Promise<void> {
    await this.once({ key: person.tokenId, everyMs: undefined }, (id, at) => ({
      id,
      at,
      operation: "Corral/signIn",
      actor: actorOf(person),
      target: "/",
      correlationId: correlationIdOf(id),
      outcome: "succeeded",
    }));
  }

  async refused(
    person: Person,
    refusal: { operation: string; target: string; org?: string; code: string },
  ): Promise<void> {
    const { operation, target, org, code } = refusal;
    const key = [person.objectId, operation, target, code].join("\n");
    await this.once({ key, everyMs: MINUTE_MS }, (id, at) => ({
      id,
      at,
      operation,
      actor: actorOf(person),
      ...(org !== undefined && { org }),
      target: target.slice(0, 400),
      correlationId: correlationIdOf(id),
      outcome: "refused",
      code,
    }));
  }

  /** A machine has proved itself, once for each boot, or could not. */
  async registered(machine: { org: string; machineId: string; bootId?: string; code?: string }): Promise<void> {
    const { org, machineId, bootId = "", code } = machine;
    const key = ["agent", org, machineId, bootId, code ?? ""].join("\n");
    await this.once({ key, everyMs: code === undefined ? undefined : MINUTE_MS }, (id, at) => ({
      id,
      at,
      operation: "Corral/signIn",
      actor: { type: "agent", id: `${org}/${machineId}` },
      org,
      target: `/orgs/${org}/machines/${machineId}`,
      correlationId: correlationIdOf(id),
      ...(code === undefined ? { outcome: "succeeded" } : { outcome: "refused", code }),
    }));
  }

  /** A token that is not valid: nobody knows whose it is, so the minute's first of a kind is recorded. */
  async notAuthenticated(reason: string): Promise<void> {
    await this.once({ key: reason, everyMs: MINUTE_MS }, (id, at) => ({
      id,
      at,
      operation: "Corral/signIn",
      actor: { type: "user", id: "unknown" },
      target: "/",
      correlationId: correlationIdOf(id),
      outcome: "refused",
      code: reason.slice(0, 100),
    }));
  }

  private async once(
    { key, everyMs }: { key: string; everyMs: number | undefined },
    lineOf: (id: string, at: string) => AuditAct & { at: string; outcome: "succeeded" | "refused"; code?: string },
  ): Promise<void> {
    const now = Date.now();
    const at = new Date(everyMs === undefined ? now : now - (now % everyMs)).toISOString();
    const hash = createHash("sha256").update(key).digest("hex").slice(0, 24);
    const once = everyMs === undefined ? hash : `${at}${hash}`;
    if (this.seen.has(once)) return;
    if (this.seen.size >= REMEMBERED) this.seen.clear();
    this.seen.add(once);
    const { outcome, code, ...act } = lineOf(auditIdOf(at, hash), at);
    try {
      await this.trail.event(act, { outcome, code });
    } catch (error) {
      this.seen.delete(once);
      this.log(`audit: ${act.operation} by ${act.actor.id} could not be recorded: ${String(error)}`);
    }
  }
}

const actorOf = ({ kind, objectId }: Person): AuditAct["actor"] => ({ type: kind, id: objectId });
