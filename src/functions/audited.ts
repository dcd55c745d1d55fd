import { randomBytes } from "node:crypto";
import type { HttpRequest, HttpResponseInit, InvocationContext } from "@azure/functions";
import type { AuditAct } from "../contract/audit";
import type { Operation } from "../domain/access/operations";
import { auditIdOf, type AuditTrail } from "../domain/audit";
import { correlationIdOf } from "../state/correlation-id";
import type { Permitted } from "./caller-guard";
import { problem } from "./http-answer";

export interface AuditedCall {
  readonly request: HttpRequest;
  readonly context: InvocationContext;
  readonly permitted: Permitted;
  readonly operation: Operation;
  readonly org?: string | undefined;
  /** What is acted on; the path of the call by default. */
  readonly target: string;
}

const GUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;

/** Does what a caller asked for between the two lines of the audit. Where the first cannot be written nothing is done. */
export async function audited(
  trail: AuditTrail,
  call: AuditedCall,
  act: () => Promise<HttpResponseInit>,
): Promise<HttpResponseInit> {
  const line = lineOf(call);
  try {
    await trail.intent(line);
  } catch (error) {
    call.context.error(`${call.operation}: ${String(error)}`);
    const message = "the audit cannot be written now, so nothing was changed: come again";
    return problem(503, "AuditUnavailable", { message, retryAfterSeconds: 10 });
  }
  const finish = (result: Parameters<AuditTrail["outcome"]>[1]): Promise<void> =>
    trail.outcome(line, result).catch((error: unknown) => {
      call.context.error(
        `${call.operation} ${line.target}: done, and its outcome is not in the audit: ${String(error)}`,
      );
    });
  try {
    const response = await act();
    const isDone = (response.status ?? 200) < 400;
    await finish(isDone ? { outcome: "succeeded" } : { outcome: "refused", code: codeOf(response) });
    return response;
  } catch (error) {
    await finish({ outcome: "failed", code: error instanceof Error ? error.name : "Unknown" });
    throw error;
  }
}

function lineOf({ request, permitted, operation, org, target }: AuditedCall): AuditAct {
  const { caller, because } = permitted;
  const id = auditIdOf(new Date().toISOString(), randomBytes(8).toString("hex"));
  const given = request.headers.get("x-ms-correlation-request-id") ?? "";
  return {
    id,
    operation,
    actor: { type: caller.kind, id: caller.objectId },
    ...(org !== undefined && { org }),
    target,
    decision: because.assignmentId,
    correlationId: GUID.test(given) ? given.toLowerCase() : correlationIdOf(id),
  };
}

/** The answers of this app carry their code in a header (contract 5). */
function codeOf({ headers, status }: HttpResponseInit): string {
  const code = (headers as Record<string, string> | undefined)?.["x-ms-error-code"];
  return code ?? `HTTP ${String(status)}`;
}
