import { fieldErrorsOf } from "../../../src/contract/field-errors";
import { EstateConfirmation, Organization } from "../../../src/contract/organization";

const id = "00000000-0000-4000-8000-000000000001";
const minimal = { org: "demo", subscriptionId: id, locations: ["westeurope"], administrators: [id] };

function complaintsAbout(fields: object): string[] {
  const { error } = Organization.safeParse({ ...minimal, ...fields });
  return error ? fieldErrorsOf(error).map(({ field }) => field) : [];
}

it("fills in every default", () => {
  expect(Organization.parse(minimal)).toEqual({
    ...minimal,
    mode: "delegated",
    addressSpace: "10.64.0.0/16",
    outbound: "nat",
    privateLink: "service-endpoints",
    allowedIps: [],
    bastion: false,
    machineIdentity: { type: "user-assigned" },
    image: { kind: "marketplace", publisher: "microsoft-dsvm", offer: "ubuntu-hpc", sku: "2204", version: "latest" },
    requireDigest: false,
    queueSubmission: false,
    idle: {
      beforeFirstJobSeconds: 600,
      afterJobSeconds: 300,
      gpuUtilizationPercent: 5,
      windowSeconds: 300,
      maxLifetimeHours: 168,
      onIdle: "delete",
      deallocatedHours: 24,
    },
    limits: { queuedJobs: 10_000, runningJobs: 500, machines: 100 },
    maxSweepPercent: 20,
  });
});

it.each<[string, object]>([
  ["org", { org: "demo-storage" }],
  ["subscriptionId", { subscriptionId: "mine" }],
  ["locations", { locations: [] }],
  ["locations.0", { locations: ["West Europe"] }],
  ["mode", { mode: "shared" }],
  ["administrators", { administrators: [] }],
  ["administrators.0", { administrators: ["me"] }],
  ["addressSpace", { addressSpace: "10.64.0.0" }],
  ["outbound", { outbound: "open" }],
  ["privateLink", { privateLink: "on" }],
  ["hub.vnetId", { hub: { vnetId: "vnet" } }],
  ["bastion", { bastion: "yes" }],
  ["machineIdentity.type", { machineIdentity: { type: "none" } }],
  ["machineIdentity.ids.0", { machineIdentity: { type: "user-assigned", ids: ["x"] } }],
  ["machineIdentity.ids", { machineIdentity: { type: "system-assigned", ids: [] } }],
  ["image.kind", { image: { kind: "container" } }],
  ["image.sku", { image: { kind: "marketplace", publisher: "p", offer: "o", version: "v" } }],
  ["image.generation", { image: { kind: "vhd", url: "https://a/b.vhd", generation: 3 } }],
  ["bring.vaultId", { bring: { vaultId: "kv" } }],
  ["bring.nsgId", { bring: { nsgId: "/subscriptions/a/b" } }],
  ["registries.0", { registries: [""] }],
  ["idle.gpuUtilizationPercent", { idle: { gpuUtilizationPercent: 101 } }],
  ["idle.afterJobMinutes", { idle: { afterJobMinutes: 5 } }],
  ["limits.machines", { limits: { machines: -1 } }],
  ["limits.vms", { limits: { vms: 1 } }],
  ["warm.0.min", { warm: [{ vmSize: "s", location: "westeurope", capacity: "spot", min: -1 }] }],
  ["utilization.action", { utilization: { minGpuPercent: 1, forMinutes: 1, action: "kill" } }],
  ["budget.monthUsd", { budget: { monthUsd: 0 } }],
  ["maxSweepPercent", { maxSweepPercent: 0 }],
  ["region", { region: "westeurope" }],
])("names %s when it refuses %j", (field, fields) => {
  expect(complaintsAbout(fields)).toContain(field);
});

it.each<object>([
  { budget: { monthUsd: 100 }, limits: { gpuHoursPerMonth: 10 } },
  { image: { kind: "vhd", url: "https://account.blob.core.windows.net/images/a.vhd", generation: 2 } },
  { machineIdentity: { type: "user-assigned", ids: [`/subscriptions/${id}/resourceGroups/g`] } },
  { hub: { vnetId: `/subscriptions/${id}/resourceGroups/g`, firewallIp: "10.0.0.4" }, outbound: "firewall" },
])("takes %j", (fields) => {
  expect(complaintsAbout(fields)).toEqual([]);
});

it.each<[object, string | undefined]>([
  [{}, undefined],
  [{ dataBlobEndpoint: "https://a.blob.core.windows.net/", volumes: ["artifacts"] }, undefined],
  [{ dataBlobEndpoint: "a.blob" }, "dataBlobEndpoint"],
  [{ vaultUrl: "http://kv.vault.azure.net" }, "vaultUrl"],
  [{ volumes: ["a--b"] }, "volumes.0"],
  [{ keys: true }, "keys"],
])("an estate is confirmed with %j; the complaint is about %s", (confirmation, field) => {
  const { error } = EstateConfirmation.safeParse(confirmation);

  expect(error && fieldErrorsOf(error)[0]?.field).toBe(field);
});
