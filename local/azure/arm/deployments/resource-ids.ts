import { TemplateError } from "./template-error";

/** Where a deployment lands: a subscription, or a group in it. */
export interface DeploymentTarget {
  readonly subscriptionId: string;
  readonly group: string | undefined;
}

export const scopeOf = ({ subscriptionId, group }: DeploymentTarget): string =>
  `/subscriptions/${subscriptionId}${group === undefined ? "" : `/resourceGroups/${group}`}`;

const isGroupType = (type: string): boolean => /^microsoft\.resources\/(subscriptions\/)?resourcegroups$/i.test(type);

/** `Microsoft.Network/virtualNetworks/subnets` and `vnet/subnet` at a scope; groups have a path of their own. */
export function resourceIdOf(scope: string, type: string, name: string): string {
  const [namespace = "", ...types] = type.split("/");
  const names = name.split("/");
  if (types.length === 0 || types.length !== names.length)
    throw new TemplateError(
      `The template resource '${name}' of type '${type}' has incorrect segment lengths. A nested resource type must have identical number of segments as its resource name. A root resource type must have segment length one greater than its resource name. Please see https://aka.ms/arm-syntax-resources for usage details.`,
    );
  if (isGroupType(type))
    return `${/^\/subscriptions\/[^/]+/i.exec(scope)?.[0] ?? ""}/resourceGroups/${names.at(-1) ?? ""}`;
  const path = types.map((one, index) => `${one}/${names[index] ?? ""}`).join("/");
  return `${scope === "/" ? "" : scope}/providers/${namespace}/${path}`;
}

export interface IdParts {
  readonly type: string;
  readonly name: string;
}

/** Type and name in an id: those behind the last provider. */
export function partsOf(id: string): IdParts {
  const group = /^\/subscriptions\/[^/]+\/resourceGroups\/([^/]+)$/i.exec(id);
  if (group) return { type: "Microsoft.Resources/resourceGroups", name: group[1] ?? "" };
  const at = id.toLowerCase().lastIndexOf("/providers/");
  const [namespace = "", ...rest] = id.slice(at + "/providers/".length).split("/");
  const types = rest.filter((_, index) => index % 2 === 0);
  return { type: [namespace, ...types].join("/"), name: rest.filter((_, index) => index % 2 === 1).join("/") };
}
