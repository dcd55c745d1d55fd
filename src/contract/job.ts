import { z } from "zod";
import { JobId, MAX_JOB_BYTES, OrgName, SecretName, VolumeName } from "./names";

const GPU_TYPES = ["T4", "A10", "V100", "A100", "H100", "H200"] as const;
const environmentName = z.string().regex(/^[A-Za-z_][A-Za-z0-9_]*$/, "must be a name of letters, digits and _");
const minutes = z.number().positive();
const count = z.number().int().min(0).max(1000);

/** registry/repository[:tag][@sha256:digest]; a registry has a dot or a port, or is localhost, as Docker reads references. */
const ImageReference = z
  .string()
  .max(512)
  .regex(
    /^([a-z0-9][a-z0-9-]*(\.[a-z0-9-]+)+(:[0-9]+)?|[a-z0-9][a-z0-9-]*:[0-9]+|localhost)(\/[a-z0-9]+([._-]+[a-z0-9]+)*)+(:[A-Za-z0-9_][A-Za-z0-9._-]{0,127})?(@sha256:[0-9a-f]{64})?$/,
    "must be registry/repository[:tag][@sha256:digest]",
  );

const absolutePath = z.string().regex(/^\/[^\0]*$/, "must be an absolute path");

const JobVolume = z.strictObject({
  name: VolumeName,
  path: absolutePath,
  access: z.enum(["read", "read-write"]).default("read-write"),
});

const bytesOf = (value: unknown) => new TextEncoder().encode(JSON.stringify(value)).length;

/** What a user asks to have run (contract 1), with every default filled in. */
export const Job = z.strictObject({
  org: OrgName,
  jobId: JobId,
  image: ImageReference,
  command: z.array(z.string()).min(1).optional(),
  env: z
    .record(environmentName, z.string())
    .refine((env) => bytesOf(env) <= MAX_JOB_BYTES, "must be at most 64 KB in all")
    .optional(),
  secrets: z.record(environmentName, SecretName).optional(),
  secretFiles: z.record(absolutePath, SecretName).optional(),
  source: z.strictObject({ git: z.string().min(1), ref: z.string().min(1).optional() }).optional(),
  gpus: z.number().int().min(0).max(64).default(1),
  gpuTypes: z.array(z.enum(GPU_TYPES)).min(1).optional(),
  vmSizes: z
    .array(z.string().regex(/^[A-Za-z0-9_]+$/))
    .min(1)
    .optional(),
  locations: z
    .array(z.string().regex(/^[a-z0-9]+$/))
    .min(1)
    .optional(),
  capacity: z.enum(["spot", "on-demand", "spot-then-on-demand"]).default("spot-then-on-demand"),
  maxPricePerHour: z.number().positive().optional(),
  maxDurationMinutes: minutes.max(43_200).default(1440),
  queueDeadlineMinutes: minutes.max(43_200).default(1440),
  retry: z
    .strictObject({ failures: count.default(0), evictions: count.default(10), boots: count.default(3) })
    .prefault({}),
  volumes: z.array(JobVolume).default([{ name: "artifacts", path: "/data", access: "read-write" }]),
  checkpoint: z
    .strictObject({
      path: absolutePath,
      intervalSeconds: z.number().min(1).default(300),
      graceSeconds: z.number().min(0).default(20),
    })
    .optional(),
  priority: z.number().int().min(-100).max(100).default(0),
  identity: z.enum(["none", "machine"]).default("none"),
  tags: z.record(z.string().min(1).max(128), z.string().max(256)).optional(),
});
export type Job = z.infer<typeof Job>;

/** A job whose row exists already; what the HTTP way puts on the queue. */
export const JobPointer = z.strictObject({ org: OrgName, jobId: JobId, specHash: z.string().regex(/^[0-9a-f]{64}$/) });
export type JobPointer = z.infer<typeof JobPointer>;

export type JobState = "Queued" | "Placing" | "Starting" | "Running" | TerminalState;
export type TerminalState = "Succeeded" | "Failed" | "Cancelled" | "Expired";

/** Why a message did not become a job; application property `reason` on the queue of rejected messages. */
export type RejectionReason = "InvalidJob" | "JobIdConflict" | "UnknownOrganization" | "NotAllowed" | "UnknownJob";

export interface Phases {
  readonly queuedMs: number;
  readonly placedMs: number;
  readonly createMs: number;
  readonly bootMs: number;
  readonly dispatchMs: number;
  readonly runMs: number;
}

export interface AttemptView {
  readonly attempt: number;
  readonly machineId?: string;
  readonly offering?: string;
  readonly outcome?: string;
  readonly exitCode?: number;
  readonly message?: string;
  readonly startedAt?: string;
  readonly endedAt?: string;
}

/** GET …/jobs/{jobId}. */
export type JobView = Job & {
  readonly state: JobState;
  readonly waitingFor?: string;
  readonly attempts: readonly AttemptView[];
  readonly phases: Phases;
  readonly createdBy: string;
  readonly createdAt: string;
  readonly endedAt?: string;
};
