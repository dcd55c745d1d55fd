import type { AuditAct, AuditResult } from "../contract/audit";

/**
 * Where acts are recorded. Appending the same line twice leaves one. An intent that cannot be written throws, and then the act must
 * not happen, unless it stops a VM.
 */
export interface AuditTrail {
  intent(act: AuditAct): Promise<void>;
  outcome(act: AuditAct, result: AuditResult): Promise<void>;
  event(act: AuditAct & { readonly at: string }, result: AuditResult): Promise<void>;
}

/** Ids begin with a time, so that rows lie in the order of their acts: `20301231T235959123Z-…`. */
export const auditIdOf = (at: string, rest: string): string => `${at.replaceAll(/[-:.]/g, "")}-${rest}`;
