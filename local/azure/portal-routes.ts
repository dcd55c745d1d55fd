import { z } from "zod";
import type { CloudWorld } from "./arm/cloud-world";
import { beginEviction } from "./arm/compute/vm-eviction";
import { isSpot, powerOf, vmProperties, VM_TYPE } from "./arm/compute/vm-record";
import { findVmSize } from "./arm/compute/vm-sizes";
import { isSame, propertiesOf, type StoredResource } from "./arm/resource-store";
import type { ArmRoute } from "./arm/route";
import type { WireHandler, WireReply } from "./http/wire";
import { actAsPerson, deleteVmByHand } from "./portal/person-routes";
import { answerPolicies } from "./portal/policy-routes";
import { refuse, withBody } from "./portal/portal-body";

export interface PortalOptions {
  readonly world: CloudWorld;
  readonly routes: readonly ArmRoute[];
  readonly armUrl: () => string;
  readonly calls: () => Readonly<Record<string, number>>;
}

const Quota = z.strictObject({ location: z.string().optional(), name: z.string(), limit: z.number().int().min(0) });
const Size = z.strictObject({
  available: z.boolean(),
  location: z.string().optional(),
  /** Zones of the location in which the subscription may not use the size. */
  restrictedZones: z.array(z.enum(["1", "2", "3"])).optional(),
});
const Latency = z.strictObject({ multiplier: z.number().min(0) });

/** What is done to the simulated cloud from outside: quotas, sold out sizes, an eviction, deny policies, and the hand of a person. */
export function createPortalRoutes({ world, routes, armUrl, calls }: PortalOptions): WireHandler {
  return (request) => {
    const [, ...segments] = request.path.split("/").map(decoded);
    const [first = "", name = "", action = ""] = segments;
    switch (`${request.method} /${first}${name && "/*"}${action && `/${action}`}`) {
      case "PUT /quota":
        return Promise.resolve(withBody(request, Quota, (body) => setQuota(world, body)));
      case "PUT /sizes/*":
        return Promise.resolve(withBody(request, Size, (body) => setSize(world, name, body)));
      case "PUT /latency":
        return Promise.resolve(
          withBody(request, Latency, ({ multiplier }) => {
            world.capacity.latencyMultiplier = multiplier;
            return { status: 204 };
          }),
        );
      case "POST /vms/*/evict":
        return evictByHand(world, name);
      case "DELETE /vms/*":
        return deleteVmByHand({ world, armUrl }, name);
      case "POST /person/*":
        return actAsPerson({ world, armUrl }, request, name);
      case "GET /policies":
      case "PUT /policies/*":
      case "DELETE /policies/*":
        return Promise.resolve(answerPolicies(world, request, name));
      case "GET /routes":
        return Promise.resolve({ status: 200, body: { value: routes.map(routeRow) } });
      case "GET /inventory":
        return Promise.resolve({ status: 200, body: { value: world.resources.all().map((one) => inventoryRow(one)) } });
      case "GET /calls":
        return Promise.resolve({ status: 200, body: calls() });
      default:
        return Promise.resolve(
          refuse(404, { code: "NotFound", message: `The portal has no ${request.method} ${request.path}.` }),
        );
    }
  };
}

/** What ARM can be asked, by the names that the fault plan and the counters use. */
const routeRow = ({ method, level, type, isItem, action }: ArmRoute): object => ({
  operation: `${method} ${type}`,
  method,
  level,
  type,
  isItem,
  ...(action ? { action } : {}),
});

/** As it stands where it is no percent-encoding: then nothing has that name. */
function decoded(segment: string): string {
  try {
    return decodeURIComponent(segment);
  } catch {
    return segment;
  }
}

function setQuota(world: CloudWorld, body: z.infer<typeof Quota>): WireReply {
  if (!world.capacity.isQuota(body.name))
    return refuse(400, { code: "UnknownQuota", message: `There is no quota '${body.name}'.`, target: "name" });
  world.capacity.setLimit(body);
  return { status: 204 };
}

function setSize(
  world: CloudWorld,
  size: string,
  { available, location, restrictedZones }: z.infer<typeof Size>,
): WireReply {
  if (!findVmSize(size)) return refuse(404, { code: "UnknownSize", message: `There is no VM size '${size}'.` });
  if (restrictedZones && location === undefined)
    return refuse(400, { code: "InvalidField", message: "Zones are those of a location.", target: "location" });
  if (restrictedZones && location !== undefined) world.capacity.restrictZones(size, location, restrictedZones);
  world.capacity.setAvailable(size, { location, isAvailable: available });
  return { status: 204 };
}

const findVm = (world: CloudWorld, name: string): StoredResource | undefined =>
  world.resources.ofType(VM_TYPE).find((vm) => isSame(vm.name, name));

const noVm = (name: string): WireReply => refuse(404, { code: "NotFound", message: `There is no VM '${name}'.` });

async function evictByHand(world: CloudWorld, name: string): Promise<WireReply> {
  const vm = findVm(world, name);
  if (!vm) return noVm(name);
  if (!isSpot(vm)) return refuse(409, { code: "NotSpot", message: `The VM '${name}' is no spot VM.` });
  await beginEviction(world, vm);
  return { status: 204 };
}

function inventoryRow(resource: StoredResource): object {
  return {
    id: resource.id,
    name: resource.name,
    type: resource.type,
    group: resource.group,
    location: resource.body["location"],
    tags: resource.body["tags"] ?? {},
    provisioningState: propertiesOf(resource)["provisioningState"],
    ...(resource.type === VM_TYPE
      ? {
          powerState: powerOf(resource),
          vmSize: vmProperties(resource).hardwareProfile.vmSize,
          priority: propertiesOf(resource)["priority"] ?? "Regular",
        }
      : {}),
  };
}
