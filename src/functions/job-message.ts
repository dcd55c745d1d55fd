import type { InvocationContext } from "@azure/functions";
import type { DurableClient, ServiceBusQueueDurableClientOptions } from "durable-functions";
import { describeFieldErrors, fieldErrorsOf } from "../contract/field-errors";
import { Job, JobPointer } from "../contract/job";
import { MAX_JOB_BYTES } from "../contract/names";
import type { InstanceClient } from "../domain/instances";
import type { Accepted, JobIntake, Refusal } from "../intake/accept-job";
import type { RejectedMessages } from "../intake/reject-message";
import { startJob } from "../intake/start-work";

export interface JobMessageDeps {
  readonly queueName: string;
  readonly intake: JobIntake;
  readonly rejected: RejectedMessages;
  readonly instances: (client: DurableClient) => InstanceClient;
}

/** Service Bus queue `jobs` -> intake -> orchestration `runJob`. */
export function createJobMessage(deps: JobMessageDeps): ServiceBusQueueDurableClientOptions {
  return {
    queueName: deps.queueName,
    connection: "ServiceBus",
    // A message that cannot become a job is parked with its reason; any other failure throws, and Service Bus delivers it again.
    handler: async (message: unknown, client: DurableClient, context: InvocationContext) => {
      const accepted = await acceptMessage(deps.intake, message);
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

function messageIdOf(context: InvocationContext): string | undefined {
  const id = context.triggerMetadata?.["messageId"];
  return typeof id === "string" ? id : undefined;
}

const invalid = (description: string): { outcome: "refused"; refusal: Refusal } => ({
  outcome: "refused",
  refusal: { reason: "InvalidJob", description },
});

/** A message is a whole job or the pointer to one whose row exists. The host has parsed JSON already; text that is none stays text. */
export async function acceptMessage(intake: JobIntake, message: unknown): Promise<Accepted> {
  if (typeof message !== "object" || message === null || Array.isArray(message))
    return invalid("(body): must be a JSON object");
  if (Buffer.byteLength(JSON.stringify(message)) > MAX_JOB_BYTES)
    return invalid(`(body): must be at most ${MAX_JOB_BYTES} bytes`);
  const pointer = JobPointer.safeParse(message);
  if (pointer.success) return intake.acceptPointer(pointer.data);
  const job = Job.safeParse(message);
  if (!job.success) return invalid(describeFieldErrors(fieldErrorsOf(job.error)));
  return intake.accept(job.data, { way: "queue", createdBy: "queue" });
}
