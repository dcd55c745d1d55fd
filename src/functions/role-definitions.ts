import type { HttpFunctionOptions, HttpRequest, HttpResponseInit, InvocationContext } from "@azure/functions";
import type { AccessDirectory } from "../access/access-directory";
import { findBuiltIn, type RoleCatalogue, slugOfBuiltIn } from "../access/role-catalogue";
import type { ResolvedScope, ScopeResolver } from "../access/scope-resolver";
import type { Caller } from "../access/token-verifier";
import { RoleDefinitionBody, RoleSlug } from "../contract/access";
import { refusalToDelete, refusalToGive, refusalToNarrow, scopesOutside } from "../domain/access/delegation";
import { rolesHeld } from "../domain/access/evaluator";
import { BUILT_IN_ROLES } from "../domain/access/role";
import { DEPLOYMENT_SCOPE, organizationScope } from "../domain/access/scope";
import type { AuditTrail } from "../domain/audit";
import type { RoleDefinitions } from "../intake/role-definitions";
import type { RoleAssignmentTable } from "../state/role-assignment-table";
import { type RoleDefinitionRow, type RoleDefinitionTable, WIDE_HOME } from "../state/role-definition-table";
import { audited, type AuditedCall } from "./audited";
import { type CallerGuard, type Guarded, type Permitted, principalIdsOf } from "./caller-guard";
import { answer, notFound, parseBody, problem } from "./http-answer";

export interface RoleDefinitionCallDeps {
  readonly guard: CallerGuard;
  readonly directory: AccessDirectory;
  readonly scopes: ScopeResolver;
  readonly catalogue: RoleCatalogue;
  readonly definitions: RoleDefinitionTable;
  readonly assignments: RoleAssignmentTable;
  readonly roles: RoleDefinitions;
  readonly audit: AuditTrail;
}

type Handler = (request: HttpRequest, context: InvocationContext) => Promise<HttpResponseInit>;
type Method = "GET" | "PUT" | "DELETE";

const homeOf = (request: HttpRequest): string => request.params["org"] ?? WIDE_HOME;

const refuse = (response: HttpResponseInit): { ok: false; response: HttpResponseInit } => ({ ok: false, response });
const invalid = (target: string, message: string) =>
  refuse(problem(400, "InvalidRequest", { message: `${target}: ${message}`, target }));
const builtInStays = (slug: string): HttpResponseInit =>
  problem(409, "RoleNameTaken", `${slug} is a built-in role and stays as it is`);

/** HTTP roleDefinitions, of an organization and of the deployment: custom roles in the JSON of Azure's tools. */
export function createRoleDefinitionCalls(deps: RoleDefinitionCallDeps) {
  const calls = new RoleDefinitionCalls(deps);
  const both = (
    method: Method,
    path: string,
    handler: Handler,
  ): { org: HttpFunctionOptions; wide: HttpFunctionOptions } => ({
    org: { route: `api/orgs/{org}/${path}`, methods: [method], authLevel: "anonymous", handler },
    wide: { route: `api/${path}`, methods: [method], authLevel: "anonymous", handler },
  });
  return {
    list: both("GET", "roleDefinitions", (request) => calls.list(request)),
    show: both("GET", "roleDefinitions/{slug}", (request) => calls.show(request)),
    put: both("PUT", "roleDefinitions/{slug}", (request, context) => calls.put(request, context)),
    remove: both("DELETE", "roleDefinitions/{slug}", (request, context) => calls.remove(request, context)),
  };
}

class RoleDefinitionCalls {
  constructor(private readonly deps: RoleDefinitionCallDeps) {}

  async list(request: HttpRequest): Promise<HttpResponseInit> {
    const permitted = await this.permit(request);
    if (!permitted.ok) return permitted.response;
    const custom = await this.deps.catalogue.listFor(homeOf(request));
    return answer(200, { value: [...BUILT_IN_ROLES.map(builtInView), ...custom.map(viewOf)] });
  }

