import type { AuditAct, AuditEntry, AuditResult } from "../contract/audit";
import type { AuditTrail } from "../domain/audit";

/** A place that keeps lines; satisfied by the table and by the append blob. */
export interface AuditSink {
  append(entry: AuditEntry): Promise<void>;
}

/** The audit could not be written, so the act was not begun. */
export class AuditUnavailable extends Error {
  override readonly name = "AuditUnavailable";
}

const TRIES = 3;

/** Writes every line to every sink. */
export class AuditLog implements AuditTrail {
  constructor(private readonly sinks: readonly AuditSink[]) {}

  async intent(act: AuditAct): Promise<void> {
    await this.write({ ...act, phase: "intent", at: new Date().toISOString() });
  }

  /** The act is done, whatever becomes of this line; what it costs to be without it is said by the caller's log. */
  async outcome(act: AuditAct, result: AuditResult): Promise<void> {
    await this.write({ ...act, phase: "outcome", at: new Date().toISOString(), ...resultOf(result) });
  }

  async event(act: AuditAct & { readonly at: string }, result: AuditResult): Promise<void> {
    await this.write({ ...act, phase: "event", ...resultOf(result) });
  }

  private async write(entry: AuditEntry): Promise<void> {
    for (const sink of this.sinks) await append(sink, entry);
  }
}

async function append(sink: AuditSink, entry: AuditEntry): Promise<void> {
  let last: unknown;
  for (let tries = 0; tries < TRIES; tries += 1) {
    try {
      await sink.append(entry);
      return;
    } catch (error) {
      last = error;
    }
  }
  throw new AuditUnavailable(`the audit cannot be written: ${last instanceof Error ? last.message : String(last)}`, {
    cause: last,
  });
}

const resultOf = ({ outcome, code }: AuditResult): Pick<AuditEntry, "outcome" | "code"> => ({
  outcome,
  ...(code !== undefined && { code }),
});
