import { conflict, markedForDeletion, propertyChangeNotAllowed } from "../arm-errors";
import type { CloudWorld } from "../cloud-world";
import type { Operation } from "../operations";
import { requirePreconditions } from "../preconditions";
import { operationOn, requireGroup, requireLocation, requireResource } from "../resource-access";
import type { ArmReply, ArmRequest } from "../route";
import { isSame, type JsonObject, propertiesOf, type StoredResource } from "../resource-store";
import { buildIdentity, buildVm } from "./vm-body";
import { VM_TYPE, vmHidden, type VmProperties, vmProperties } from "./vm-record";
import { authorizeReferences, requireIdentities, requireReferences, requireSize } from "./vm-references";
import { checkCreate, parseVmPatch, parseVmRequest, type VmPatch, type VmRequest } from "./vm-request";
import { vmReply } from "./vm-view";

/** PUT: makes a VM with what it declares inline, or updates the one that is there. */
export function putVm(world: CloudWorld, request: ArmRequest): ArmReply {
  const given = parseVmRequest(request.body);
  const known = world.resources.get(request.path.id);
  requireGroup(world, request);
  authorizeReferences(world, request, given);
  requirePreconditions(request, known);
  if (known) return updateVm(world, { request, given, known });
  return createVm(world, request, given);
}

function createVm(world: CloudWorld, request: ArmRequest, given: VmRequest): ArmReply {
  const { id, group = "", subscriptionId = "" } = request.path;
  const location = requireLocation(world, { given: given.location, type: VM_TYPE });
  checkCreate(given);
  requireReferences(world, { vmId: id, location, vm: given });
  requireSize(world, { vm: given, subscriptionId, location });
  const { vm, parts } = buildVm(world, { id, group, subscriptionId, location, request: given });
  for (const part of parts) world.resources.put(part);
  adoptNics(world, vm);
  const stored = world.resources.put(vm);
  const operation = world.operations.begin({
    ...operationOn(stored, request.label),
    kind: "createVm",
    latencyMs: world.latencies.drawMs("createVm"),
  });
  return { ...vmReply(201, stored), operation };
}

function adoptNics(world: CloudWorld, vm: StoredResource): void {
  for (const { id } of vmProperties(vm).networkProfile?.networkInterfaces ?? [])
    world.resources.changeProperties(id, { virtualMachine: { id: vm.id } });
}

interface Update {
  readonly request: ArmRequest;
  readonly given: VmRequest;
  readonly known: StoredResource;
}

function updateVm(world: CloudWorld, { request, given, known }: Update): ArmReply {
  refuseWhileDeleting(world, known, "Create Or Update VM");
  requireLocation(world, { given: given.location, type: VM_TYPE, known });
  checkUnchanged(given, known);
  const current = world.operations.currentOf(known.id);
  // The same PUT again while the first is under way joins it; that is how a client that lost the answer goes on.
  if (current?.kind === "createVm") return { ...vmReply(200, known), operation: current };
  if (current) throw conflict();
  return applyUpdate(world, { request, known, change: given });
}

/** PATCH: tags and identity; anything else only as it already is. */
export function patchVm(world: CloudWorld, request: ArmRequest): ArmReply {
  const known = requireResource(world, request);
  const given = parseVmPatch(request.body);
  authorizeReferences(world, request, given);
  requirePreconditions(request, known);
  refuseWhileDeleting(world, known, "Update VM");
  checkUnchanged(given, known);
  if (world.operations.currentOf(known.id)) throw conflict();
  return applyUpdate(world, { request, known, change: given });
}

function applyUpdate(
  world: CloudWorld,
  { request, known, change }: { request: ArmRequest; known: StoredResource; change: VmPatch },
): ArmReply {
  requireIdentities(world, known.id, change);
  const size = change.properties?.hardwareProfile?.vmSize;
  const location = String(known.body["location"]);
  const isResize = size !== undefined && !isSame(size, vmProperties(known).hardwareProfile.vmSize);
  if (isResize) requireSize(world, { vm: change, subscriptionId: known.subscriptionId, location, instead: known });
  const identity = change.identity && { identity: buildIdentity(world, { vmId: known.id, request: change }) };
  if (identity && !identity.identity?.["principalId"]) world.directory.removeManagedIdentity(known.id);
  const properties = {
    ...propertiesOf(known),
    provisioningState: "Updating",
    ...(isResize ? { hardwareProfile: { vmSize: size } } : {}),
  };
  const body: JsonObject = { ...(change.tags ? { tags: change.tags } : {}), ...identity, properties };
  const stored = world.resources.change(known.id, { body }) ?? known;
  const operation: Operation = world.operations.begin({
    ...operationOn(stored, request.label),
    kind: "updateVm",
    latencyMs: world.latencies.drawMs("updateVm"),
    ...(isResize ? { input: { restart: "true" } } : {}),
  });
  return { ...vmReply(200, stored), operation };
}

function refuseWhileDeleting(world: CloudWorld, vm: StoredResource, operationName: string): void {
  if (world.operations.currentOf(vm.id)?.kind === "deleteVm") throw markedForDeletion(operationName, vm.name);
}

type Scalar = string | number | boolean | undefined;

/** What Azure lets nobody change on a VM that exists. A member that is left out is no change. */
function checkUnchanged(given: VmPatch, known: StoredResource): void {
  const now = vmProperties(known);
  const wanted = given.properties;
  const os = now.storageProfile?.osDisk;
  const pairs: readonly (readonly [string, Scalar, Scalar])[] = [
    ["osProfile.customData", wanted?.osProfile?.customData, vmHidden(known).customData],
    ["osProfile.computerName", wanted?.osProfile?.computerName, scalar(now.osProfile?.["computerName"])],
    ["osProfile.adminUsername", wanted?.osProfile?.adminUsername, scalar(now.osProfile?.["adminUsername"])],
    ["osDisk.name", wanted?.storageProfile?.osDisk?.name, scalar(os?.["name"])],
    ["osDisk.createOption", wanted?.storageProfile?.osDisk?.createOption, scalar(os?.["createOption"])],
    ["priority", wanted?.priority === "Low" ? "Spot" : wanted?.priority, now.priority ?? "Regular"],
    ["evictionPolicy", wanted?.evictionPolicy, now.evictionPolicy],
    ["zones", given.zones?.join(","), (known.body["zones"] as readonly string[] | undefined)?.join(",")],
    ...imagePairs(wanted?.storageProfile?.imageReference, now),
  ];
  for (const [name, next, current] of pairs)
    if (next !== undefined && next !== current) throw propertyChangeNotAllowed(name);
}

const scalar = (value: unknown): string | undefined => (typeof value === "string" ? value : undefined);

function imagePairs(
  wanted: JsonObject | undefined,
  { storageProfile }: VmProperties,
): (readonly [string, Scalar, Scalar])[] {
  return ["id", "publisher", "offer", "sku", "version"].map(
    (name) =>
      [`imageReference.${name}`, scalar(wanted?.[name]), scalar(storageProfile?.imageReference?.[name])] as const,
  );
}
