import type { HttpRequest, HttpResponseInit } from "@azure/functions";
import type { AccessDirectory } from "../access/access-directory";
import type { RateLimit } from "../access/rate-limit";
import type { ResolvedScope, ScopeResolver } from "../access/scope-resolver";
import type { Caller, TokenVerifier } from "../access/token-verifier";
import { API_APP_ROLE, API_SCOPE, OrgName } from "../contract/names";
import { type AccessDecision, decideAccess, type Grants, rolesHeld } from "../domain/access/evaluator";
import type { Operation } from "../domain/access/operations";
import type { Role } from "../domain/access/role";
import { DEPLOYMENT_SCOPE, type Scope } from "../domain/access/scope";
import type { AccessAudit } from "../intake/access-audit";
import type { OrganizationRow, OrganizationTable } from "../state/organization-table";
import { notFound, problem } from "./http-answer";

export type Guarded<T> =
  { readonly ok: true; readonly value: T } | { readonly ok: false; readonly response: HttpResponseInit };

const refused = <T>(response: HttpResponseInit): Guarded<T> => ({ ok: false, response });

/** A caller whose assignment permits what he asks for. */
export interface Permitted {
  readonly caller: Caller;
  readonly because: NonNullable<AccessDecision["because"]>;
}

export interface CallerGuardDeps {
  readonly verifier: TokenVerifier;
  readonly organizations: OrganizationTable;
  readonly directory: AccessDirectory;
  readonly scopes: ScopeResolver;
  readonly accessAudit: AccessAudit;
  readonly rateLimit: RateLimit;
  /** Authentication context that users must have met for whatever is not a read; none by default. */
  readonly requiredContext?: string | undefined;
}

export const principalIdsOf = ({ objectId, groupIds }: Caller): ReadonlySet<string> => new Set([objectId, ...groupIds]);

/** The way into every route but the agents': who calls, and may he? */
export class CallerGuard {
  constructor(private readonly deps: CallerGuardDeps) {}

  /** Anybody with a valid token that was meant for this API. */
  async caller(request: HttpRequest): Promise<Guarded<Caller>> {
    const verification = await this.deps.verifier.verify(request.headers.get("authorization"));
    if (verification.outcome === "unavailable") return refused(keysUnavailable());
    const { accessAudit } = this.deps;
    if (verification.outcome === "refused") {
      await accessAudit.notAuthenticated(verification.reason);
      return refused(unauthenticated(verification.reason));
    }
    const { caller } = verification;
    const waitSeconds = await this.deps.rateLimit.waitSecondsFor(caller.objectId);
    if (waitSeconds !== undefined) return refused(tooMany(waitSeconds));
    await accessAudit.signedIn(caller);
    // A token of the tenant that nobody has consented to: an application may ask for one for any API.
    if (caller.kind === "user" ? caller.scopes.includes(API_SCOPE) : caller.appRoles.includes(API_APP_ROLE))
      return { ok: true, value: caller };
    const needed = `users need the delegated permission ${API_SCOPE}, applications the application role ${API_APP_ROLE}`;
    return refused(problem(403, "MissingPermission", `the token lacks the permission to call Corral: ${needed}`));
  }

  /** The organization of the route, for a caller who may do that in it. One that does not exist and one that is not his look the same. */
  async inOrganization(
    request: HttpRequest,
    operation: Operation,
  ): Promise<Guarded<Permitted & { organization: OrganizationRow }>> {
    const caller = await this.caller(request);
    if (!caller.ok) return caller;
    const org = request.params["org"] ?? "";
    const organization = OrgName.safeParse(org).success ? (await this.deps.organizations.find(org))?.value : undefined;
    const around = organization ? this.deps.scopes.around(organization) : [DEPLOYMENT_SCOPE];
    const permitted = await this.decide(caller.value, operation, { around, organization, scope: `/orgs/${org}` });
    if (!permitted.ok) return permitted;
    if (!organization) return refused(notFound(`organization ${org}`));
    return { ok: true, value: { ...permitted.value, organization } };
  }

  /** For a caller who may do that at the scope; at the deployment when none is named. */
  async at(caller: Caller, operation: Operation, scope: ResolvedScope): Promise<Guarded<Permitted>> {
    return this.decide(caller, operation, scope);
  }

