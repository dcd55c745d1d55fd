import { z } from "zod";
import { type ArmErrorBody } from "./arm/arm-error";
import type { CloudWorld } from "./arm/cloud-world";
import { beginDelete } from "./arm/compute/vm-actions";
import { beginEviction } from "./arm/compute/vm-eviction";
import { isSpot, powerOf, vmProperties, VM_TYPE } from "./arm/compute/vm-record";
import { findVmSize } from "./arm/compute/vm-sizes";
import { isSame, propertiesOf, type StoredResource } from "./arm/resource-store";
import { parseJsonBody, type WireHandler, type WireReply, type WireRequest } from "./http/wire";

export interface PortalOptions {
  readonly world: CloudWorld;
  readonly calls: () => Readonly<Record<string, number>>;
}

const Quota = z.strictObject({ location: z.string().optional(), name: z.string(), limit: z.number().int().min(0) });
const Size = z.strictObject({ available: z.boolean(), location: z.string().optional() });
const Latency = z.strictObject({ multiplier: z.number().min(0) });

/** What a person does to the simulated cloud from outside: quotas, sold out sizes, an eviction, a VM deleted by hand. */
export function createPortalRoutes({ world, calls }: PortalOptions): WireHandler {
  return (request) => {
    const [, ...segments] = request.path.split("/");
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
        return Promise.resolve(deleteByHand(world, name));
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

const refuse = (status: number, error: ArmErrorBody): WireReply => ({ status, body: { error } });

function withBody<Schema extends z.ZodType>(
  request: WireRequest,
  schema: Schema,
  act: (body: z.infer<Schema>) => WireReply,
): WireReply {
  const json = parseJsonBody(request.body);
  if (!json.ok) return refuse(400, { code: "MalformedBody", message: json.reason });
  const parsed = schema.safeParse(json.value);
  if (parsed.success) return act(parsed.data);
  const issue = parsed.error.issues[0];
  const field = issue?.code === "unrecognized_keys" ? issue.keys[0] : issue?.path.map(String).join(".");
  return refuse(400, { code: "InvalidField", message: issue?.message ?? "The body is invalid.", target: field });
}

function setQuota(world: CloudWorld, body: z.infer<typeof Quota>): WireReply {
  if (!world.capacity.isQuota(body.name))
    return refuse(400, { code: "UnknownQuota", message: `There is no quota '${body.name}'.`, target: "name" });
  world.capacity.setLimit(body);
  return { status: 204 };
}

function setSize(world: CloudWorld, size: string, { available, location }: z.infer<typeof Size>): WireReply {
  if (!findVmSize(size)) return refuse(404, { code: "UnknownSize", message: `There is no VM size '${size}'.` });
  world.capacity.setAvailable(size, { location, isAvailable: available });
  return { status: 204 };
}

const findVm = (world: CloudWorld, name: string): StoredResource | undefined =>
  world.resources.ofType(VM_TYPE).find((vm) => isSame(vm.name, decodeURIComponent(name)));

const noVm = (name: string): WireReply => refuse(404, { code: "NotFound", message: `There is no VM '${name}'.` });

async function evictByHand(world: CloudWorld, name: string): Promise<WireReply> {
  const vm = findVm(world, name);
  if (!vm) return noVm(name);
  if (!isSpot(vm)) return refuse(409, { code: "NotSpot", message: `The VM '${name}' is no spot VM.` });
  await beginEviction(world, vm);
  return { status: 204 };
}

/** As if a person had pressed Delete: the same deletion, and an event that names somebody else as its cause. */
function deleteByHand(world: CloudWorld, name: string): WireReply {
  const vm = findVm(world, name);
  if (!vm) return noVm(name);
  const operation = beginDelete(world, vm, `DELETE ${VM_TYPE}`);
  world.operations.attachEvent(operation, {
    resourceId: vm.id,
    action: `${VM_TYPE}/delete`,
    kind: "Delete",
    subscriptionId: vm.subscriptionId,
    tenantId: world.directory.tenantId,
    correlationId: operation.id,
    claims: {
      oid: "00000000-0000-0000-0000-00000000beef",
      tid: world.directory.tenantId,
      aud: "https://management.core.windows.net/",
      ver: "1.0",
    },
    evidence: { role: "Owner", principalType: "User" },
    httpRequest: {
      clientRequestId: operation.id,
      clientIpAddress: "127.0.0.1",
      method: "DELETE",
      url: `https://management.azure.com${vm.id}`,
    },
  });
  return { status: 202 };
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
