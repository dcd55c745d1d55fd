import { z } from "zod";
import { parentNotFound, subnetInUse } from "../arm-errors";
import type { CloudWorld } from "../cloud-world";
import { pageById } from "../paging";
import { parseBody } from "../parse-body";
import { requirePreconditions } from "../preconditions";
import { newResource, requireGroup, requireResource, typeAndNames } from "../resource-access";
import { type ArmReply, type ArmRequest, type ArmRoute, itemRoute, listRoute } from "../route";
import { type JsonObject, newEtag, propertiesOf, type StoredResource } from "../resource-store";

export const NIC = "Microsoft.Network/networkInterfaces";
const SUBNET = "Microsoft.Network/virtualNetworks/subnets";

export function subnetsOf(world: CloudWorld, network: StoredResource): StoredResource[] {
  const prefix = `${network.id}/subnets/`.toLowerCase();
  return world.resources.ofType(SUBNET).filter(({ id }) => id.toLowerCase().startsWith(prefix));
}

export function putSubnet(
  world: CloudWorld,
  network: StoredResource,
  { name, properties }: { name: string; properties: JsonObject },
): StoredResource {
  const id = `${network.id}/subnets/${name}`;
  const body = {
    etag: newEtag(),
    properties: {
      delegations: [],
      privateEndpointNetworkPolicies: "Disabled",
      privateLinkServiceNetworkPolicies: "Enabled",
      ...properties,
      provisioningState: "Succeeded",
    },
  };
  return world.resources.put(
    newResource({ id, type: SUBNET, group: network.group, subscriptionId: network.subscriptionId }, body),
  );
}

const SubnetBody = z.looseObject({ properties: z.looseObject({}).optional() });

export function createSubnetRoutes(world: CloudWorld): ArmRoute[] {
  const at = ["group", SUBNET] as const;
  return [
    itemRoute("PUT", at, (request) => {
      const network = parentOf(world, request);
      const known = world.resources.get(request.path.id);
      requirePreconditions(request, known);
      const { properties = {} } = parseBody(SubnetBody, request.body);
      const subnet = putSubnet(world, network, { name: request.path.names[1] ?? "", properties });
      renewNetwork(world, network);
      return { status: known ? 200 : 201, body: subnet.body, headers: etagOf(subnet) };
    }),
    itemRoute("GET", at, (request) => {
      const subnet = requireResource(world, request);
      return { status: 200, body: subnet.body, headers: etagOf(subnet) };
    }),
    itemRoute("DELETE", at, (request) => removeSubnet(world, request)),
    listRoute(at, (request) =>
      pageById(world, request, { rows: subnetsOf(world, parentOf(world, request)), view: ({ body }) => body }),
    ),
  ];
}

const etagOf = ({ body }: StoredResource) => ({ ETag: String(body["etag"]) });

/** A network shows its subnets: with one of them it changes too. */
function renewNetwork(world: CloudWorld, network: StoredResource): void {
  world.resources.change(network.id, { body: { etag: newEtag() } });
}

function parentOf(world: CloudWorld, request: ArmRequest): StoredResource {
  requireGroup(world, request);
  const network = world.resources.get(request.path.id.replace(/\/subnets\/[^/]+$/i, ""));
  if (network) return network;
  throw parentNotFound(typeAndNames(request).replace(/\/subnets\/[^/]+$/i, ""));
}

function removeSubnet(world: CloudWorld, request: ArmRequest): ArmReply {
  requireGroup(world, request);
  const known = world.resources.get(request.path.id);
  if (!known) return { status: 204 };
  requirePreconditions(request, known);
  requireUnused(world, known);
  world.resources.delete(known.id);
  renewNetwork(world, parentOf(world, request));
  world.access.forgetScope(known.id);
  return { status: 200 };
}

/** A subnet with network interfaces in it cannot be deleted. */
export function requireUnused(world: CloudWorld, subnet: StoredResource): void {
  const user = world.resources
    .ofType(NIC)
    .find((nic) => JSON.stringify(propertiesOf(nic)).toLowerCase().includes(`"${subnet.id.toLowerCase()}"`));
  if (user) throw subnetInUse(subnet.id, `${user.id}/ipConfigurations/ipconfig1`);
}
