import type { HttpFunctionOptions, HttpRequest, HttpResponseInit, InvocationContext } from "@azure/functions";
import type { AccessDirectory } from "../access/access-directory";
import type { NamedRole, RoleCatalogue } from "../access/role-catalogue";
import type { ResolvedScope, ScopeResolver } from "../access/scope-resolver";
import type { Caller } from "../access/token-verifier";
import { AssignmentId, RoleAssignmentBody } from "../contract/access";
import { isFromSettings, refusalOfPlace, refusalToGive, refusalToTake } from "../domain/access/delegation";
import { type Assignment, rolesHeld } from "../domain/access/evaluator";
import { DEPLOYMENT_SCOPE, organizationScope } from "../domain/access/scope";
import type { AuditTrail } from "../domain/audit";
import type { RoleAssignments } from "../intake/role-assignments";
import type { RoleAssignmentRow, RoleAssignmentTable } from "../state/role-assignment-table";
import { WIDE_HOME } from "../state/role-definition-table";
import { audited, type AuditedCall } from "./audited";
import { type CallerGuard, type Guarded, type Permitted, principalIdsOf } from "./caller-guard";
import { answer, notFound, parseBody, problem } from "./http-answer";

export interface RoleAssignmentCallDeps {
  readonly guard: CallerGuard;
  readonly directory: AccessDirectory;
  readonly scopes: ScopeResolver;
  readonly catalogue: RoleCatalogue;
  readonly assignments: RoleAssignmentTable;
  readonly given: RoleAssignments;
  readonly audit: AuditTrail;
}

type Handler = (request: HttpRequest, context: InvocationContext) => Promise<HttpResponseInit>;

const READ = "Corral/authorization/roleAssignments/read";
const WRITE = "Corral/authorization/roleAssignments/write";
const DELETE = "Corral/authorization/roleAssignments/delete";

const homeOf = (request: HttpRequest): string => request.params["org"] ?? WIDE_HOME;
const refuse = (response: HttpResponseInit): { ok: false; response: HttpResponseInit } => ({ ok: false, response });
const invalid = (target: string, message: string) =>
  refuse(problem(400, "InvalidRequest", { message: `${target}: ${message}`, target }));

/** HTTP roleAssignments, of an organization and of wider scopes. */
export function createRoleAssignmentCalls(deps: RoleAssignmentCallDeps) {
  const calls = new RoleAssignmentCalls(deps);
  const both = (method: "GET" | "PUT" | "DELETE", path: string, handler: Handler) => ({
    org: {
      route: `api/orgs/{org}/${path}`,
      methods: [method],
      authLevel: "anonymous",
      handler,
    } satisfies HttpFunctionOptions,
    wide: { route: `api/${path}`, methods: [method], authLevel: "anonymous", handler } satisfies HttpFunctionOptions,
  });
  return {
    list: both("GET", "roleAssignments", (request) => calls.list(request)),
    show: both("GET", "roleAssignments/{id}", (request) => calls.show(request)),
    put: both("PUT", "roleAssignments/{id}", (request, context) => calls.put(request, context)),
    remove: both("DELETE", "roleAssignments/{id}", (request, context) => calls.remove(request, context)),
  };
}

interface Judged {
  readonly row: RoleAssignmentRow;
  readonly permitted: Permitted;
}

class RoleAssignmentCalls {
  constructor(private readonly deps: RoleAssignmentCallDeps) {}

  async list(request: HttpRequest): Promise<HttpResponseInit> {
    const permitted = await this.permit(request, READ);
    if (!permitted.ok) return permitted.response;
    return answer(200, { value: (await this.countingIn(request)).map(viewOf) });
  }

  async show(request: HttpRequest): Promise<HttpResponseInit> {
    const permitted = await this.permit(request, READ);
    if (!permitted.ok) return permitted.response;
    const id = request.params["id"] ?? "";
    const found = (await this.countingIn(request)).find((each) => each.id === id);
    return found ? answer(200, viewOf(found)) : notFound(`role assignment ${id}`);
  }

  async put(request: HttpRequest, context: InvocationContext): Promise<HttpResponseInit> {
    const admitted = await this.admit(request, WRITE);
    if (!admitted.ok) return admitted.response;
    const body = await parseBody(request, RoleAssignmentBody);
    if (!body.ok) return body.response;
    const judged = await this.judge(request, body.value, admitted.value);
    if (!judged.ok) return judged.response;
    const { row, permitted } = judged.value;
    return audited(this.deps.audit, this.callOf(request, { context, permitted, operation: WRITE, row }), async () => {
      const given = await this.deps.given.put(row);
      this.deps.directory.forget(row.home);
      if (given.outcome === "refused") return problem(409, given.code, given.message);
      return answer(given.outcome === "created" ? 201 : 200, viewOf(given.row));
    });
  }

  async remove(request: HttpRequest, context: InvocationContext): Promise<HttpResponseInit> {
    const admitted = await this.admit(request, DELETE);
    if (!admitted.ok) return admitted.response;
    const home = homeOf(request);
    const id = request.params["id"] ?? "";
    const counting = await this.countingIn(request);
    const taken = counting.find((each) => each.id === id);
    const resolved = await this.deps.scopes.resolve(
      taken?.scope ?? (home === WIDE_HOME ? DEPLOYMENT_SCOPE : organizationScope(home)),
    );
    if (!resolved.ok) return notFound(`role assignment ${id}`);
    const permitted = await this.deps.guard.at(admitted.value, DELETE, resolved.value);
    if (!permitted.ok) return permitted.response;
    if (!taken) return answer(204, undefined);
    const { around } = resolved.value;
    const refusal = refusalToTake(
      counting.filter(({ scope }) => around.includes(scope)),
      taken,
    );
    if (refusal) return problem(409, refusal.code, refusal.message);
    if (!("home" in taken) || taken.home !== home)
      return problem(
        409,
        "WiderScope",
        `${id} counts beyond this organization: remove it at /api/roleAssignments/${id}`,
      );
    const call = this.callOf(request, { context, permitted: permitted.value, operation: DELETE, row: taken });
    return audited(this.deps.audit, call, async () => {
      await this.deps.given.remove(home, id);
      this.deps.directory.forget(home);
      return answer(204, undefined);
    });
  }

