import { createHash } from "node:crypto";
import canonicalize from "canonicalize";
import type { Job } from "../contract/job";

const SETS = ["gpuTypes", "vmSizes", "locations"] as const;

/** SHA-256 of the RFC 8785 form of a job after defaults. Lists that are sets are sorted first: their order says nothing. */
export function specHashOf(job: Job): string {
  const normal: Record<string, unknown> = { ...job };
  for (const field of SETS) {
    const values = job[field];
    if (values !== undefined) normal[field] = [...new Set<string>(values)].sort();
  }
  const canonical = canonicalize(normal);
  if (canonical === undefined) throw new Error(`job ${job.org}/${job.jobId} has no canonical form`);
  return createHash("sha256").update(canonical).digest("hex");
}
