import { z } from "zod";
import { invalidReference, nicInUse } from "../arm-errors";
import type { CloudWorld } from "../cloud-world";
import { userOf } from "../compute/vm-references";
import { parseBody } from "../parse-body";
import { isSame, type JsonObject, propertiesOf } from "../resource-store";
import type { SimpleType, SimpleWrite } from "../simple-resource";
import { NIC, putSubnet, requireUnused, subnetsOf } from "./subnets";

const NetworkProperties = z.looseObject({
  addressSpace: z.looseObject({ addressPrefixes: z.array(z.string()).min(1) }),
  subnets: z.array(z.looseObject({ name: z.string(), properties: z.looseObject({}).optional() })).optional(),
});

export function virtualNetworkType(world: CloudWorld): SimpleType {
  return {
    type: "Microsoft.Network/virtualNetworks",
    deletes: "later",
    properties: ({ body }) => {
      const { subnets: _stored, ...properties } = parseBody(NetworkProperties, body.properties ?? {});
      return { virtualNetworkPeerings: [], enableDdosProtection: false, ...properties, provisioningState: "Succeeded" };
    },
    afterPut: (network, body) => {
      const given = parseBody(NetworkProperties, body.properties ?? {}).subnets;
      if (!given) return;
      for (const known of subnetsOf(world, network)) {
        if (given.some(({ name }) => isSame(name, known.name))) continue;
        requireUnused(world, known);
        world.resources.delete(known.id);
      }
      for (const { name, properties } of given) putSubnet(world, network, { name, properties: properties ?? {} });
    },
    checkDelete: (network) => {
      for (const subnet of subnetsOf(world, network)) requireUnused(world, subnet);
    },
    afterDelete: (network) => {
      for (const subnet of subnetsOf(world, network)) world.resources.delete(subnet.id);
    },
    view: (network): JsonObject => ({
      ...network.body,
      properties: { ...propertiesOf(network), subnets: subnetsOf(world, network).map(({ body }) => body) },
    }),
  };
}

const NicProperties = z.looseObject({
  ipConfigurations: z
    .array(
      z.looseObject({
        name: z.string(),
        properties: z.looseObject({ subnet: z.looseObject({ id: z.string() }).optional() }).optional(),
      }),
    )
    .min(1),
});

export function networkInterfaceType(world: CloudWorld): SimpleType {
  return {
    type: NIC,
    deletes: "later",
    properties: (write) => nicProperties(world, write),
    checkDelete: (nic) => {
      const user = userOf(nic);
      if (user !== undefined) throw nicInUse(nic.id, user);
    },
  };
}

function nicProperties(world: CloudWorld, { id, body, known }: SimpleWrite): JsonObject {
  const given = parseBody(NicProperties, body.properties ?? {});
  const ipConfigurations = given.ipConfigurations.map((one) => {
    const subnetId = one.properties?.subnet?.id;
    if (subnetId !== undefined && !world.resources.get(subnetId)) throw invalidReference(subnetId, id);
    return {
      ...one,
      id: `${id}/ipConfigurations/${one.name}`,
      properties: { ...one.properties, provisioningState: "Succeeded", privateIPAllocationMethod: "Dynamic" },
    };
  });
  const user = known && userOf(known);
  return {
    ...given,
    ipConfigurations,
    ...(user ? { virtualMachine: { id: user } } : {}),
    provisioningState: "Succeeded",
  };
}
