import { z } from "zod";
import { ArmError } from "../arm-error";
import { isWithin } from "../authorization/access-control";
import type { CloudWorld } from "../cloud-world";
import { isSame, type JsonObject, locationName } from "../resource-store";
import type { ArmRequest } from "../route";
import type { DenyRule } from "./deny-rules";

const Named = z.looseObject({
  location: z.string().optional(),
  tags: z.record(z.string(), z.unknown()).optional(),
});
type Named = z.infer<typeof Named>;

/** Why a rule bites, in the words of an evaluation. */
interface Expression {
  readonly result: "True";
  readonly expressionKind: "Field";
  readonly expression: string;
  readonly path: string;
  readonly expressionValue?: unknown;
  readonly targetValue: unknown;
  readonly operator: "Equals" | "In" | "NotIn" | "Exists";
}

// Policies with mode Indexed look at resources with a location and tags, and at groups.
const UNSEEN = /^microsoft\.(authorization|resources\/deployments|resources\/tags)/i;

/** Refuses a write that a deny policy forbids: https://learn.microsoft.com/azure/governance/policy/concepts/effect-deny */
export function requireAllowedByPolicy(world: CloudWorld, request: ArmRequest): void {
  const { method, path } = request;
  if ((method !== "PUT" && method !== "PATCH") || !path.isItem || UNSEEN.test(path.type)) return;
  const rules = world.denyRules.all().filter((rule) => isWithin(path.id, rule.scope));
  if (rules.length === 0) return;
  const resource = wanted(world, request);
  const violations = rules.flatMap((rule) => {
    const expressions = violationOf(rule, path.type, resource);
    return expressions ? [{ rule, expressions }] : [];
  });
  if (violations.length > 0) throw disallowed(request, violations);
}

/** The resource as it would be: a PATCH leaves the rest as it is, a PUT that names no location too. */
function wanted(world: CloudWorld, { method, path, body }: ArmRequest): Named {
  const given = Named.safeParse(body);
  const known = Named.safeParse(world.resources.get(path.id)?.body);
  const asked: Named = given.success ? given.data : {};
  const now: Named = known.success ? known.data : {};
  const tags = method === "PATCH" ? { ...now.tags, ...asked.tags } : (asked.tags ?? {});
  return { location: asked.location ?? now.location, tags };
}

function violationOf(rule: DenyRule, type: string, { location, tags = {} }: Named): Expression[] | undefined {
  const { resourceTypes, allowedLocations, requiredTags } = rule;
  const found: Expression[] = [];
  const field = (expression: string) =>
    ({ result: "True", expressionKind: "Field", expression, path: expression }) as const;
  if (resourceTypes) {
    if (!resourceTypes.some((one) => isSame(one, type))) return undefined;
    found.push({ ...field("type"), expressionValue: type, targetValue: resourceTypes, operator: "In" });
  }
  if (allowedLocations) {
    if (location === undefined || allowedLocations.map(locationName).includes(locationName(location))) return undefined;
    found.push({ ...field("location"), expressionValue: location, targetValue: allowedLocations, operator: "NotIn" });
  }
  if (requiredTags) {
    const missing = requiredTags.find((tag) => !Object.keys(tags).some((name) => isSame(name, tag)));
    if (missing === undefined) return undefined;
    found.push({ ...field(`tags[${missing}]`), targetValue: "false", operator: "Exists" });
  }
  return found;
}

interface Violation {
  readonly rule: DenyRule;
  readonly expressions: readonly Expression[];
}

const AUTHORIZATION = "providers/Microsoft.Authorization";

const idsOf = ({ scope, name }: DenyRule) => ({
  policyAssignmentId: `${scope}/${AUTHORIZATION}/policyAssignments/${name}`,
  policyDefinitionId: `${/^\/subscriptions\/[^/]+/i.exec(scope)?.[0] ?? ""}/${AUTHORIZATION}/policyDefinitions/${name}`,
});

function disallowed({ path }: ArmRequest, violations: readonly Violation[]): ArmError {
  const name = path.names.at(-1) ?? "";
  const identifiers = violations.map(({ rule }) => ({
    policyAssignment: { name: rule.displayName, id: idsOf(rule).policyAssignmentId },
    policyDefinition: { name: rule.displayName, id: idsOf(rule).policyDefinitionId },
  }));
  return new ArmError(
    403,
    {
      code: "RequestDisallowedByPolicy",
      message: `Resource '${name}' was disallowed by policy. Policy identifiers: '${JSON.stringify(identifiers)}'.`,
    },
    { target: name, additionalInfo: violations.map((one) => ({ type: "PolicyViolation", info: infoOf(one) })) },
  );
}

/** As a recorded refusal has it: https://learn.microsoft.com/azure/automation/enforce-job-execution-hybrid-worker */
const infoOf = ({ rule, expressions }: Violation): JsonObject => ({
  policyDefinitionDisplayName: rule.displayName,
  evaluationDetails: { evaluatedExpressions: expressions },
  policyDefinitionId: idsOf(rule).policyDefinitionId,
  policyDefinitionName: rule.name,
  policyDefinitionEffect: "Deny",
  policyAssignmentId: idsOf(rule).policyAssignmentId,
  policyAssignmentName: rule.name,
  policyAssignmentDisplayName: rule.displayName,
  policyAssignmentScope: rule.scope,
  policyAssignmentParameters: {},
});
