import { ComputeManagementClient, type VirtualMachine } from "@azure/arm-compute";
import type { TokenCredential } from "@azure/identity";
import { classifyCreateFailure } from "../domain/arm-failure";
import { refusalOf } from "./rest-error";
import { throwawaySshPublicKey } from "./throwaway-ssh-key";
import type { CreateVmOutcome, QuotaUsage, VmClient, VmFacts, VmRef, VmSpec, VmStatus } from "./vm-client";

const DEFAULT_RETRY_AFTER_SECONDS = 10;

/** The version of the network API in which an inline NIC is described. */
const NETWORK_API_VERSION = "2024-07-01";

function imageReferenceOf(
  image: VmSpec["image"],
): NonNullable<NonNullable<VirtualMachine["storageProfile"]>["imageReference"]> {
  if (image.kind === "vhd")
    throw new Error("an image from a VHD needs the estate's gallery, which this organization does not have yet");
  const { publisher, offer, sku, version } = image;
  return { publisher, offer, sku, version };
}

function identityOf(identityIds: readonly string[]): NonNullable<VirtualMachine["identity"]> {
  if (identityIds.length === 0) return { type: "SystemAssigned" };
  return { type: "UserAssigned", userAssignedIdentities: Object.fromEntries(identityIds.map((id) => [id, {}])) };
}

function virtualMachineOf(spec: VmSpec): VirtualMachine {
  return {
    location: spec.location,
    tags: { ...spec.tags },
    identity: identityOf(spec.identityIds),
    hardwareProfile: { vmSize: spec.vmSize },
    ...(spec.capacity === "spot" && { priority: "Spot", evictionPolicy: "Delete", billingProfile: { maxPrice: -1 } }),
    storageProfile: {
      imageReference: imageReferenceOf(spec.image),
      osDisk: {
        name: spec.osDiskName,
        createOption: "FromImage",
        deleteOption: "Delete",
        managedDisk: { storageAccountType: "Premium_LRS" },
      },
    },
    osProfile: {
      computerName: spec.vmName.slice(0, 63),
      adminUsername: "corral",
      customData: Buffer.from(spec.customData, "utf8").toString("base64"),
      linuxConfiguration: {
        disablePasswordAuthentication: true,
        ssh: { publicKeys: [{ path: "/home/corral/.ssh/authorized_keys", keyData: throwawaySshPublicKey() }] },
      },
    },
    networkProfile: {
      networkApiVersion: NETWORK_API_VERSION,
      networkInterfaceConfigurations: [
        {
          name: spec.nicName,
          primary: true,
          deleteOption: "Delete",
          tags: { ...spec.tags },
          ipConfigurations: [{ name: "ipconfig", primary: true, subnet: { id: spec.subnetId } }],
        },
      ],
    },
  };
}

/** https://learn.microsoft.com/azure/azure-resource-manager/management/request-headers */
const correlation = (id: string): Record<string, string> => ({ "x-ms-correlation-request-id": id });

const PROVISIONING = new Set(["creating", "updating", "succeeded", "failed", "deleting"]);

function statusOf(vm: VirtualMachine): VmStatus {
  const [, , , , resourceGroup = "", , , , vmName = ""] = (vm.id ?? "").split("/");
  const statuses = vm.instanceView?.statuses ?? [];
  const provisioned = statuses.find(({ code }) => code?.startsWith("ProvisioningState/"));
  const [, reached, failureCode] = provisioned?.code?.split("/") ?? [];
  const state = reached?.toLowerCase() ?? vm.provisioningState?.toLowerCase() ?? "unknown";
  const power = statuses.find(({ code }) => code?.startsWith("PowerState/"))?.code?.split("/")[1];
  return {
    resourceGroup,
    vmName,
    provisioning: PROVISIONING.has(state) ? (state as VmStatus["provisioning"]) : "unknown",
    ...(provisioned?.time && { provisionedAt: provisioned.time.toISOString() }),
    ...(state === "failed" && failureCode !== undefined && { failureCode }),
    ...(power !== undefined && { power }),
  };
}

