import {
  computeGroupOf,
  machineIdentityIdsOf,
  machineSubnetIdOf,
  machineTagsOf,
  nicNameOf,
  osDiskNameOf,
  registryOf,
  vmNameOf,
} from "../../../src/domain/estate-names";

const estate = { prefix: "corral", org: "demo-1", subscriptionId: "s1" };
const group = "/subscriptions/s1/resourceGroups/corral-demo-1";

it("names an estate's resources by the organization alone", () => {
  expect(computeGroupOf(estate)).toBe("corral-demo-1");
  expect(machineSubnetIdOf(estate, "westeurope")).toBe(
    `${group}/providers/Microsoft.Network/virtualNetworks/vnet-westeurope/subnets/machines`,
  );
  expect(registryOf("demo-1", "ab12cd")).toBe("crdemo1ab12cd.azurecr.io");
});

it("names all parts of a machine by its id, which is in their tags too", () => {
  expect([vmNameOf("demo", "m1"), osDiskNameOf("demo", "m1"), nicNameOf("demo", "m1")]).toEqual([
    "vm-demo-m1",
    "osdisk-demo-m1",
    "nic-demo-m1",
  ]);
  expect(machineTagsOf("d", "demo", "m1")).toEqual({
    "corral:deployment": "d",
    "corral:org": "demo",
    "corral:machine": "m1",
  });
});

it("gives a machine the estate's identity, those that the organization brings, or none", () => {
  const own = `${group}/providers/Microsoft.ManagedIdentity/userAssignedIdentities/id-machines`;

  expect(machineIdentityIdsOf(estate, { type: "user-assigned" })).toEqual([own]);
  expect(machineIdentityIdsOf(estate, { type: "user-assigned", ids: ["/a", "/b"] })).toEqual(["/a", "/b"]);
  expect(machineIdentityIdsOf(estate, { type: "system-assigned" })).toEqual([]);
});

it("keeps every name within Azure's 64 characters for the longest organization", () => {
  const org = "a".repeat(20);

  for (const name of [vmNameOf, osDiskNameOf, nicNameOf])
    expect(name(org, "m".repeat(10)).length).toBeLessThanOrEqual(64);
  expect(registryOf(org, "ab12cd").split(".")[0]?.length).toBeLessThanOrEqual(50);
});
