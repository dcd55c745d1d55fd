import { randomUUID } from "node:crypto";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { ComputeManagementClient, type VirtualMachine } from "@azure/arm-compute";
import { ResourceManagementClient } from "@azure/arm-resources";
import type { TokenCredential } from "@azure/identity";
import type { AzureOptions, AzureSimulator, ServicePrincipal } from "../../../local/azure/azure-options";
import { startAzure } from "../../../local/azure/azure";
import type { ResourceEvent } from "../../../local/azure/arm/resource-events";
import { FaultPlan, type FaultRule } from "../../../local/faults/fault-plan";
import type { HostedVm, Hypervisor } from "../../../local/vm/hypervisor";
import { call, closeWire, TENANT, tokenFor } from "./wire";

export const SUBSCRIPTION = "22222222-2222-4222-8222-222222222222";
export const GROUP = "corral-acme-compute";
export const GROUP_ID = `/subscriptions/${SUBSCRIPTION}/resourceGroups/${GROUP}`;
export const SUBNET_ID = `${GROUP_ID}/providers/Microsoft.Network/virtualNetworks/vnet/subnets/machines`;
export const LOCATION = "westus3";

/** Writes down what the machines below are told. */
export class RecordingHypervisor implements Hypervisor {
  readonly log: string[] = [];
  readonly running = new Map<string, HostedVm>();

  powerOn(vm: HostedVm): Promise<void> {
    this.log.push(`on ${vm.name}`);
    this.running.set(vm.resourceId, vm);
    return Promise.resolve();
  }

  powerOff(resourceId: string, { discardDisk }: { discardDisk: boolean }): Promise<void> {
    this.log.push(`off ${resourceId.slice(resourceId.lastIndexOf("/") + 1)}${discardDisk ? " discard" : ""}`);
    this.running.delete(resourceId);
    return Promise.resolve();
  }

  announcePreemption(resourceId: string, noticeSeconds: number): Promise<void> {
    this.log.push(`notice ${resourceId.slice(resourceId.lastIndexOf("/") + 1)} ${noticeSeconds}`);
    return Promise.resolve();
  }
}

export interface AzureFixture {
  readonly azure: AzureSimulator;
  readonly faults: FaultPlan;
  readonly hypervisor: RecordingHypervisor;
  readonly events: ResourceEvent[];
  readonly owner: ServicePrincipal;
  readonly folder: string;
}

const KEY_FILES = ["entra-signing.key", "tls/local-ca.key", "tls/local-ca.pem", "tls/server.key", "tls/server.pem"];
const keyFiles = new Map<string, Buffer>();

/** The tests of one file share their keys: making an RSA key takes longer than most tests. */
function seedKeys(folder: string): void {
  mkdirSync(join(folder, "tls"), { recursive: true });
  for (const [file, content] of keyFiles) writeFileSync(join(folder, file), content, { mode: 0o600 });
}

/** Fast by default: an operation of a minute takes some tens of milliseconds. */
export async function startFixture(overrides: Partial<AzureOptions> = {}): Promise<AzureFixture> {
  const folder = overrides.dataFolder ?? mkdtempSync(join(tmpdir(), "corral-azure-"));
  if (!overrides.dataFolder) seedKeys(folder);
  const faults = overrides.faults ?? new FaultPlan();
  const hypervisor = new RecordingHypervisor();
  const events: ResourceEvent[] = [];
  const azure = await startAzure({
    dataFolder: folder,
    speed: 10_000,
    ports: { https: 0, identity: 0, portal: 0 },
    hypervisor: () => hypervisor,
    faults,
    tenantId: TENANT,
    subscriptionId: SUBSCRIPTION,
    locations: [LOCATION, "northeurope"],
    apis: [{ appId: "33333333-3333-4333-8333-333333333333", identifierUri: "api://corral", displayName: "Corral" }],
    gpuFamilyCores: 100,
    evictionNoticeSeconds: 0.05,
    sendsRetryAfter: false,
    throttling: false,
    onEvent: (event) => events.push(event),
    onHealthEvent: (event) => events.push(event),
    log: (line) => events.push({ eventType: `log ${line}` } as ResourceEvent),
    ...overrides,
  });
  for (const file of KEY_FILES) keyFiles.set(file, readFileSync(join(folder, file)));
  const owner = azure.addServicePrincipal({ displayName: "owner" });
  azure.grant({ principalId: owner.objectId, role: "Owner", scope: `/subscriptions/${SUBSCRIPTION}` });
  return { azure, faults, hypervisor, events, owner, folder };
}