/** VMs through `@azure/arm-compute`. No retries inside: the orchestration waits by durable timers, and sees Azure's own answer. */
export class ArmVmClient implements VmClient {
  private readonly clients = new Map<string, ComputeManagementClient>();

  constructor(
    private readonly credential: TokenCredential,
    private readonly endpoint: string,
  ) {}

  async create(spec: VmSpec): Promise<CreateVmOutcome> {
    const { virtualMachines } = this.clientFor(spec.subscriptionId);
    try {
      // If-None-Match: a VM that is there is never written over, whoever made it and however often this runs.
      const poller = virtualMachines.createOrUpdate(spec.resourceGroup, spec.vmName, virtualMachineOf(spec), {
        ifNoneMatch: "*",
        requestOptions: { headers: correlation(spec.correlationId) },
      });
      await poller.submitted();
      return { kind: "accepted" };
    } catch (error) {
      const refusal = refusalOf(error);
      if (!refusal || refusal.status >= 500 || refusal.status === 408) throw error;
      if (refusal.status === 412) return { kind: "exists", tags: (await this.find(spec))?.tags ?? {} };
      return { kind: "refused", failure: classifyCreateFailure(refusal.status, refusal.code, refusal.message) };
    }
  }

  async find(ref: VmRef): Promise<VmFacts | undefined> {
    try {
      const vm = await this.clientFor(ref.subscriptionId).virtualMachines.get(ref.resourceGroup, ref.vmName);
      return {
        provisioningState: vm.provisioningState ?? "",
        tags: vm.tags ?? {},
        nicIds: (vm.networkProfile?.networkInterfaces ?? []).flatMap(({ id }) => (id === undefined ? [] : [id])),
      };
    } catch (error) {
      if (refusalOf(error)?.status === 404) return undefined;
      throw error;
    }
  }

  async delete(ref: VmRef, correlationId: string): ReturnType<VmClient["delete"]> {
    let retryAfterSeconds = DEFAULT_RETRY_AFTER_SECONDS;
    try {
      const poller = this.clientFor(ref.subscriptionId).virtualMachines.delete(ref.resourceGroup, ref.vmName, {
        requestOptions: { headers: correlation(correlationId) },
        onResponse: ({ headers }) => {
          retryAfterSeconds = Number(headers.get("retry-after")) || retryAfterSeconds;
        },
      });
      await poller.submitted();
      return { kind: "deleting", retryAfterSeconds };
    } catch (error) {
      if (refusalOf(error)?.status === 404) return { kind: "gone" };
      throw error;
    }
  }

  async listStatus(subscriptionId: string): Promise<VmStatus[]> {
    const found: VmStatus[] = [];
    for await (const vm of this.clientFor(subscriptionId).virtualMachines.listAll({ statusOnly: "true" }))
      found.push(statusOf(vm));
    return found;
  }

  async listUsages(subscriptionId: string, location: string): Promise<QuotaUsage[]> {
    const found: QuotaUsage[] = [];
    for await (const { name, currentValue, limit } of this.clientFor(subscriptionId).usage.list(location)) {
      if (name.value !== undefined) found.push({ name: name.value, used: currentValue, limit });
    }
    return found;
  }

  async diskExists(ref: VmRef, diskName: string): Promise<boolean> {
    try {
      await this.clientFor(ref.subscriptionId).disks.get(ref.resourceGroup, diskName);
      return true;
    } catch (error) {
      if (refusalOf(error)?.status === 404) return false;
      throw error;
    }
  }

  private clientFor(subscriptionId: string): ComputeManagementClient {
    let client = this.clients.get(subscriptionId);
    if (!client) {
      client = new ComputeManagementClient(this.credential, subscriptionId, {
        endpoint: this.endpoint,
        retryOptions: { maxRetries: 0 },
      });
      this.clients.set(subscriptionId, client);
    }
    return client;
  }
}
