import { z } from "zod";

/** Identifiers of contract 0. Free text never becomes a key, so every name that enters a row key or an instance id is one of these. */
export const OrgName = z
  .string()
  .regex(
    /^[a-z][a-z0-9-]{1,18}[a-z0-9]$/,
    "must be 3 to 20 characters a-z, 0-9 or -, start with a letter and not end with -",
  )
  .refine((name) => !name.endsWith("-storage"), "must not end in -storage");

export const JobId = z
  .string()
  .regex(
    /^[a-z0-9][a-z0-9._-]{0,62}$/,
    "must be 1 to 63 characters a-z, 0-9, '.', '_' or '-', and start with a letter or digit",
  )
  .refine((id) => !id.includes(".."), "must not contain '..'");

export const MachineId = z.string().regex(/^[a-z0-9]{10}$/, "must be 10 characters a-z or 0-9");

const slug = /^[a-z0-9][a-z0-9-]{1,61}[a-z0-9]$/;
export const SecretName = z
  .string()
  .regex(slug, "must be 3 to 63 characters a-z, 0-9 or -, not starting or ending with -");
export const VolumeName = SecretName.refine((name) => !name.includes("--"), "must not contain '--'");

/** The longest message or request body that is read at all. */
export const MAX_JOB_BYTES = 64 * 1024;

/** What a token for Corral's API must carry: users this delegated permission, applications this application role. */
export const API_SCOPE = "user_impersonation";
export const API_APP_ROLE = "Corral.Access";
