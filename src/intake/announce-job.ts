import { createHash } from "node:crypto";
import type { JobPointer } from "../contract/job";
import type { JobRow } from "../state/job-table";

/** The queue `jobs`; satisfied by the queue sender of `azure/`. */
interface PointerSink {
  send(message: { readonly body: JobPointer; readonly messageId: string; readonly contentType: string }): Promise<void>;
}

/** Puts the pointer of a job whose row is durable on the queue. Should the send fail, the clean-up's second net starts the job. */
export class JobAnnouncer {
  constructor(private readonly sink: PointerSink) {}

  async announce({ org, jobId, specHash }: JobRow): Promise<void> {
    const messageId = createHash("sha256")
      .update(JSON.stringify([org, jobId, specHash, 0]))
      .digest("hex");
    await this.sink.send({ body: { org, jobId, specHash }, messageId, contentType: "application/json" });
  }
}
