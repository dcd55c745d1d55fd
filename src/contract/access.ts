import { z } from "zod";
import { SecretName } from "./names";

const MAX_PATTERNS = 200;

/** `*` and the characters of operation names; long patterns of wildcards would only cost time. */
const pattern = z
  .string()
  .max(256)
  .regex(
    /^[A-Za-z0-9*._/-]+$/,
    "must be an operation such as Corral/organizations/jobs/read, in which * stands for anything",
  )
  .refine((text) => text.split("*").length <= 11, "must have at most 10 wildcards");
const patterns = z.array(pattern).max(MAX_PATTERNS);
const scope = z.string().min(1).max(512);

/** A custom role, in the very JSON that Azure's own tools read and write. */
export const RoleDefinition = z.strictObject({
  Name: z.string().trim().min(1).max(128),
  Id: z.string().nullish(),
  IsCustom: z.literal(true, "must be true: built-in roles cannot be changed").default(true),
  Description: z.string().max(2_048).default(""),
  Actions: patterns.min(1),
  NotActions: patterns.default([]),
  DataActions: patterns.default([]),
  NotDataActions: patterns.default([]),
  AssignableScopes: z.array(scope).min(1).max(50),
});
export type RoleDefinition = z.infer<typeof RoleDefinition>;

/** Name of a custom role in paths and in assignments. */
export const RoleSlug = SecretName;

/** Id of an assignment: what the caller chose, so that a repeated PUT is the same assignment. */
export const AssignmentId = z
  .string()
  .regex(/^[a-z0-9][a-z0-9-]{0,62}$/, "must be 1 to 63 characters a-z, 0-9 or -, and start with a letter or digit");

export const PrincipalType = z.enum(["User", "Group", "ServicePrincipal", "ManagedIdentity"]);
export type PrincipalType = z.infer<typeof PrincipalType>;

/** PUT …/roleAssignments/{id}. `scope` is the organization of the path when it is left out. */
export const RoleAssignmentRequest = z.strictObject({
  principalId: z.guid().transform((id) => id.toLowerCase()),
  principalType: PrincipalType,
  /** A built-in role's name, or a custom role's slug. */
  role: z.string().min(1).max(128),
  scope: scope.optional(),
});
export type RoleAssignmentRequest = z.infer<typeof RoleAssignmentRequest>;

/** POST …/access:check. */
export const AccessCheck = z.strictObject({
  principalId: z.guid().transform((id) => id.toLowerCase()),
  operation: z
    .string()
    .max(256)
    .regex(/^[A-Za-z0-9._/-]+$/, "must be an operation such as Corral/organizations/jobs/read, without wildcards"),
  scope: scope.optional(),
});
export type AccessCheck = z.infer<typeof AccessCheck>;
