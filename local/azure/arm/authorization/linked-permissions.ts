import { z } from "zod";
import type { ArmRequest } from "../route";
import type { LinkedPermission } from "./authorize";

const NETWORK = "Microsoft.Network";
const Reference = z.object({ id: z.string() });
const reference = Reference.nullish().catch(undefined);

const Subnet = z.object({ networkSecurityGroup: reference, natGateway: reference, routeTable: reference });

const Body = z.object({
  identity: z
    .object({ userAssignedIdentities: z.record(z.string(), z.unknown()).nullish() })
    .nullish()
    .catch(undefined),
  properties: z
    .object({
      networkSecurityGroup: reference,
      natGateway: reference,
      routeTable: reference,
      ipConfigurations: z
        .array(z.object({ properties: z.object({ subnet: reference, publicIPAddress: reference }).nullish() }))
        .nullish()
        .catch(undefined),
      subnets: z
        .array(z.object({ properties: Subnet.nullish() }))
        .nullish()
        .catch(undefined),
      creationData: z
        .object({ galleryImageReference: reference, imageReference: reference })
        .nullish()
        .catch(undefined),
    })
    .nullish()
    .catch(undefined),
});

const JOINS = {
  networkSecurityGroup: `${NETWORK}/networkSecurityGroups/join/action`,
  natGateway: `${NETWORK}/natGateways/join/action`,
  routeTable: `${NETWORK}/routeTables/join/action`,
} as const;

type JoinName = keyof typeof JOINS;

/**
 * The permissions that a write needs on what it refers to; those of VMs are with the VMs.
 * https://learn.microsoft.com/azure/role-based-access-control/permissions/networking lists the join actions.
 */
export function linkedPermissionsOf({ method, path, body }: ArmRequest): LinkedPermission[] {
  if ((method !== "PUT" && method !== "PATCH") || path.type.toLowerCase() === "microsoft.compute/virtualmachines")
    return [];
  const parsed = Body.safeParse(body);
  if (!parsed.success) return [];
  const { identity, properties } = parsed.data;
  const identities = Object.entries(identity?.userAssignedIdentities ?? {}).flatMap(([scope, value]) =>
    value === null ? [] : [{ action: "Microsoft.ManagedIdentity/userAssignedIdentities/assign/action", scope }],
  );
  return [...identities, ...ofProperties(path.type.toLowerCase(), properties)];
}

function ofProperties(type: string, properties: z.infer<typeof Body>["properties"]): LinkedPermission[] {
  if (!properties) return [];
  switch (type) {
    case "microsoft.network/networkinterfaces":
      return [
        ...(properties.ipConfigurations ?? []).flatMap(({ properties: one }) => [
          ...at(`${NETWORK}/virtualNetworks/subnets/join/action`, one?.subnet?.id),
          ...at(`${NETWORK}/publicIPAddresses/join/action`, one?.publicIPAddress?.id),
        ]),
        ...at(JOINS.networkSecurityGroup, properties.networkSecurityGroup?.id),
      ];
    case "microsoft.network/virtualnetworks":
      return (properties.subnets ?? []).flatMap(({ properties: one }) => (one ? joins(one) : []));
    case "microsoft.network/virtualnetworks/subnets":
      return joins(properties);
    case "microsoft.compute/disks":
      return [
        ...at("Microsoft.Compute/galleries/images/versions/read", properties.creationData?.galleryImageReference?.id),
        ...at("Microsoft.Compute/images/read", customImage(properties.creationData?.imageReference?.id)),
      ];
    default:
      return [];
  }
}

/** Images of the marketplace, below `/subscriptions/…/providers/Microsoft.Compute/locations`, are everybody's. */
const customImage = (id: string | undefined): string | undefined => (id && /\/images\//i.test(id) ? id : undefined);

const joins = (given: Partial<Record<JoinName, z.infer<typeof reference>>>): LinkedPermission[] =>
  (Object.keys(JOINS) as JoinName[]).flatMap((name) => at(JOINS[name], given[name]?.id));

const at = (action: string, scope: string | undefined): LinkedPermission[] => (scope ? [{ action, scope }] : []);
