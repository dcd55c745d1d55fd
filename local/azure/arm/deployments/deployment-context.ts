import type { CloudWorld } from "../cloud-world";
import { GROUP_TYPE } from "../resource-store";
import type { DeploymentFacts } from "./functions-of-resources";
import type { Json, JsonMap } from "./json-value";
import { type PlannedResource, planTemplate } from "./plan";
import { type DeploymentTarget, scopeOf } from "./resource-ids";
import { parseTemplate, type Template } from "./template";
import { TemplateContext } from "./template-context";
import type { GivenParameters } from "./template-parameters";

export interface PreparedDeployment {
  readonly template: Template;
  readonly context: TemplateContext;
  readonly planned: readonly PlannedResource[];
}

interface Preparation extends DeploymentTarget {
  readonly name: string;
  readonly location: string | undefined;
  readonly mode: string;
  readonly template: unknown;
  readonly given: GivenParameters;
}

/** Reads a template, binds its parameters and plans its resources; throws TemplateError where one of these cannot be done. */
export function prepare(world: CloudWorld, deployment: Preparation): PreparedDeployment {
  const template = parseTemplate(deployment.template);
  const context = new TemplateContext({ template, given: deployment.given, facts: factsOf(world, deployment) });
  context.parameters.check();
  const planned = planTemplate(template, { context, target: deployment });
  return { template, context, planned };
}

function factsOf(world: CloudWorld, { name, location, mode, ...target }: Preparation): DeploymentFacts {
  const { subscriptionId, group } = target;
  const { tenantId } = world.directory;
  const subscription = `/subscriptions/${subscriptionId}`;
  return {
    target: { subscriptionId, group },
    tenantId,
    deployment: {
      name,
      ...(location === undefined ? {} : { location }),
      properties: { mode, provisioningState: "Accepted" },
    },
    subscription: { id: subscription, subscriptionId, tenantId, displayName: "Local subscription" },
    resourceGroup: group === undefined ? undefined : groupOf(world, { subscriptionId, group }),
  };
}

function groupOf(world: CloudWorld, target: DeploymentTarget): JsonMap {
  const id = scopeOf(target);
  const known = world.resources.get(id);
  const body = (known?.body ?? {}) as Readonly<Record<string, Json>>; // bodies are JSON
  return { ...body, id: known?.id ?? id, name: known?.name ?? target.group ?? "", type: GROUP_TYPE };
}
