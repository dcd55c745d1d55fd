import { z } from "zod";

const optionalText = z.string().min(1).optional();
const secondsText = (fallback: number) => z.coerce.number().positive().default(fallback);
const cron = z
  .string()
  .regex(/^(\S+\s+){5}\S+$/, "must be a schedule of six fields: second minute hour day month weekday");

/** The app's settings (contract 7). Times are in the unit of their name. */
const Environment = z.object({
  AzureWebJobsStorage: optionalText,
  ServiceBus: optionalText,
  ServiceBus__fullyQualifiedNamespace: optionalText,
  STATE_TABLES_URL: z.url().optional(),
  STATE_STORAGE: optionalText,
  AZURE_TENANT_ID: z.guid(),
  AZURE_CLIENT_ID: z.guid(),
  ARM_ENDPOINT: z.url({ protocol: /^https$/ }).default("https://management.azure.com"),
  ENTRA_AUTHORITY: z.url({ protocol: /^https$/ }).default("https://login.microsoftonline.com"),
  API_URL: z.url(),
  API_AUDIENCE: z.string().min(1),
  BOOTSTRAP_OWNER_OBJECT_ID: z.guid(),
  DEPLOYMENT_ID: z.string().regex(/^[a-z0-9-]{1,40}$/, "must be 1 to 40 characters a-z, 0-9 or -"),
  ESTATE_PREFIX: z
    .string()
    .regex(/^[a-z][a-z0-9-]{0,19}$/, "must be at most 20 characters a-z, 0-9 or -")
    .default("corral"),
  JOB_QUEUE: z.string().min(1).default("jobs"),
  REJECTED_QUEUE: z.string().min(1).default("jobs-rejected"),
  PAGE_CLIENT_ID: z.guid().optional(),
  AUDIT_BLOB_URL: z.url().optional(),
  REQUIRED_AUTH_CONTEXT: z
    .string()
    .regex(/^c([1-9]|[1-9][0-9])$/, "must be an authentication context, c1 to c99")
    .optional(),
  CLEANUP_SCHEDULE: cron.default("0 */5 * * * *"),
  CREATE_DEADLINE_SECONDS: secondsText(600),
  REGISTER_DEADLINE_SECONDS: secondsText(900),
  HEARTBEAT_SECONDS: secondsText(30),
  WORK_POLL_SECONDS: secondsText(2),
});

/** Of each pair at least one must be set: a connection string, or the address for the managed identity. */
const EITHER_OF = [
  ["ServiceBus", "ServiceBus__fullyQualifiedNamespace"],
  ["STATE_STORAGE", "STATE_TABLES_URL"],
] as const;

export interface Settings {
  /** Connection string, or the namespace's host name to be used with the managed identity. */
  readonly serviceBus: { readonly connectionString: string } | { readonly namespace: string };
  readonly stateTables: { readonly connectionString: string } | { readonly url: string };
  readonly tenantId: string;
  readonly clientId: string;
  readonly armEndpoint: string;
  readonly entraAuthority: string;
  readonly apiUrl: string;
  readonly apiAudience: string;
  readonly bootstrapOwnerObjectId: string;
  readonly deploymentId: string;
  readonly estatePrefix: string;
  readonly jobQueue: string;
  readonly rejectedQueue: string;
  /** Public client application by which people sign in. */
  readonly pageClientId: string | undefined;
  /** Container of the append blobs that the audit is also written to. */
  readonly auditBlobUrl: string | undefined;
  /** Authentication context of Conditional Access that users must have met for whatever is not a read. */
  readonly requiredAuthContext: string | undefined;
  readonly cleanupSchedule: string;
  readonly createDeadlineSeconds: number;
  readonly registerDeadlineSeconds: number;
  readonly heartbeatSeconds: number;
  readonly workPollSeconds: number;
}

/** Reads and checks all settings at once; throws one error that lists every one that is missing or wrong. */
export function readSettings(environment: NodeJS.ProcessEnv): Settings {
  const parsed = Environment.safeParse(environment);
  const missing = EITHER_OF.filter((names) => names.every((name) => !environment[name])).map(
    (names) => `  ${names.join(" or ")}: is missing`,
  );
  if (!parsed.success || missing.length > 0) {
    const wrong = (parsed.error?.issues ?? []).map((issue) => {
      const name = issue.path.map(String).join(".");
      const isMissing = issue.code === "invalid_type" && environment[name] === undefined;
      return `  ${name}: ${isMissing ? "is missing" : issue.message}`;
    });
    throw new Error(
      `Corral cannot start, these settings are missing or wrong (local.settings.sample.json shows all):\n${[...wrong, ...missing].join("\n")}`,
    );
  }
  const read = parsed.data;
  return Object.freeze({
    serviceBus:
      read.ServiceBus !== undefined
        ? { connectionString: read.ServiceBus }
        : { namespace: read.ServiceBus__fullyQualifiedNamespace ?? "" },
    stateTables:
      read.STATE_STORAGE !== undefined
        ? { connectionString: read.STATE_STORAGE }
        : { url: read.STATE_TABLES_URL ?? "" },
    tenantId: read.AZURE_TENANT_ID,
    clientId: read.AZURE_CLIENT_ID,
    armEndpoint: read.ARM_ENDPOINT,
    entraAuthority: read.ENTRA_AUTHORITY,
    apiUrl: read.API_URL,
    apiAudience: read.API_AUDIENCE,
    bootstrapOwnerObjectId: read.BOOTSTRAP_OWNER_OBJECT_ID,
    deploymentId: read.DEPLOYMENT_ID,
    estatePrefix: read.ESTATE_PREFIX,
    jobQueue: read.JOB_QUEUE,
    rejectedQueue: read.REJECTED_QUEUE,
    pageClientId: read.PAGE_CLIENT_ID,
    auditBlobUrl: read.AUDIT_BLOB_URL,
    requiredAuthContext: read.REQUIRED_AUTH_CONTEXT,
    cleanupSchedule: read.CLEANUP_SCHEDULE,
    createDeadlineSeconds: read.CREATE_DEADLINE_SECONDS,
    registerDeadlineSeconds: read.REGISTER_DEADLINE_SECONDS,
    heartbeatSeconds: read.HEARTBEAT_SECONDS,
    workPollSeconds: read.WORK_POLL_SECONDS,
  });
}