export async function stopFixture({ azure, faults, folder }: AzureFixture): Promise<void> {
  faults.disarmAll();
  closeWire(azure);
  await azure.close();
  rmSync(folder, { recursive: true, force: true });
}

export function credentialOf(fixture: AzureFixture, principal: ServicePrincipal = fixture.owner): TokenCredential {
  return {
    getToken: async () => ({ token: await tokenFor(fixture, principal), expiresOnTimestamp: Date.now() + 3_000_000 }),
  };
}

const clientOptions = ({ azure }: AzureFixture) => ({
  endpoint: azure.armUrl,
  tlsOptions: { ca: azure.caPem },
  retryOptions: { maxRetries: 0 },
});

export const computeOf = (fixture: AzureFixture, principal?: ServicePrincipal): ComputeManagementClient =>
  new ComputeManagementClient(credentialOf(fixture, principal), SUBSCRIPTION, clientOptions(fixture));

export const resourcesOf = (fixture: AzureFixture, principal?: ServicePrincipal): ResourceManagementClient =>
  new ResourceManagementClient(credentialOf(fixture, principal), SUBSCRIPTION, clientOptions(fixture));

export async function createEstate(fixture: AzureFixture): Promise<void> {
  await resourcesOf(fixture).resourceGroups.createOrUpdate(GROUP, { location: LOCATION });
  const properties = {
    addressSpace: { addressPrefixes: ["10.64.0.0/16"] },
    subnets: [{ name: "machines", properties: { addressPrefix: "10.64.0.0/20" } }],
  };
  await call(fixture, {
    method: "PUT",
    path: `${GROUP_ID}/providers/Microsoft.Network/virtualNetworks/vnet`,
    body: { location: LOCATION, properties },
  });
}

/** A VM as Corral declares it: inline network interface, nothing left behind, spot where wanted. */
export function vmSpec(name: string, more: Partial<VirtualMachine> = {}): VirtualMachine {
  return {
    location: LOCATION,
    tags: { "corral:machine": name },
    hardwareProfile: { vmSize: "Standard_NC4as_T4_v3" },
    storageProfile: {
      imageReference: { publisher: "microsoft-dsvm", offer: "ubuntu-hpc", sku: "2204", version: "latest" },
      osDisk: {
        name: `osdisk-${name}`,
        createOption: "FromImage",
        deleteOption: "Delete",
        managedDisk: { storageAccountType: "Premium_LRS" },
      },
    },
    osProfile: {
      computerName: name,
      adminUsername: "corral",
      customData: Buffer.from(`{"machineId":"${name}"}`).toString("base64"),
      linuxConfiguration: {
        disablePasswordAuthentication: true,
        ssh: { publicKeys: [{ path: "/home/corral/.ssh/authorized_keys", keyData: "ssh-ed25519 AAAA" }] },
      },
    },
    networkProfile: {
      networkApiVersion: "2022-11-01",
      networkInterfaceConfigurations: [
        {
          name: `nic-${name}`,
          primary: true,
          deleteOption: "Delete",
          tags: { "corral:machine": name },
          ipConfigurations: [{ name: "ipconfig1", subnet: { id: SUBNET_ID } }],
        },
      ],
    },
    ...more,
  };
}

export const SPOT: Partial<VirtualMachine> = {
  priority: "Spot",
  evictionPolicy: "Delete",
  billingProfile: { maxPrice: -1 },
};

export function rule(more: Omit<FaultRule, "skip" | "times" | "service"> & Partial<FaultRule>): FaultRule {
  return { service: "arm", skip: 0, times: 1, ...more };
}

export const fast = { updateIntervalInMs: 20 };

/** Polls until a condition of the simulator holds. */
export async function eventually(isSo: () => boolean | Promise<boolean>): Promise<void> {
  const deadline = Date.now() + 20_000;
  while (!(await isSo())) {
    if (Date.now() > deadline) throw new Error("It did not come about within 20 seconds.");
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}

export const newGuid = (): string => randomUUID();
