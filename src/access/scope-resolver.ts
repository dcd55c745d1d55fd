import {
  canonicalScope,
  DEPLOYMENT_SCOPE,
  isWithin,
  organizationScope,
  type Scope,
  scopesAround,
} from "../domain/access/scope";
import type { OrganizationRow, OrganizationTable } from "../state/organization-table";
import { WIDE_HOME } from "../state/role-definition-table";

/** A scope with all that hold it, and where the rows lie that count there. */
export interface ResolvedScope {
  readonly scope: Scope;
  /** The scope itself included. */
  readonly around: readonly Scope[];
  /** Partition of assignments at this scope: the organization, or `-`. */
  readonly home: string;
  readonly organization: OrganizationRow | undefined;
}

export type ScopeResolution =
  { readonly ok: true; readonly value: ResolvedScope } | { readonly ok: false; readonly message: string };

const FORMS =
  "a scope is /, /subscriptions/{id}, /subscriptions/{id}/resourceGroups/{name}, /orgs/{org} or /orgs/{org}/volumes/{name}";

/** Finds what holds a scope. An organization lies in its compute group, and that in its subscription. */
export class ScopeResolver {
  constructor(
    private readonly organizations: OrganizationTable,
    private readonly estatePrefix: string,
  ) {}

  around(organization: Pick<OrganizationRow, "org" | "settings">): readonly Scope[] {
    const { org, settings } = organization;
    return scopesAround({ prefix: this.estatePrefix, org, subscriptionId: settings.subscriptionId });
  }

  async organizationNames(): Promise<string[]> {
    return (await this.organizations.list()).map(({ org }) => org);
  }

  async resolve(text: string): Promise<ScopeResolution> {
    const scope = canonicalScope(text);
    if (scope === undefined) return { ok: false, message: `'${text}' is no scope: ${FORMS}` };
    if (!scope.startsWith("/orgs/")) return { ok: true, value: wide(scope) };
    const [, , org = ""] = scope.split("/");
    const organization = (await this.organizations.find(org))?.value;
    if (!organization) return { ok: false, message: `there is no organization ${org}` };
    const around = this.around(organization);
    const isOrganization = scope === organizationScope(org);
    return {
      ok: true,
      value: { scope, around: isOrganization ? around : [...around, scope], home: org, organization },
    };
  }
}

function wide(scope: Scope): ResolvedScope {
  const [, , subscriptionId, , group] = scope.split("/");
  const around = [DEPLOYMENT_SCOPE];
  if (subscriptionId !== undefined) around.push(`/subscriptions/${subscriptionId}`);
  if (group !== undefined) around.push(scope);
  return { scope, around: around.filter((one) => isWithin(scope, one)), home: WIDE_HOME, organization: undefined };
}