  async inDeployment(request: HttpRequest, operation: Operation): Promise<Guarded<Permitted>> {
    const caller = await this.caller(request);
    if (!caller.ok) return caller;
    const around = [DEPLOYMENT_SCOPE];
    return this.decide(caller.value, operation, { around, organization: undefined, scope: DEPLOYMENT_SCOPE });
  }

  /** Whether he may, without an answer: for lists that show to each what is his. */
  async may(caller: Caller, operation: Operation, organization: OrganizationRow): Promise<boolean> {
    const grants = await this.deps.directory.grantsIn(organization);
    const scopes = this.deps.scopes.around(organization);
    return decideAccess(grants, { principalIds: principalIdsOf(caller), operation, scopes }).allowed;
  }

  /** The roles that a caller holds in an organization; without one, in the deployment. */
  async rolesHeldBy(caller: Caller, organization: OrganizationRow | undefined): Promise<readonly Role[]> {
    const grants = await this.deps.directory.grantsIn(organization);
    const around = organization ? this.deps.scopes.around(organization) : [DEPLOYMENT_SCOPE];
    return rolesHeld(grants, principalIdsOf(caller), around);
  }

  grantsAt({ organization }: Pick<ResolvedScope, "organization">): Promise<Grants> {
    return this.deps.directory.grantsIn(organization);
  }

  private async decide(
    caller: Caller,
    operation: Operation,
    {
      around,
      organization,
      scope,
    }: { around: readonly Scope[]; organization: OrganizationRow | undefined; scope: Scope },
  ): Promise<Guarded<Permitted>> {
    const grants = await this.deps.directory.grantsIn(organization);
    const { because } = decideAccess(grants, { principalIds: principalIdsOf(caller), operation, scopes: around });
    if (!because) {
      const org = organization?.org;
      await this.deps.accessAudit.refused(caller, { operation, target: scope, code: "Forbidden", ...(org && { org }) });
      return refused(forbidden(caller, operation, scope));
    }
    const challenge = this.challengeFor(caller, operation);
    return challenge ? refused(challenge) : { ok: true, value: { caller, because } };
  }

  /** Conditional Access by authentication context: the client answers the challenge with a token that meets it. */
  private challengeFor(caller: Caller, operation: Operation): HttpResponseInit | undefined {
    const { requiredContext } = this.deps;
    if (requiredContext === undefined || caller.kind !== "user" || operation.endsWith("/read")) return undefined;
    if (caller.authenticationContexts.includes(requiredContext)) return undefined;
    const wanted = { access_token: { acrs: { essential: true, value: requiredContext } } };
    const claims = Buffer.from(JSON.stringify(wanted)).toString("base64");
    const answer = problem(
      401,
      "InsufficientClaims",
      `${operation} needs the authentication context ${requiredContext}`,
    );
    const challenge = `Bearer realm="", error="insufficient_claims", claims="${claims}"`;
    return { ...answer, headers: { "x-ms-error-code": "InsufficientClaims", "WWW-Authenticate": challenge } };
  }
}

const keysUnavailable = (): HttpResponseInit =>
  problem(503, "KeysUnavailable", {
    message: "the signing keys of the identity provider cannot be had now",
    retryAfterSeconds: 5,
  });

const tooMany = (retryAfterSeconds: number): HttpResponseInit =>
  problem(429, "TooManyRequests", { message: "you have called too often in this minute", retryAfterSeconds });

const unauthenticated = (reason: string): HttpResponseInit => ({
  ...problem(401, "Unauthenticated", reason),
  headers: { "x-ms-error-code": "Unauthenticated", "WWW-Authenticate": 'Bearer error="invalid_token"' },
});

function forbidden(caller: Caller, operation: Operation, scope: Scope): HttpResponseInit {
  const where = scope === DEPLOYMENT_SCOPE ? "the deployment" : scope;
  if (!caller.hasMoreGroups) return problem(403, "Forbidden", `you may not do ${operation} in ${where}`);
  const mend = "have a role assigned to yourself, or let the application issue only the groups assigned to it";
  return problem(
    403,
    "GroupsNotListed",
    `you may not do ${operation} in ${where}; you are in more groups than a token can list, so theirs were not counted: ${mend}`,
  );
}
