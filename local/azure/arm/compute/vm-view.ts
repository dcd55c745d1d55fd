import type { ArmReply } from "../route";
import { type JsonObject, propertiesOf, type StoredResource } from "../resource-store";
import { type PowerState, vmHidden, vmProperties } from "./vm-record";

/** A VM as a GET answers it; with its instance view only where that was asked for. */
export function vmView(vm: StoredResource, { withInstanceView }: { withInstanceView: boolean }): JsonObject {
  const instanceView = withInstanceView ? { instanceView: instanceViewOf(vm) } : {};
  return { ...vm.body, properties: { ...propertiesOf(vm), ...instanceView } };
}

/** A VM as the answer of a call that reads or writes it: its etag is in a header too. */
export const vmReply = (
  status: number,
  vm: StoredResource,
  { withInstanceView } = { withInstanceView: false },
): ArmReply => ({
  status,
  body: vmView(vm, { withInstanceView }),
  headers: { ETag: String(vm.body["etag"]) },
});

/** A row of the list with `statusOnly=true`: who it is, and its states. */
export function vmStatusView(vm: StoredResource): JsonObject {
  const { vmId } = vmProperties(vm);
  const provisioningState = propertiesOf(vm)["provisioningState"];
  const instanceView = { statuses: statusesOf(vm) };
  return {
    id: vm.id,
    name: vm.name,
    type: vm.type,
    location: vm.body["location"],
    properties: { vmId, provisioningState, instanceView },
  };
}

export function instanceViewOf(vm: StoredResource): JsonObject {
  const { storageProfile, osProfile } = vmProperties(vm);
  const statuses = statusesOf(vm);
  const isRunning = vmHidden(vm).power === "running";
  const disks = [{ name: storageProfile?.osDisk?.["name"], statuses: statuses.slice(0, 1) }];
  const agent = { vmAgentVersion: "2.9.1.1", statuses: [status("ProvisioningState/succeeded", "Ready", vm.changedAt)] };
  return {
    ...(isRunning
      ? { computerName: osProfile?.["computerName"] ?? vm.name, osName: "ubuntu", osVersion: "22.04", vmAgent: agent }
      : {}),
    hyperVGeneration: "V2",
    disks,
    statuses,
  };
}

const DISPLAY: Readonly<Record<PowerState, string>> = {
  starting: "VM starting",
  running: "VM running",
  stopping: "VM stopping",
  stopped: "VM stopped",
  deallocating: "VM deallocating",
  deallocated: "VM deallocated",
};

const status = (code: string, displayStatus: string, time?: string) => ({
  code,
  level: code.startsWith("ProvisioningState/failed") ? "Error" : "Info",
  displayStatus,
  ...(time ? { time } : {}),
});

/** The provisioning state, which carries the error of a failed operation, and the power state once the VM has one. */
function statusesOf(vm: StoredResource) {
  const { power, failureCode } = vmHidden(vm);
  const provisioning = String(propertiesOf(vm)["provisioningState"]);
  const failed = provisioning === "Failed" && failureCode ? `/${failureCode}` : "";
  const code = `ProvisioningState/${provisioning.toLowerCase()}${failed}`;
  const first = status(code, `Provisioning ${provisioning.toLowerCase()}`, vm.changedAt);
  return power ? [first, status(`PowerState/${power}`, DISPLAY[power])] : [first];
}
