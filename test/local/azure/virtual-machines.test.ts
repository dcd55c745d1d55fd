import {
  type AzureFixture,
  computeOf,
  createEstate,
  fast,
  GROUP,
  startFixture,
  stopFixture,
  vmSpec,
} from "./azure-fixture";

let fixture: AzureFixture;
beforeAll(async () => {
  fixture = await startFixture();
  await createEstate(fixture);
});
afterAll(() => stopFixture(fixture));

it("creates, shows and deletes a VM for the official client", async () => {
  const compute = computeOf(fixture);

  const created = await compute.virtualMachines.createOrUpdate(GROUP, "vm-a", vmSpec("vm-a"), fast);
  const shown = await compute.virtualMachines.get(GROUP, "vm-a", { expand: "instanceView" });
  await compute.virtualMachines.delete(GROUP, "vm-a", fast);

  expect(created).toMatchObject({ name: "vm-a", provisioningState: "Succeeded", location: "westus3" });
  expect(shown.instanceView?.statuses?.map(({ code }) => code)).toEqual([
    "ProvisioningState/succeeded",
    "PowerState/running",
  ]);
  expect(fixture.azure.remainingByType()).toEqual({
    "Microsoft.Resources/resourceGroups": 1,
    "Microsoft.Network/virtualNetworks": 1,
    "Microsoft.Network/virtualNetworks/subnets": 1,
  });
});
