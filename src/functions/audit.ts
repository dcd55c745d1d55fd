import type { HttpFunctionOptions, HttpRequest, HttpResponseInit } from "@azure/functions";
import { z } from "zod";
import type { AuditTable } from "../state/audit-table";
import { WIDE_HOME } from "../state/role-definition-table";
import type { CallerGuard } from "./caller-guard";
import { afterOf, answerPage, PageQuery, parseQuery } from "./paging";

export interface AuditCallDeps {
  readonly guard: CallerGuard;
  readonly audit: AuditTable;
}

const text = z.string().min(1).max(400).optional();

const AuditFilter = z.strictObject({
  ...PageQuery.shape,
  from: z.iso.datetime().optional(),
  to: z.iso.datetime().optional(),
  operation: text,
  actor: text,
  outcome: z.enum(["succeeded", "failed", "refused"]).optional(),
  correlationId: z.guid().optional(),
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
  const filter = parseQuery(request, AuditFilter);
  if (!filter.ok) return filter.response;
  const { actor, $top, $skiptoken, ...rest } = filter.value;
  const query = { ...rest, actorId: actor, top: $top, after: afterOf($skiptoken) };
  const page = await audit.list(org ?? WIDE_HOME, query);
  return answerPage(request, page.values, page.next);
}