  private callOf(
    request: HttpRequest,
    call: {
      context: InvocationContext;
      permitted: Permitted;
      operation: typeof WRITE | typeof DELETE;
      row: RoleAssignmentRow;
    },
  ): AuditedCall {
    const { context, permitted, operation, row } = call;
    const target = `${row.scope.replace(/\/$/, "")}/roleAssignments/${row.id}`;
    return { request, context, permitted, operation, org: row.home === WIDE_HOME ? undefined : row.home, target };
  }

  private async permit(request: HttpRequest, operation: typeof READ): Promise<Guarded<Permitted>> {
    return request.params["org"] === undefined
      ? this.deps.guard.inDeployment(request, operation)
      : this.deps.guard.inOrganization(request, operation);
  }

  /**
   * Who may write in an organization is asked before anything else, so that others learn nothing of it. Wider scopes are no secret: there
   * the scope in question decides. Writes are judged by the rows as they are now.
   */
  private async admit(request: HttpRequest, operation: typeof WRITE | typeof DELETE): Promise<Guarded<Caller>> {
    for (const home of [WIDE_HOME, homeOf(request)]) this.deps.directory.forget(home);
    if (request.params["org"] === undefined) return this.deps.guard.caller(request);
    const permitted = await this.deps.guard.inOrganization(request, operation);
    return permitted.ok ? { ok: true, value: permitted.value.caller } : permitted;
  }

  /** All that count in the organization of the path: its own, the wider ones that hold it, and what settings say. */
  private async countingIn(request: HttpRequest): Promise<readonly (Assignment | RoleAssignmentRow)[]> {
    const home = homeOf(request);
    const isWide = home === WIDE_HOME;
    const resolved = await this.deps.scopes.resolve(isWide ? DEPLOYMENT_SCOPE : organizationScope(home));
    if (!resolved.ok) return [];
    const { assignments } = await this.deps.guard.grantsAt(resolved.value);
    return isWide
      ? assignments
      : assignments.filter(
          ({ scope }) => resolved.value.around.includes(scope) || scope.startsWith(`${organizationScope(home)}/`),
        );
  }

  /** Whether the caller may give this role there to that principal, and the row that says so. */
  private async judge(request: HttpRequest, body: RoleAssignmentBody, caller: Caller): Promise<Guarded<Judged>> {
    const home = homeOf(request);
    const id = AssignmentId.safeParse((request.params["id"] ?? "").toLowerCase());
    if (!id.success) return invalid("id", id.error.issues[0]?.message ?? "is no id");
    const isOwnScope = body.scope.toLowerCase().startsWith("/orgs/") === (home !== WIDE_HOME);
    if (!isOwnScope) {
      const place = home === WIDE_HOME ? "/api/orgs/{org}/roleAssignments" : "/api/roleAssignments";
      return invalid("scope", `assignments at ${body.scope} are made at ${place}`);
    }
    const resolved = await this.deps.scopes.resolve(body.scope);
    if (!resolved.ok) return invalid("scope", resolved.message);
    if (resolved.value.home !== home) return invalid("scope", `must lie in ${organizationScope(home)}`);
    const permitted = await this.deps.guard.at(caller, WRITE, resolved.value);
    if (!permitted.ok) return permitted;
    const named = await this.deps.catalogue.find(body.role, home);
    if (!named) return invalid("role", `there is no role '${body.role}'`);
    const refusal = await this.refusalOf({ caller, body, named, at: resolved.value });
    if (refusal) return refuse(problem(403, refusal.code, refusal.message));
    const row: RoleAssignmentRow = {
      home,
      id: id.data,
      principalId: body.principalId.toLowerCase(),
      principalType: body.principalType,
      role: named.role.key,
      roleName: named.name,
      scope: resolved.value.scope,
      createdAt: new Date().toISOString(),
      createdBy: caller.objectId,
    };
    return { ok: true, value: { row, permitted: permitted.value } };
  }

  private async refusalOf(asked: { caller: Caller; body: RoleAssignmentBody; named: NamedRole; at: ResolvedScope }) {
    const { caller, body, named, at } = asked;
    if (body.principalId.toLowerCase() === caller.objectId)
      return { code: "SelfAssignment", message: "nobody gives a role to himself: ask another Owner" };
    const misplaced = named.assignableScopes && refusalOfPlace(named.assignableScopes, at.around);
    if (misplaced) return misplaced;
    const held = rolesHeld(await this.deps.guard.grantsAt(at), principalIdsOf(caller), at.around);
    return refusalToGive(held, named.role, at.scope);
  }
}

function viewOf(assignment: Assignment | RoleAssignmentRow): object {
  const { id, principalId, scope } = assignment;
  if (!("home" in assignment))
    return { id, principalId, role: assignment.role, scope, fromSettings: isFromSettings(assignment) };
  const { principalType, roleName, createdAt, createdBy } = assignment;
  return { id, principalId, principalType, role: roleName, scope, createdAt, createdBy };
}
