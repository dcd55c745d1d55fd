import type { InvocationContext } from "@azure/functions";
import type { DurableClient, ServiceBusQueueDurableClientOptions } from "durable-functions";
import { describeFieldErrors, fieldErrorsOf } from "../contract/field-errors";
import { Job, JobPointer } from "../contract/job";
import { MAX_JOB_BYTES } from "../contract/names";
import { auditIdOf, type AuditTrail } from "../domain/audit";
import type { InstanceClient } from "../domain/instances";
import type { Accepted, JobIntake, Refusal } from "../intake/accept-job";
import type { RejectedMessages } from "../intake/reject-message";
import { startJob } from "../intake/start-work";
import { correlationIdOf } from "../state/correlation-id";

export interface JobMessageDeps {
  readonly queueName: string;
  readonly intake: JobIntake;
  readonly rejected: RejectedMessages;
  readonly instances: (client: DurableClient) => InstanceClient;
  readonly audit: AuditTrail;
}

/** Service Bus queue `jobs` -> intake -> orchestration `runJob`. */
export function createJobMessage(deps: JobMessageDeps): ServiceBusQueueDurableClientOptions {
  return {
    queueName: deps.queueName,
    connection: "ServiceBus",
    // A message that cannot become a job is parked with its reason; any other failure throws, and Service Bus delivers it again.
    handler: async (message: unknown, client: DurableClient, context: InvocationContext) => {
      const accepted = await acceptMessage(deps, message, enqueuedAtOf(context));
      if (accepted.outcome === "refused") {
        const { reason, description } = accepted.refusal;
        await deps.rejected.park(message, accepted.refusal, messageIdOf(context));
        context.info(`message rejected: ${reason}: ${description}`);
        return;
      }
      const { org, jobId } = accepted.job;
      if (!accepted.ended)
        await startJob(deps.instances(client), { org, jobId, subscriptionId: accepted.subscriptionId });
      context.info(`job ${org}/${jobId} ${accepted.outcome}`);
    },
  };
}

/** When the message came into the queue: the same for each of its deliveries. */
function enqueuedAtOf(context: InvocationContext): string {
  const time = new Date(String(context.triggerMetadata?.["enqueuedTimeUtc"]));
  return (Number.isNaN(time.getTime()) ? new Date() : time).toISOString();
}

function messageIdOf(context: InvocationContext): string | undefined {
  const id = context.triggerMetadata?.["messageId"];
  return typeof id === "string" ? id : undefined;
}

const invalid = (description: string): { outcome: "refused"; refusal: Refusal } => ({
  outcome: "refused",
  refusal: { reason: "InvalidJob", description },
});

/** A message is a whole job or the pointer to one whose row exists. The host has parsed JSON already; text that is none stays text. */
async function acceptMessage(
  { intake, audit }: JobMessageDeps,
  message: unknown,
  enqueuedAt: string,
): Promise<Accepted> {
  if (typeof message !== "object" || message === null || Array.isArray(message))
    return invalid("(body): must be a JSON object");
  if (Buffer.byteLength(JSON.stringify(message)) > MAX_JOB_BYTES)
    return invalid(`(body): must be at most ${MAX_JOB_BYTES} bytes`);
  const pointer = JobPointer.safeParse(message);
  if (pointer.success) return intake.acceptPointer(pointer.data);
  const job = Job.safeParse(message);
  if (!job.success) return invalid(describeFieldErrors(fieldErrorsOf(job.error)));
  const { org, jobId } = job.data;
  const id = auditIdOf(enqueuedAt, `queue-${jobId}`);
  const act = {
    id,
    operation: "Corral/organizations/jobs/write",
    // Whoever may send to the queue: Service Bus does not say who it was.
    actor: { type: "service", id: "queue" },
    org,
    target: `/orgs/${org}/jobs/${jobId}`,
    correlationId: correlationIdOf(id),
  } as const;
  await audit.intent(act);
  const accepted = await intake.accept(job.data, { way: "queue", createdBy: "queue" });
  const refusal = accepted.outcome === "refused" ? accepted.refusal.reason : undefined;
  await audit.outcome(act, refusal === undefined ? { outcome: "succeeded" } : { outcome: "refused", code: refusal });
  return accepted;
}
