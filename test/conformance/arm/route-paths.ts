import type { VirtualMachine } from "@azure/arm-compute";
import { type AzureFixture, GROUP_ID, SUBNET_ID, SUBSCRIPTION } from "../../local/azure/azure-fixture";

/** A row of the portal's `GET /routes`. */
export interface RouteRow {
  readonly operation: string;
  readonly method: "GET" | "HEAD" | "PUT" | "PATCH" | "POST" | "DELETE";
  readonly level: "tenant" | "subscription" | "group" | "resource" | "any";
  readonly type: string;
  readonly isItem: boolean;
}

export async function routesOf({ azure }: AzureFixture): Promise<readonly RouteRow[]> {
  const reply = await fetch(`${azure.portalUrl}/routes`);
  return ((await reply.json()) as { value: RouteRow[] }).value;
}

const SCOPES = {
  tenant: "",
  subscription: `/subscriptions/${SUBSCRIPTION}`,
  group: GROUP_ID,
  resource: SUBNET_ID,
  any: GROUP_ID,
} as const;

/** A path that leads to a route, with names for whatever has none yet. */
export function pathTo({ level, type, isItem }: RouteRow, nameAt: (index: number) => string): string {
  const [namespace = "", ...types] = type.split("/");
  // The paths without a provider: subscriptions, groups, and what is listed below them.
  const isPlain = namespace === "Microsoft.Resources" && /^(subscriptions|tenants)$/.test(types[0] ?? "");
  const named = types.map((one, index) => {
    if (index === types.length - 1 && !isItem) return one;
    return `${one}/${isPlain && one === "subscriptions" ? SUBSCRIPTION : nameAt(index)}`;
  });
  return isPlain ? `/${named.join("/")}` : `${SCOPES[level]}/providers/${namespace}/${named.join("/")}`;
}

/** As the client writes it: what its model has at the top stands below `properties` on the wire. */
export function wireVm({ location, tags, identity, ...properties }: VirtualMachine): object {
  const { networkProfile } = properties;
  const configurations = networkProfile?.networkInterfaceConfigurations?.map(
    ({ name, tags: own, ipConfigurations, ...more }) => ({
      name,
      ...(own ? { tags: own } : {}),
      properties: {
        ...more,
        ipConfigurations: ipConfigurations?.map((one) => ({ name: one.name, properties: { subnet: one.subnet } })),
      },
    }),
  );
  return {
    location,
    ...(tags ? { tags } : {}),
    ...(identity ? { identity } : {}),
    properties: {
      ...properties,
      networkProfile: { ...networkProfile, networkInterfaceConfigurations: configurations },
    },
  };
}
