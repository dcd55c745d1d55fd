import { computeGroupIdOf, type EstateLocation } from "../estate-names";

/**
 * Where a role counts: the deployment `/`, a subscription, a resource group, an organization, or one of its volumes. Each holds the
 * ones after it. Two spellings of one scope are the same text after `canonicalScope`, so that comparing texts is comparing scopes.
 */
export type Scope = string;

export const DEPLOYMENT_SCOPE: Scope = "/";
export const organizationScope = (org: string): Scope => `/orgs/${org}`;
export const volumeScope = (org: string, volume: string): Scope => `/orgs/${org}/volumes/${volume}`;

const GUID = "[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}";
/** Resource group names as Azure allows them: no slash, not ending in a period. */
const GROUP = String.raw`[\p{L}\p{N}_().-]{0,89}[\p{L}\p{N}_()-]`;
const ORG = "[a-z][a-z0-9-]{1,18}[a-z0-9]";
const VOLUME = "[a-z0-9][a-z0-9-]{1,61}[a-z0-9]";
const FORMS = [
  new RegExp(`^/subscriptions/${GUID}$`, "u"),
  new RegExp(`^/subscriptions/${GUID}/resourcegroups/${GROUP}$`, "u"),
  new RegExp(`^/orgs/${ORG}$`, "u"),
  new RegExp(`^/orgs/${ORG}/volumes/${VOLUME}$`, "u"),
];

/** The one spelling of a scope; undefined when the text names none. `..`, `//` and escapes are no scopes. */
export function canonicalScope(text: string): Scope | undefined {
  if (text === "/") return DEPLOYMENT_SCOPE;
  const lower = text.toLowerCase().replace(/\/$/, "");
  if (lower.includes("..")) return undefined;
  return FORMS.some((form) => form.test(lower)) ? lower : undefined;
}

/** Is a scope the outer one or below it? Both canonical. A whole segment must match: `/orgs/acme` does not hold `/orgs/acme-lab`. */
export function isWithin(scope: Scope, outer: Scope): boolean {
  return outer === DEPLOYMENT_SCOPE || scope === outer || scope.startsWith(`${outer}/`);
}

/** An organization's scope with all that hold it, outermost first: roles given at any of them count in it. */
export function scopesAround(estate: EstateLocation): readonly Scope[] {
  const group = computeGroupIdOf(estate).toLowerCase();
  const subscription = `/subscriptions/${estate.subscriptionId.toLowerCase()}`;
  return [DEPLOYMENT_SCOPE, subscription, group, organizationScope(estate.org)];
}
