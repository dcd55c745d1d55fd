import type { HttpFunctionOptions, HttpRequest, HttpResponseInit } from "@azure/functions";
import { z } from "zod";
import { describeFieldErrors, fieldErrorsOf } from "../contract/field-errors";
import type { AuditTable } from "../state/audit-table";
import { WIDE_HOME } from "../state/role-definition-table";
import type { CallerGuard } from "./caller-guard";
import { answer, problem } from "./http-answer";

export interface AuditCallDeps {
  readonly guard: CallerGuard;
  readonly audit: AuditTable;
}

const MAX_PAGE = 1000;
const text = z.string().min(1).max(400).optional();

const AuditFilter = z.strictObject({
  from: z.iso.datetime().optional(),
  to: z.iso.datetime().optional(),
  operation: text,
  actor: text,
  outcome: z.enum(["succeeded", "failed", "refused"]).optional(),
  correlationId: z.guid().optional(),
  $top: z.coerce.number().int().min(1).max(MAX_PAGE).default(200),
  $skiptoken: z.string().max(1024).optional(),
});

/** HTTP GET audit, of an organization and of the deployment: oldest first, by pages. */
export function createAuditCalls(deps: AuditCallDeps): {
  list: { org: HttpFunctionOptions; wide: HttpFunctionOptions };
} {
  const handler = (request: HttpRequest) => list(deps, request);
  return {
    list: {
      org: { route: "api/orgs/{org}/audit", methods: ["GET"], authLevel: "anonymous", handler },
      wide: { route: "api/audit", methods: ["GET"], authLevel: "anonymous", handler },
    },
  };
}

async function list({ guard, audit }: AuditCallDeps, request: HttpRequest): Promise<HttpResponseInit> {
  const org = request.params["org"];
  const permitted = await (org === undefined
    ? guard.inDeployment(request, "Corral/audit/read")
    : guard.inOrganization(request, "Corral/audit/read"));
  if (!permitted.ok) return permitted.response;
  const filter = AuditFilter.safeParse(Object.fromEntries(request.query));
  if (!filter.success) {
    const complaints = fieldErrorsOf(filter.error);
    const target = complaints[0]?.field;
    return problem(400, "InvalidRequest", { message: describeFieldErrors(complaints), ...(target && { target }) });
  }
  const { actor, $top, $skiptoken, ...rest } = filter.data;
  const after = $skiptoken === undefined ? undefined : Buffer.from($skiptoken, "base64url").toString("utf8");
  const page = await audit.list(org ?? WIDE_HOME, { ...rest, actorId: actor, top: $top, after });
  return answer(200, { value: page.values, ...(page.next !== undefined && { nextLink: linkTo(request, page.next) }) });
}

function linkTo(request: HttpRequest, next: string): string {
  const url = new URL(request.url);
  url.searchParams.set("$skiptoken", Buffer.from(next, "utf8").toString("base64url"));
  return url.toString();
}
