import { z } from "zod";

/** One line of the audit (GET …/audit). An act has an intent before and an outcome after it, with the same `id`; sign-ins and refusals are events. */
export const AuditEntry = z.strictObject({
  id: z.string(),
  phase: z.enum(["intent", "outcome", "event"]),
  /** RFC 3339. */
  at: z.string(),
  /** One of Corral's operations, `Corral/signIn`, or the Azure operation that the service carried out. */
  operation: z.string(),
  actor: z.strictObject({ type: z.enum(["user", "app", "service", "agent", "timer"]), id: z.string() }),
  org: z.string().optional(),
  /** What was acted on: a path of the API, or a resource id. */
  target: z.string(),
  /** The assignment that permitted it. */
  decision: z.string().optional(),
  /** A GUID; sent along to Azure, whose Activity Log then shows it too. */
  correlationId: z.string(),
  outcome: z.enum(["succeeded", "failed", "refused"]).optional(),
  /** Code of the failure or refusal. */
  code: z.string().optional(),
});
export type AuditEntry = z.infer<typeof AuditEntry>;

/** An act without the times at which it began and ended. */
export type AuditAct = Omit<AuditEntry, "phase" | "at" | "outcome" | "code">;

export interface AuditResult {
  readonly outcome: "succeeded" | "failed" | "refused";
  readonly code?: string | undefined;
}