  async show(request: HttpRequest): Promise<HttpResponseInit> {
    const permitted = await this.permit(request);
    if (!permitted.ok) return permitted.response;
    const slug = request.params["slug"] ?? "";
    const builtIn = findBuiltIn(slug);
    if (builtIn) return answer(200, builtInView(builtIn));
    const row = (await this.deps.catalogue.listFor(homeOf(request))).find((each) => each.slug === slug);
    return row ? answer(200, viewOf(row)) : notFound(`role ${slug}`);
  }

  async put(request: HttpRequest, context: InvocationContext): Promise<HttpResponseInit> {
    const admitted = await this.admit(request, "write");
    if (!admitted.ok) return admitted.response;
    const body = await parseBody(request, RoleDefinitionBody);
    if (!body.ok) return body.response;
    const slug = RoleSlug.safeParse(request.params["slug"] ?? "");
    if (!slug.success) return invalid("slug", slug.error.issues[0]?.message ?? "is no name").response;
    if (findBuiltIn(slug.data)) return builtInStays(slug.data);
    const home = homeOf(request);
    const judged = await this.judge({ home, slug: slug.data, body: body.value, caller: admitted.value });
    if (!judged.ok) return judged.response;
    const { permitted, scopes: assignableScopes } = judged.value;
    const call = callOf({ request, context, permitted, verb: "write" }, { home, slug: slug.data });
    return audited(this.deps.audit, call, async () => {
      const by = permitted.caller.objectId;
      const written = await this.deps.roles.put({ home, slug: slug.data, body: body.value, assignableScopes, by });
      this.deps.directory.forget(home);
      if (written.outcome === "changed")
        return problem(409, "RoleChanged", "somebody else wrote this role: read it again");
      return answer(written.outcome === "created" ? 201 : 200, viewOf(written.row));
    });
  }

  async remove(request: HttpRequest, context: InvocationContext): Promise<HttpResponseInit> {
    const admitted = await this.admit(request, "delete");
    if (!admitted.ok) return admitted.response;
    const home = homeOf(request);
    const slug = request.params["slug"] ?? "";
    if (findBuiltIn(slug)) return builtInStays(slug);
    const row = RoleSlug.safeParse(slug).success ? (await this.deps.definitions.find(home, slug))?.value : undefined;
    const places = row?.assignableScopes ?? [home === WIDE_HOME ? DEPLOYMENT_SCOPE : organizationScope(home)];
    const permitted = await this.permittedAt(admitted.value, "delete", places);
    if (!permitted.ok) return permitted.response;
    if (!row) return answer(204, undefined);
    const refusal = refusalToDelete(row.key, await this.assignmentsOf(row));
    if (refusal) return problem(409, refusal.code, refusal.message);
    const call = callOf({ request, context, permitted: permitted.value, verb: "delete" }, { home, slug });
    return audited(this.deps.audit, call, async () => {
      await this.deps.roles.remove(home, slug);
      this.deps.directory.forget(home);
      return answer(204, undefined);
    });
  }

  private permit(request: HttpRequest): Promise<Guarded<Permitted>> {
    const operation = "Corral/authorization/roleDefinitions/read";
    return request.params["org"] === undefined
      ? this.deps.guard.inDeployment(request, operation)
      : this.deps.guard.inOrganization(request, operation);
  }

  /**
   * Who may write in an organization is asked before anything else, so that others learn nothing of it; for roles of the deployment
   * their scopes decide. Writes are judged by the rows as they are now.
   */
  private async admit(request: HttpRequest, verb: "write" | "delete"): Promise<Guarded<Caller>> {
    for (const home of [WIDE_HOME, homeOf(request)]) this.deps.directory.forget(home);
    if (request.params["org"] === undefined) return this.deps.guard.caller(request);
    const permitted = await this.deps.guard.inOrganization(request, `Corral/authorization/roleDefinitions/${verb}`);
    return permitted.ok ? { ok: true, value: permitted.value.caller } : permitted;
  }

  /** The permission has to be held at each of the scopes. */
  private async permittedAt(
    caller: Caller,
    verb: "write" | "delete",
    scopes: readonly string[],
  ): Promise<Guarded<Permitted>> {
    let last: Guarded<Permitted> = refuse(problem(400, "InvalidRequest", "a role needs an assignable scope"));
    for (const text of scopes) {
      const resolved = await this.deps.scopes.resolve(text);
      // The organization of this scope is gone, and with it whoever could still use the role there.
      if (!resolved.ok) continue;
      last = await this.deps.guard.at(caller, `Corral/authorization/roleDefinitions/${verb}`, resolved.value);
      if (!last.ok) return last;
    }
    return last;
  }

