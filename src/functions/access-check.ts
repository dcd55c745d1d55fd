import type { HttpFunctionOptions, HttpRequest, HttpResponseInit } from "@azure/functions";
import type { ScopeResolver } from "../access/scope-resolver";
import { AccessQuestionBody } from "../contract/access";
import { roleNameOf } from "../access/role-catalogue";
import { decideAccess } from "../domain/access/evaluator";
import { DEPLOYMENT_SCOPE, isWithin, organizationScope } from "../domain/access/scope";
import { type CallerGuard, principalIdsOf } from "./caller-guard";
import { answer, parseBody, problem } from "./http-answer";

export interface AccessCheckDeps {
  readonly guard: CallerGuard;
  readonly scopes: ScopeResolver;
}

const READ = "Corral/authorization/roleAssignments/read";

/** HTTP access:check, in an organization and in the deployment: may that principal do this, and which assignment says so? */
export function createAccessCheck(deps: AccessCheckDeps): { org: HttpFunctionOptions; wide: HttpFunctionOptions } {
  const handler = (request: HttpRequest) => check(deps, request);
  return {
    org: { route: "api/orgs/{org}/access:check", methods: ["POST"], authLevel: "anonymous", handler },
    wide: { route: "api/access:check", methods: ["POST"], authLevel: "anonymous", handler },
  };
}

/** Everybody may ask for himself, with the groups of his token; for others it takes the right to read assignments. */
async function check({ guard, scopes }: AccessCheckDeps, request: HttpRequest): Promise<HttpResponseInit> {
  const caller = await guard.caller(request);
  if (!caller.ok) return caller.response;
  const body = await parseBody(request, AccessQuestionBody);
  if (!body.ok) return body.response;
  const { operation } = body.value;
  const principalId = body.value.principalId.toLowerCase();
  const isSelf = principalId === caller.value.objectId;
  const org = request.params["org"];
  if (!isSelf) {
    const permitted = await (org === undefined
      ? guard.inDeployment(request, READ)
      : guard.inOrganization(request, READ));
    if (!permitted.ok) return permitted.response;
  }
  const outer = org === undefined ? DEPLOYMENT_SCOPE : organizationScope(org);
  const resolved = await scopes.resolve(body.value.scope ?? outer);
  // Who asks for himself learns that he may nothing there, and not whether it exists.
  if (!resolved.ok && isSelf) return answer(200, { allowed: false, because: null });
  if (!resolved.ok) return problem(400, "InvalidRequest", { message: `scope: ${resolved.message}`, target: "scope" });
  const { scope, around } = resolved.value;
  if (!isWithin(scope, outer) && !around.includes(outer))
    return problem(400, "InvalidRequest", { message: `scope: must lie in ${outer}`, target: "scope" });
  const principalIds = isSelf ? principalIdsOf(caller.value) : new Set([principalId]);
  const { allowed, because } = decideAccess(await guard.grantsAt(resolved.value), {
    principalIds,
    operation,
    scopes: around,
  });
  return answer(200, { allowed, because: because && { ...because, role: roleNameOf(because.role) } });
}
