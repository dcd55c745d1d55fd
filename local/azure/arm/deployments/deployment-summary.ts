import type { CloudWorld } from "../cloud-world";
import type { PreparedDeployment } from "./deployment-context";
import type { DeploymentRecord } from "./deployment-store";
import type { Json } from "./json-value";
import type { PlannedResource } from "./plan";
import { shownValue } from "./template-parameters";

/** What a deployment says of itself before it has done anything. */
export function deploymentSummary(
  world: CloudWorld,
  { template, context, planned }: PreparedDeployment,
): Pick<DeploymentRecord, "parameters" | "shownParameters" | "providers" | "dependencies"> {
  const bound = Object.entries(template.parameters).map(
    ([name, { type }]) => [name, { type, value: context.parameters.value(name) }] as const,
  );
  const shown = bound.map(([name, { type, value }]) => [name, shownValue(type, value)] as const);
  return {
    parameters: Object.fromEntries(bound.map(([name, { value }]) => [name, value])),
    shownParameters: Object.fromEntries(shown),
    providers: providersOf(world, planned),
    dependencies: dependenciesOf(planned),
  };
}

function providersOf({ locations }: CloudWorld, planned: readonly PlannedResource[]): Json[] {
  const byNamespace = new Map<string, Set<string>>();
  for (const { type } of planned) {
    const [namespace = "", ...types] = type.split("/");
    byNamespace.set(namespace, (byNamespace.get(namespace) ?? new Set()).add(types.join("/")));
  }
  return [...byNamespace].map(([namespace, types]) => ({
    namespace,
    resourceTypes: [...types].map((resourceType) => ({ resourceType, locations: [...locations] })),
  }));
}

function dependenciesOf(planned: readonly PlannedResource[]): Json[] {
  const view = ({ id, type, name }: PlannedResource) => ({ id, resourceType: type, resourceName: name });
  return planned
    .filter(({ dependsOn }) => dependsOn.length > 0)
    .map((one) => ({
      dependsOn: planned.filter(({ id }) => one.dependsOn.includes(id.toLowerCase())).map(view),
      ...view(one),
    }));
}
