import { z } from "zod";
import { AccessAnswer, AccessQuestionBody, RoleAssignmentBody, RoleDefinitionBody } from "./access";
import {
  Acknowledged,
  FinishRequest,
  HeartbeatReply,
  HeartbeatRequest,
  NoticeRequest,
  RegisterReply,
  RegisterRequest,
  WorkReply,
  WorkRequest,
} from "./agent";
import { AuditEntry } from "./audit";
import { Job } from "./job";
import { EstateConfirmation, Organization } from "./organization";

/** One route of the HTTP API. `GET /api/openapi.json` is made of this list; a test holds it against what the app registers. */
export interface ApiRoute {
  /** Name of the function; routes that exist with and without an organization have a second one, `<name>Wide`. */
  readonly name: string;
  readonly method: "get" | "put" | "post" | "delete";
  readonly path: string;
  readonly summary: string;
  readonly body?: z.ZodType;
  readonly answers: Readonly<Record<number, z.ZodType | undefined>>;
  readonly query?: readonly string[];
  /** Anybody; everything else takes a token. */
  readonly isAnonymous?: boolean;
  /** Also without `/orgs/{org}`. */
  readonly isWideToo?: boolean;
}

const text = z.string();
const object = z.looseObject({});
const list = (item: z.ZodType): z.ZodType => z.strictObject({ value: z.array(item), nextLink: text.optional() });

const JobAnswer = z.looseObject({
  ...Job.shape,
  state: z.enum(["Queued", "Placing", "Starting", "Running", "Succeeded", "Failed", "Cancelled", "Expired"]),
  attempts: z.array(object),
  phases: object,
  createdBy: text,
  createdAt: text,
});
const OrganizationAnswer = z.looseObject({
  ...Organization.shape,
  state: text,
  reasons: z.array(text),
  createdAt: text,
});
const MachineAnswer = z.looseObject({ machineId: text, state: text, vmSize: text, location: text });
const RoleAnswer = z.looseObject({ ...RoleDefinitionBody.shape, id: text, IsCustom: z.boolean() });
const AssignmentAnswer = z.looseObject({ id: text, principalId: text, role: text, scope: text });

const jobs = "/api/orgs/{org}/jobs";
const access: Pick<ApiRoute, "isWideToo"> = { isWideToo: true };

