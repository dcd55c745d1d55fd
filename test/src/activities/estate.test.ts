import { OrganizationTable } from "../../../src/state/organization-table";
import { MACHINE_PRINCIPAL, organizationRow, sampleOrganization, SUBSCRIPTION } from "../../support/sample-rows";
import { useWorld, type World } from "../../support/world";

const world = useWorld();
const group = `/subscriptions/${SUBSCRIPTION}/resourceGroups/corral-demo`;
const subnetOf = (location: string) =>
  `${group}/providers/Microsoft.Network/virtualNetworks/vnet-${location}/subnets/machines`;
const identity = `${group}/providers/Microsoft.ManagedIdentity/userAssignedIdentities/id-machines`;

async function setUp(settings: object = {}): Promise<World> {
  const { machinePrincipalId: _later, ...row } = organizationRow({
    settings: sampleOrganization(settings),
    state: "Provisioning",
    reasons: [],
  });
  await world().organizations.insert(row);
  world().resources.groups.add("corral-demo");
  world().resources.present.add(subnetOf("westeurope"));
  world().resources.principals.set(identity, MACHINE_PRINCIPAL);
  return world();
}

async function confirmed(w: World) {
  await w.estate.confirmEstateOf({ org: "demo" });
  return (await w.organizations.find("demo"))?.value;
}

it("finds a complete estate ready but for its events, and learns whose tokens are the machines'", async () => {
  expect(await confirmed(await setUp())).toMatchObject({
    state: "Degraded",
    reasons: ["eventsNotConnected"],
    machinePrincipalId: MACHINE_PRINCIPAL,
  });
});

it("names everything that is missing (F53)", async () => {
  const w = await setUp({ locations: ["westeurope", "northeurope"] });
  w.resources.principals.clear();

  expect(await confirmed(w)).toMatchObject({
    state: "Failed",
    reasons: [`missing: subnet ${subnetOf("northeurope")}`, `missing: identity ${identity}`],
  });
});

it("asks for nothing else when the group is missing", async () => {
  const w = await setUp();
  w.resources.groups.clear();

  expect(await confirmed(w)).toMatchObject({ state: "Failed", reasons: ["missing: resource group corral-demo"] });
});

it("recovers when what was missing is there the next time, and can be run twice", async () => {
  const w = await setUp();
  w.resources.groups.clear();
  await confirmed(w);
  w.resources.groups.add("corral-demo");
  const first = await confirmed(w);

  expect(first?.state).toBe("Degraded");
  expect(await confirmed(w)).toEqual(first);
});

it("needs no identity of its own for system-assigned machines", async () => {
  const w = await setUp({ machineIdentity: { type: "system-assigned" } });
  w.resources.principals.clear();

  expect((await confirmed(w))?.state).toBe("Degraded");
});

it("is tried again when the row changed while it looked (F21)", async () => {
  const w = await setUp();
  const find = w.organizations.find.bind(w.organizations);
  jest.spyOn(OrganizationTable.prototype, "find").mockImplementationOnce(async (org) => {
    const read = await find(org);
    if (read) await w.organizations.replace(read, { ...read.value, reasons: ["changed"] });
    return read;
  });

  await expect(w.estate.confirmEstateOf({ org: "demo" })).rejects.toThrow("confirm demo: its row changed");
});

it("does nothing for an organization that is not there", async () => {
  await expect(world().estate.confirmEstateOf({ org: "demo" })).resolves.toBeUndefined();
});
