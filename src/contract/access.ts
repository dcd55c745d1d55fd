import { z } from "zod";

/** What roles, assignments and questions about access look like on the wire (contract 5). */

/** `Actions` of a role: names of operations with `*` anywhere. Any provider's: a role made for Azure is taken as it stands. */
const pattern = z
  .string()
  .regex(
    /^[A-Za-z0-9*._-]+(\/[A-Za-z0-9*._-]+)*$/,
    "must be an operation such as Corral/organizations/jobs/read, with * as wildcard",
  )
  .max(300, "must be at most 300 characters")
  .refine((text) => text.split("*").length <= 6, "must have at most 5 wildcards");

const patterns = z.array(pattern).max(200, "must be at most 200 operations");

const scope = z.string().min(1).max(400);

/** A custom role in the form of Azure's tools (`az role definition create`). */
export const RoleDefinitionBody = z.strictObject({
  Name: z.string().min(1).max(128),
  IsCustom: z.literal(true, "must be true: built-in roles cannot be changed").default(true),
  Description: z.string().max(1024).default(""),
  Actions: patterns.default([]),
  NotActions: patterns.default([]),
  DataActions: patterns.default([]),
  NotDataActions: patterns.default([]),
  AssignableScopes: z.array(scope).min(1, "must name at least one scope").max(50),
});
export type RoleDefinitionBody = z.infer<typeof RoleDefinitionBody>;

const slug = z
  .string()
  .regex(
    /^[a-z0-9][a-z0-9-]{1,61}[a-z0-9]$/,
    "must be 3 to 63 characters a-z, 0-9 or -, not starting or ending with -",
  );

/** The name of a custom role in a path. */
export const RoleSlug = slug;

/** The name of an assignment in a path; a GUID is one. */
export const AssignmentId = slug.describe("id of an assignment");

export const PrincipalType = z.enum(["User", "Group", "ServicePrincipal", "ManagedIdentity"]);

export const RoleAssignmentBody = z.strictObject({
  /** Object id in Entra. */
  principalId: z.guid(),
  principalType: PrincipalType,
  /** Name of a built-in role, or slug of a custom one. */
  role: z.string().min(1).max(128),
  scope,
});
export type RoleAssignmentBody = z.infer<typeof RoleAssignmentBody>;

/** POST …/access:check. Without a scope: the organization of the path, or the deployment. */
export const AccessQuestionBody = z.strictObject({
  principalId: z.guid(),
  operation: z.string().min(1).max(300),
  scope: scope.optional(),
});

/** What access:check answers: the assignment and the pattern that decided, or null. */
export const AccessAnswer = z.strictObject({
  allowed: z.boolean(),
  because: z
    .strictObject({ assignmentId: z.string(), role: z.string(), pattern: z.string(), scope: z.string() })
    .nullable(),
});