export const API_ROUTES: readonly ApiRoute[] = [
  {
    name: "showDeployment",
    method: "get",
    path: "/api/deployment",
    summary: "What a client needs before it has a token",
    answers: { 200: object },
    isAnonymous: true,
  },
  {
    name: "showHealth",
    method: "get",
    path: "/api/health",
    summary: "Whether the service works",
    answers: { 200: object, 503: object },
    isAnonymous: true,
  },
  {
    name: "showOpenApi",
    method: "get",
    path: "/api/openapi.json",
    summary: "This document",
    answers: { 200: object },
    isAnonymous: true,
  },
  {
    name: "listOrganizations",
    method: "get",
    path: "/api/orgs",
    summary: "The organizations that the caller may see",
    answers: { 200: list(OrganizationAnswer) },
  },
  {
    name: "putOrganization",
    method: "put",
    path: "/api/orgs/{org}",
    summary: "Register an organization or change its settings",
    body: Organization,
    answers: { 200: OrganizationAnswer, 201: OrganizationAnswer },
  },
  {
    name: "showOrganization",
    method: "get",
    path: "/api/orgs/{org}",
    summary: "An organization",
    answers: { 200: OrganizationAnswer },
  },
  {
    name: "confirmEstate",
    method: "post",
    path: "/api/orgs/{org}/estate:confirm",
    summary: "Say that the estate was laid down",
    body: EstateConfirmation,
    answers: { 202: OrganizationAnswer },
  },
  {
    name: "submitJob",
    method: "post",
    path: jobs,
    summary: "Submit a job",
    body: Job,
    answers: { 200: JobAnswer, 201: JobAnswer },
  },
  {
    name: "listJobs",
    method: "get",
    path: jobs,
    summary: "All jobs",
    query: ["$top", "$skiptoken"],
    answers: { 200: list(JobAnswer) },
  },
  { name: "showJob", method: "get", path: `${jobs}/{jobId}`, summary: "A job", answers: { 200: JobAnswer } },
  {
    name: "cancelJob",
    method: "post",
    path: `${jobs}/{jobId}:cancel`,
    summary: "Cancel a job",
    answers: { 202: JobAnswer },
  },
  {
    name: "showLedger",
    method: "get",
    path: "/api/orgs/{org}/ledger",
    summary: "Proof that no job was lost",
    answers: { 200: object },
  },
  {
    name: "listMachines",
    method: "get",
    path: "/api/orgs/{org}/machines",
    summary: "Machines, also those that are gone",
    answers: { 200: list(MachineAnswer) },
  },
  {
    name: "showMachine",
    method: "get",
    path: "/api/orgs/{org}/machines/{machineId}",
    summary: "A machine",
    answers: { 200: MachineAnswer },
  },
  {
    ...access,
    name: "listRoleDefinitions",
    method: "get",
    path: "/api/orgs/{org}/roleDefinitions",
    summary: "Roles, built-in ones first",
    answers: { 200: list(RoleAnswer) },
  },
  {
    ...access,
    name: "showRoleDefinition",
    method: "get",
    path: "/api/orgs/{org}/roleDefinitions/{slug}",
    summary: "A role",
    answers: { 200: RoleAnswer },
  },
  {
    ...access,
    name: "putRoleDefinition",
    method: "put",
    path: "/api/orgs/{org}/roleDefinitions/{slug}",
    summary: "Make or change a custom role",
    body: RoleDefinitionBody,
    answers: { 200: RoleAnswer, 201: RoleAnswer },
  },
  {
    ...access,
    name: "deleteRoleDefinition",
    method: "delete",
    path: "/api/orgs/{org}/roleDefinitions/{slug}",
    summary: "Delete a custom role",
    answers: { 204: undefined },
  },
  {
    ...access,
    name: "listRoleAssignments",
    method: "get",
    path: "/api/orgs/{org}/roleAssignments",
    summary: "Who holds which role",
    answers: { 200: list(AssignmentAnswer) },
  },
  {
    ...access,
    name: "showRoleAssignment",
    method: "get",
    path: "/api/orgs/{org}/roleAssignments/{id}",
    summary: "An assignment",
    answers: { 200: AssignmentAnswer },
  },
  {
    ...access,
    name: "putRoleAssignment",
    method: "put",
    path: "/api/orgs/{org}/roleAssignments/{id}",
    summary: "Give a role",
    body: RoleAssignmentBody,
    answers: { 200: AssignmentAnswer, 201: AssignmentAnswer },
  },
  {
    ...access,
    name: "deleteRoleAssignment",
    method: "delete",
    path: "/api/orgs/{org}/roleAssignments/{id}",
    summary: "Take a role away",
    answers: { 204: undefined },
  },
  {
    ...access,
    name: "checkAccess",
    method: "post",
    path: "/api/orgs/{org}/access:check",
    summary: "May somebody do this, and what says so",
    body: AccessQuestionBody,
    answers: { 200: AccessAnswer },
  },
  {
    ...access,
    name: "listAudit",
    method: "get",
    path: "/api/orgs/{org}/audit",
    summary: "What was done, by whom",
    query: ["from", "to", "operation", "actor", "outcome", "correlationId", "$top", "$skiptoken"],
    answers: { 200: list(AuditEntry) },
  },
  {
    name: "agentRegister",
    method: "post",
    path: "/api/agent/v1/register",
    summary: "A machine proves itself",
    body: RegisterRequest,
    answers: { 200: RegisterReply },
  },
  {
    name: "agentWork",
    method: "post",
    path: "/api/agent/v1/work",
    summary: "A machine asks for work",
    body: WorkRequest,
    answers: { 200: WorkReply },
  },
  {
    name: "agentHeartbeat",
    method: "post",
    path: "/api/agent/v1/heartbeat",
    summary: "A machine is alive",
    body: HeartbeatRequest,
    answers: { 200: HeartbeatReply },
  },
  {
    name: "agentNotice",
    method: "post",
    path: "/api/agent/v1/notice",
    summary: "Something happened on a machine",
    body: NoticeRequest,
    answers: { 200: Acknowledged },
  },
  {
    name: "agentFinish",
    method: "post",
    path: "/api/agent/v1/finish",
    summary: "An attempt has ended",
    body: FinishRequest,
    answers: { 200: Acknowledged },
  },
];
