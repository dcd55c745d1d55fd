import type { ResourceSku } from "@azure/arm-compute";
import {
  type AzureFixture,
  computeOf,
  createEstate,
  fast,
  GROUP,
  LOCATION,
  startFixture,
  stopFixture,
  vmSpec,
} from "../../local/azure/azure-fixture";
import { call, codeOf } from "../../local/azure/wire";
import { all, refusalOf } from "./rights-clients";

let fixture: AzureFixture;
beforeEach(async () => {
  fixture = await startFixture();
  await createEstate(fixture);
});
afterEach(() => stopFixture(fixture));

const SIZE = "Standard_NC4as_T4_v3";
const skusIn = (location = LOCATION): Promise<ResourceSku[]> =>
  all(computeOf(fixture).resourceSkus.list({ filter: `location eq '${location}'` }));
async function skuOf(name = SIZE): Promise<ResourceSku> {
  const found = (await skusIn()).find((sku) => sku.name === name);
  if (!found) throw new Error(`there is no ${name}`);
  return found;
}
const portal = (path: string, body: object): Promise<Response> =>
  fetch(`${fixture.azure.portalUrl}${path}`, { method: "PUT", body: JSON.stringify(body) });
async function usageOf(name: string): Promise<{ used: number; limit: number } | undefined> {
  const rows = await all(computeOf(fixture).usage.list(LOCATION));
  const row = rows.find((one) => one.name.value?.replaceAll(" ", "").toLowerCase() === name.toLowerCase());
  return row && { used: row.currentValue, limit: row.limit };
}

it("lists VM sizes and disks of the location that is asked for, and of all without a filter (@azure/arm-compute 25.1.1, resourceSkus.list)", async () => {
  const here = await skusIn();
  const everywhere = await all(computeOf(fixture).resourceSkus.list());

  expect(new Set(here.map(({ resourceType }) => resourceType))).toEqual(new Set(["virtualMachines", "disks"]));
  expect(new Set(here.flatMap(({ locations }) => locations))).toEqual(new Set([LOCATION]));
  expect(everywhere).toHaveLength(here.length * 2);
  expect(await skusIn("West US 3")).toHaveLength(here.length);
});

it("says of a GPU size what schedulers read (Azure/karpenter-provider-azure, skewer capabilities)", async () => {
  const { family, size, tier, capabilities = [], locationInfo } = await skuOf();
  const of = (name: string) => capabilities.find((one) => one.name === name)?.value;

  expect([family, size, tier]).toEqual(["StandardNCASv3_T4Family", "NC4as_T4_v3", "Standard"]);
  expect(
    ["vCPUs", "MemoryGB", "GPUs", "CpuArchitectureType", "LowPriorityCapable", "HyperVGenerations"].map(of),
  ).toEqual([...["4", "28", "1", "x64", "True", "V1,V2"]]);
  expect(locationInfo?.[0]?.zones).toEqual(["1", "2", "3"]);
});

it("restricts a size that is sold out in its location and zones, and refuses it at create (docs: Troubleshoot SkuNotAvailable)", async () => {
  expect((await skuOf()).restrictions).toEqual([]);
  await portal(`/sizes/${SIZE}`, { available: false, location: LOCATION });
  const { restrictions = [] } = await skuOf();
  const refusal = await refusalOf(computeOf(fixture).virtualMachines.createOrUpdate(GROUP, "vm", vmSpec("vm"), fast));

  expect(restrictions.map(({ type, reasonCode }) => [type, reasonCode])).toEqual([
    ["Location", "NotAvailableForSubscription"],
    ["Zone", "NotAvailableForSubscription"],
  ]);
  expect(refusal).toMatchObject({ status: 409, code: "SkuNotAvailable" });
});

it("restricts single zones, and refuses a VM there alone (REST API: Resource Skus - List, restrictionInfo)", async () => {
  await portal(`/sizes/${SIZE}`, { available: true, location: LOCATION, restrictedZones: ["2"] });
  const create = (name: string, zone: string): Promise<unknown> =>
    computeOf(fixture).virtualMachines.createOrUpdate(GROUP, name, { ...vmSpec(name), zones: [zone] }, fast);

  expect((await skuOf()).restrictions).toMatchObject([{ type: "Zone", restrictionInfo: { zones: ["2"] } }]);
  expect(await refusalOf(create("vm-2", "2"))).toMatchObject({ code: "SkuNotAvailable" });
  await create("vm-1", "1");
});

it("refuses another filter (REST API: Resource Skus - List, only location is supported)", async () => {
  const path = `/subscriptions/22222222-2222-4222-8222-222222222222/providers/Microsoft.Compute/skus?$filter=${encodeURIComponent("name eq 'x'")}`;
  const reply = await call(fixture, { path });

  expect([reply.status, codeOf(reply)]).toEqual([400, "BadRequest"]);
});

it("counts cores by family, region and priority, and gives them back after a deletion (@azure/arm-compute 25.1.1, usage.list)", async () => {
  const { virtualMachines } = computeOf(fixture);
  await virtualMachines.createOrUpdate(GROUP, "vm-a", vmSpec("vm-a"), fast);
  const spot = { ...vmSpec("vm-s"), priority: "Spot", evictionPolicy: "Delete" } as const;
  await virtualMachines.createOrUpdate(GROUP, "vm-s", spot, fast);
  const names = ["StandardNCASv3_T4Family", "cores", "lowPriorityCores", "virtualMachines"];
  const during = await Promise.all(names.map(usageOf));
  for (const name of ["vm-a", "vm-s"]) await virtualMachines.delete(GROUP, name, fast);
  const after = await Promise.all(names.map(usageOf));

  expect(during.map((one) => one?.used)).toEqual([4, 4, 4, 2]);
  expect(after.map((one) => one?.used)).toEqual([0, 0, 0, 0]);
});

it("counts a deallocated VM, as Azure does (docs: VM vCPU quotas)", async () => {
  const { virtualMachines } = computeOf(fixture);
  await virtualMachines.createOrUpdate(GROUP, "vm-a", vmSpec("vm-a"), fast);
  await virtualMachines.deallocate(GROUP, "vm-a", fast);

  expect((await usageOf("cores"))?.used).toBe(4);
});

it("refuses usages of a location that is none (REST API: Usage - List)", async () => {
  expect(await refusalOf(all(computeOf(fixture).usage.list("atlantis")))).toMatchObject({ status: 400 });
});
