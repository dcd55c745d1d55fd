import { readdirSync, readFileSync } from "node:fs";
import { basename, join } from "node:path";
import { ServiceBusClient } from "@azure/service-bus";
import type { CloudFacts } from "./cloud-facts";
import { DEMO_ORG, JOB_QUEUE, REJECTED_QUEUE } from "./constants";
import type { StackSession } from "./session";

/** What an example is to come to; contract 9. */
export interface Expectation {
  readonly state?: string;
  readonly exitCode?: number;
  readonly rejected?: string;
}

export interface Example {
  readonly name: string;
  /** The file as it is: it need not be JSON. */
  readonly text: string;
  readonly jobId: string | undefined;
  readonly expected: Expectation;
}

export interface RejectedMessage {
  /** Its place on the queue: messages of an earlier run lie there still. */
  readonly sequence: number;
  readonly reason: string;
  readonly description: string;
}

const RETRY = { retryOptions: { timeoutInMs: 5_000, retryDelayInMs: 300, maxRetries: 20 } };

/** The messages of a folder, in the order of their names, each with what is expected of it. */
export function readExamples(folder: string): Example[] {
  return readdirSync(folder)
    .filter((file) => file.endsWith(".json") && !file.endsWith(".expected.json"))
    .sort()
    .map((file) => {
      const name = basename(file, ".json");
      const text = readFileSync(join(folder, file), "utf8");
      const expected = JSON.parse(readFileSync(join(folder, `${name}.expected.json`), "utf8")) as Expectation;
      return { name, text, jobId: jobIdOf(text), expected };
    });
}

function jobIdOf(text: string): string | undefined {
  try {
    const job = JSON.parse(text) as { jobId?: unknown };
    return typeof job.jobId === "string" ? job.jobId : undefined;
  } catch {
    return undefined;
  }
}

/** Puts examples on the queue as any client would. One whose job id was sent before waits until that job is known. */
export async function sendExamples(
  facts: CloudFacts,
  session: StackSession,
  examples: readonly Example[],
): Promise<void> {
  const client = new ServiceBusClient(facts.serviceBus, RETRY);
  try {
    const sender = client.createSender(JOB_QUEUE);
    const sent = new Set<string>();
    for (const { text, jobId } of examples) {
      if (jobId !== undefined && sent.has(jobId)) await waitForJob(session, jobId);
      // The body goes as the bytes of the file: the SDK would write a string as JSON.
      await sender.sendMessages({ body: Buffer.from(text), contentType: "application/json" });
      if (jobId !== undefined) sent.add(jobId);
    }
  } finally {
    await client.close();
  }
}

async function waitForJob(session: StackSession, jobId: string): Promise<void> {
  for (let look = 0; look < 300; look += 1) {
    const { value } = (await session.api("GET", `/api/orgs/${DEMO_ORG}/jobs`)) as { value: { jobId: string }[] };
    if (value.some((job) => job.jobId === jobId)) return;
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  throw new Error(`job ${jobId} was not accepted within 30 s`);
}

/** What lies on the queue of rejected messages, and how much on the dead-letter queue of jobs. Looking takes nothing away. */
export async function readRejected(facts: CloudFacts): Promise<{ rejected: RejectedMessage[]; deadLettered: number }> {
  const client = new ServiceBusClient(facts.serviceBus, RETRY);
  try {
    const rejected = client.createReceiver(REJECTED_QUEUE);
    const dead = client.createReceiver(JOB_QUEUE, { subQueueType: "deadLetter" });
    const messages = await rejected.peekMessages(1000);
    return {
      rejected: messages.map(({ applicationProperties, sequenceNumber }) => ({
        sequence: sequenceNumber?.toNumber() ?? 0,
        reason: String(applicationProperties?.["reason"] ?? ""),
        description: String(applicationProperties?.["description"] ?? ""),
      })),
      deadLettered: (await dead.peekMessages(1000)).length,
    };
  } finally {
    await client.close();
  }
}
