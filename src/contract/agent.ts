import { z } from "zod";
import { JobId, MachineId, OrgName } from "./names";

/**
 * What an agent and the service say to each other (POST /api/agent/v1/…). The agent imports the types only.
 * Every call carries the machine identity's token; after `register` it also carries the session and the boot id.
 */
const machineRef = {
  org: OrgName,
  machineId: MachineId,
};
const sessionRef = {
  ...machineRef,
  bootId: z.string(),
  session: z.string(),
};
const leaseRef = {
  ...sessionRef,
  jobId: JobId,
  attempt: z.number().int().positive(),
};

/** First boot: with the nonce of the custom data. A restarted agent: with the session that it kept on disk. */
export const RegisterRequest = z.strictObject({
  ...machineRef,
  vmId: z.string(),
  agentVersion: z.string(),
  bootNonce: z.string().optional(),
  session: z.string().optional(),
  bootId: z.string().optional(),
});
export type RegisterRequest = z.infer<typeof RegisterRequest>;

export const RegisterReply = z.strictObject({
  bootId: z.string(),
  session: z.string(),
  heartbeatSeconds: z.number(),
  workPollSeconds: z.number(),
});
export type RegisterReply = z.infer<typeof RegisterReply>;

export const WorkRequest = z.strictObject(sessionRef);
export type WorkRequest = z.infer<typeof WorkRequest>;

/** A volume of an attempt: `url` is its container, the agent copies with the machine identity. */
export const WorkVolume = z.strictObject({
  name: z.string(),
  path: z.string(),
  access: z.enum(["read", "read-write"]),
  url: z.string().optional(),
});
export type WorkVolume = z.infer<typeof WorkVolume>;

export const Work = z.strictObject({
  jobId: z.string(),
  attempt: z.number().int().positive(),
  image: z.string(),
  command: z.array(z.string()).optional(),
  env: z.record(z.string(), z.string()),
  gpus: z.number(),
  maxDurationSeconds: z.number(),
  volumes: z.array(WorkVolume),
  identity: z.enum(["none", "machine"]),
  /** Where logs go: a folder of the default volume; absent when the organization has no data volume. */
  logsUrl: z.string().optional(),
});
export type Work = z.infer<typeof Work>;

/** `drain`: stop asking for work. Without `work` there is nothing to do now. */
export const WorkReply = z.strictObject({ work: Work.optional(), drain: z.boolean() });
export type WorkReply = z.infer<typeof WorkReply>;

export const HeartbeatRequest = z.strictObject({
  ...sessionRef,
  jobId: JobId.optional(),
  attempt: z.number().int().positive().optional(),
  /** Highest use of any GPU since the last heartbeat; absent when it could not be read. */
  gpuUtilizationPercent: z.number().min(0).max(100).optional(),
  containers: z.number().int().min(0),
  sshSessions: z.number().int().min(0),
});
export type HeartbeatRequest = z.infer<typeof HeartbeatRequest>;

/** `cancel`: the attempt is to be stopped and reported as Cancelled. */
export const HeartbeatReply = z.strictObject({ cancel: z.boolean() });
export type HeartbeatReply = z.infer<typeof HeartbeatReply>;

/** `started`: the container runs. `evicting`: Scheduled Events announced a preemption. */
export const NoticeRequest = z.strictObject({ ...leaseRef, kind: z.enum(["started", "evicting"]) });
export type NoticeRequest = z.infer<typeof NoticeRequest>;

export const AttemptReport = z.strictObject({
  outcome: z.enum([
    "Succeeded",
    "Failed",
    "OutOfMemory",
    "DiskFull",
    "ImageError",
    "SecretError",
    "SourceError",
    "VolumeError",
    "TimedOut",
    "Cancelled",
    "Evicted",
  ]),
  exitCode: z.number().int().optional(),
  /** What went wrong, for a person; never a secret. */
  message: z.string().max(2000).optional(),
  runMs: z.number().min(0),
});
export type AttemptReport = z.infer<typeof AttemptReport>;

export const FinishRequest = z.strictObject({ ...leaseRef, report: AttemptReport });
export type FinishRequest = z.infer<typeof FinishRequest>;

export const Acknowledged = z.strictObject({});
export type Acknowledged = z.infer<typeof Acknowledged>;
