import { locationNotAvailable } from "../arm-errors";
import type { CloudWorld } from "../cloud-world";
import { pageById } from "../paging";
import { requireGroup, requireResource } from "../resource-access";
import { actionRoute, type ArmReply, type ArmRequest, type ArmRoute, itemRoute, listRoute } from "../route";
import { isSame, locationName, type StoredResource } from "../resource-store";
import { skuRows } from "./sku-rows";
import { actOnVm, deleteVm, simulateEviction } from "./vm-actions";
import { VM_TYPE } from "./vm-record";
import { instanceViewOf, vmReply, vmStatusView, vmView } from "./vm-view";
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
      body: { value: skuRows(world, { filter: request.query.get("$filter") }) },
    })),
  ];
}

function getVm(world: CloudWorld, request: ArmRequest): ArmReply {
  const vm = requireResource(world, request);
  const expand = (request.query.get("$expand") ?? "").toLowerCase();
  return vmReply(200, vm, { withInstanceView: expand.includes("instanceview") });
}

function listOfGroup(world: CloudWorld, request: ArmRequest): ArmReply {
  const group = requireGroup(world, request);
  const vms = world.resources
    .ofType(VM_TYPE)
    .filter((vm) => isSame(vm.group, group.name) && isSame(vm.subscriptionId, group.subscriptionId));
  return pageOfVms(world, request, vms);
}

function listOfSubscription(world: CloudWorld, request: ArmRequest): ArmReply {
  const vms = world.resources
    .ofType(VM_TYPE)
    .filter((vm) => isSame(vm.subscriptionId, request.path.subscriptionId ?? ""));
  return pageOfVms(world, request, vms);
}

function pageOfVms(world: CloudWorld, request: ArmRequest, rows: readonly StoredResource[]): ArmReply {
  const isStatusOnly = request.path.level === "subscription" && request.query.get("statusOnly") === "true";
  const withInstanceView = (request.query.get("$expand") ?? "").toLowerCase().includes("instanceview");
  const view = (vm: StoredResource) => (isStatusOnly ? vmStatusView(vm) : vmView(vm, { withInstanceView }));
  return pageById(world, request, { rows, view, size: PAGE_SIZE });
}

/** The longest page of VMs that was seen; Azure's are of any length. */
const PAGE_SIZE = 500;

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