  /** Every scope in its one spelling, where the writer may define roles and holds all that the role permits. */
  private async judge(given: {
    readonly home: string;
    readonly slug: string;
    readonly body: RoleDefinitionBody;
    readonly caller: Caller;
  }): Promise<Guarded<{ scopes: string[]; permitted: Permitted }>> {
    const { home, slug, body, caller } = given;
    const scopes: string[] = [];
    for (const [index, text] of body.AssignableScopes.entries()) {
      const target = `AssignableScopes.${index}`;
      const resolved = await this.deps.scopes.resolve(text);
      if (!resolved.ok) return invalid(target, resolved.message);
      const { scope } = resolved.value;
      const isOutside = home !== WIDE_HOME && scopesOutside([scope], [organizationScope(home)]).length > 0;
      if (isOutside) return invalid(target, `a role of ${home} counts in ${organizationScope(home)} and below only`);
      const refusal = await this.refusalAt(caller, resolved.value, body);
      if (refusal) return refuse(problem(403, refusal.code, refusal.message));
      scopes.push(scope);
    }
    const known = (await this.deps.definitions.find(home, slug))?.value;
    const permitted = await this.permittedAt(caller, "write", [...scopes, ...(known?.assignableScopes ?? [])]);
    if (!permitted.ok) return permitted;
    const narrowed = known && refusalToNarrow(scopes, await this.placesOf(known));
    if (narrowed) return refuse(problem(409, narrowed.code, narrowed.message));
    return { ok: true, value: { scopes, permitted: permitted.value } };
  }

  private async refusalAt(caller: Caller, at: ResolvedScope, body: RoleDefinitionBody) {
    const held = rolesHeld(await this.deps.guard.grantsAt(at), principalIdsOf(caller), at.around);
    return refusalToGive(held, { key: "", actions: body.Actions, notActions: body.NotActions }, at.scope);
  }

  private async placesOf(row: RoleDefinitionRow): Promise<{ id: string; around: readonly string[] }[]> {
    const places = [];
    for (const { id, scope } of await this.assignmentsOf(row)) {
      const resolved = await this.deps.scopes.resolve(scope);
      if (resolved.ok) places.push({ id, around: resolved.value.around });
    }
    return places;
  }

  /** Assignments that refer to the role: of its own home; a wide role's also in the organizations where it may be assigned. */
  private async assignmentsOf(row: RoleDefinitionRow) {
    const homes = row.home === WIDE_HOME ? [WIDE_HOME, ...(await this.deps.scopes.organizationNames())] : [row.home];
    const lists = await Promise.all(homes.map((home) => this.deps.assignments.listOf(home)));
    return lists.flat().filter(({ role }) => role === row.key);
  }
}

function callOf(
  call: Pick<AuditedCall, "request" | "context" | "permitted"> & { readonly verb: "write" | "delete" },
  { home, slug }: { home: string; slug: string },
): AuditedCall {
  const { verb, ...rest } = call;
  const operation = `Corral/authorization/roleDefinitions/${verb}` as const;
  const isWide = home === WIDE_HOME;
  const target = `${isWide ? "" : organizationScope(home)}/roleDefinitions/${slug}`;
  return { ...rest, operation, org: isWide ? undefined : home, target };
}

function viewOf({ slug, body, changedAt, changedBy }: RoleDefinitionRow): object {
  return { id: slug, ...body, changedAt, changedBy };
}

function builtInView({ key, description, actions, notActions }: (typeof BUILT_IN_ROLES)[number]): object {
  return {
    id: slugOfBuiltIn(key),
    Name: key,
    IsCustom: false,
    Description: description,
    Actions: actions,
    NotActions: notActions,
    DataActions: [],
    NotDataActions: [],
    AssignableScopes: [DEPLOYMENT_SCOPE],
  };
}
