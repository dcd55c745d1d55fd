import { locationNotAvailable } from "../arm-errors";
import type { CloudWorld } from "../cloud-world";
import { requireGroup, requireResource } from "../resource-access";
import { actionRoute, type ArmReply, type ArmRequest, type ArmRoute, itemRoute, listRoute } from "../route";
import { isSame, locationName, type StoredResource } from "../resource-store";
import { skuRows } from "./sku-rows";
import { actOnVm, deleteVm, simulateEviction } from "./vm-actions";
import { VM_TYPE } from "./vm-record";
import { instanceViewOf, vmStatusView, vmView } from "./vm-view";
import { patchVm, putVm } from "./vm-write";

const VM = ["group", VM_TYPE] as const;
const sub = (type: string) => ["group", `${VM_TYPE}/${type}`] as const;

export function createComputeRoutes(world: CloudWorld): ArmRoute[] {
  return [
    itemRoute("PUT", VM, (request) => putVm(world, request)),
    itemRoute("PATCH", VM, (request) => patchVm(world, request)),
    itemRoute("GET", VM, (request) => getVm(world, request)),
    itemRoute("HEAD", VM, (request) => ({ status: requireResource(world, request).id ? 204 : 404 })),
    itemRoute("DELETE", VM, (request) => deleteVm(world, request)),
    listRoute(VM, (request) => listOfGroup(world, request)),
    listRoute(["subscription", VM_TYPE], (request) => listOfSubscription(world, request)),
    {
      ...listRoute(sub("instanceView"), (request) => ({
        status: 200,
        body: instanceViewOf(requireResource(world, request)),
      })),
      action: `${VM_TYPE}/instanceView/read`,
    },
    ...(["deallocate", "start", "powerOff", "restart"] as const).map((name) =>
      actionRoute(sub(name), (request) => actOnVm(world, request, name)),
    ),
    actionRoute(sub("simulateEviction"), (request) => simulateEviction(world, request)),
    listRoute(["subscription", "Microsoft.Compute/locations/usages"], (request) => usages(world, request)),
    listRoute(["subscription", "Microsoft.Compute/skus"], (request) => ({
      status: 200,
      body: { value: skuRows(world, request.query.get("$filter")) },
    })),
  ];
}

function getVm(world: CloudWorld, request: ArmRequest): ArmReply {
  const vm = requireResource(world, request);
  const expand = (request.query.get("$expand") ?? "").toLowerCase();
  return {
    status: 200,
    body: vmView(vm, { withInstanceView: expand.includes("instanceview") }),
    headers: { ETag: String(vm.body["etag"]) },
  };
}

function listOfGroup(world: CloudWorld, request: ArmRequest): ArmReply {
  const group = requireGroup(world, request);
  const vms = world.resources
    .ofType(VM_TYPE)
    .filter((vm) => isSame(vm.group, group.name) && isSame(vm.subscriptionId, group.subscriptionId));
  return page(request, vms, (vm) => vmView(vm, { withInstanceView: wantsInstanceView(request) }));
}

function listOfSubscription(world: CloudWorld, request: ArmRequest): ArmReply {
  const vms = world.resources
    .ofType(VM_TYPE)
    .filter((vm) => isSame(vm.subscriptionId, request.path.subscriptionId ?? ""));
  const isStatusOnly = request.query.get("statusOnly") === "true";
  return page(request, vms, (vm) =>
    isStatusOnly ? vmStatusView(vm) : vmView(vm, { withInstanceView: wantsInstanceView(request) }),
  );
}

const wantsInstanceView = ({ query }: ArmRequest): boolean =>
  (query.get("$expand") ?? "").toLowerCase().includes("instanceview");

const PAGE_SIZE = 500;

/** Pages as Azure cuts them: a `nextLink` while there is more. The token is the last id, so that pages stay right while VMs come and go. */
function page(request: ArmRequest, vms: readonly StoredResource[], view: (vm: StoredResource) => object): ArmReply {
  const sorted = vms.toSorted((left, right) => (left.id.toLowerCase() < right.id.toLowerCase() ? -1 : 1));
  const after = request.query.get("$skiptoken") ?? "";
  const rest = sorted.filter(({ id }) => id.toLowerCase() > after);
  const shown = rest.slice(0, PAGE_SIZE);
  const last = shown.at(-1);
  if (!last || rest.length <= PAGE_SIZE) return { status: 200, body: { value: shown.map(view) } };
  const query = new URLSearchParams(request.query);
  query.set("$skiptoken", last.id.toLowerCase());
  const nextLink = `https://${request.headers.host ?? "localhost"}${request.path.scope}/providers/${VM_TYPE}?${query.toString()}`;
  return { status: 200, body: { value: shown.map(view), nextLink } };
}

function usages(world: CloudWorld, { path }: ArmRequest): ArmReply {
  const given = path.names[0] ?? "";
  const location = locationName(given);
  if (!world.locations.includes(location)) throw locationNotAvailable(given, "locations/usages", world.locations);
  const rows = world.capacity.usages({ subscriptionId: path.subscriptionId ?? "", location });
  const value = rows.map(({ name, localizedName, limit, used }) => ({
    limit,
    unit: "Count",
    currentValue: used,
    name: { value: name, localizedValue: localizedName },
  }));
  return { status: 200, body: { value } };
}
