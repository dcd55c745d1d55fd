import {
  type AzureFixture,
  computeOf,
  createEstate,
  eventually,
  fast,
  GROUP,
  GROUP_ID,
  LOCATION,
  resourcesOf,
  rule,
  startFixture,
  stopFixture,
  SUBNET_ID,
  SUBSCRIPTION,
  vmSpec,
} from "./azure-fixture";
import { call, codeOf } from "./wire";

let fixture: AzureFixture;
beforeEach(async () => {
  fixture = await startFixture({ storageBlobEndpoint: (name) => `http://127.0.0.1:10000/${name}` });
  await createEstate(fixture);
});
afterEach(() => stopFixture(fixture));

const NETWORK = `${GROUP_ID}/providers/Microsoft.Network/virtualNetworks/vnet`;
const put = (path: string, body: object) =>
  call(fixture, { method: "PUT", path, body: { location: LOCATION, ...body } });

it("makes a group twice as one, and finds it", async () => {
  const { resourceGroups } = resourcesOf(fixture);
  await resourceGroups.createOrUpdate(GROUP, { location: LOCATION, tags: { a: "1" } });

  const group = await resourceGroups.get(GROUP);
  const there = await resourceGroups.checkExistence(GROUP);
  const names: (string | undefined)[] = [];
  for await (const { name } of resourceGroups.list()) names.push(name);

  expect(group).toMatchObject({ id: GROUP_ID, tags: { a: "1" }, properties: { provisioningState: "Succeeded" } });
  expect(there.body).toBe(true);
  expect(names).toEqual([GROUP]);
});

it("moves no group to another location, and knows no group that is not there", async () => {
  const moved = await put(GROUP_ID, { location: "northeurope" });
  const missing = await call(fixture, { path: `/subscriptions/${SUBSCRIPTION}/resourceGroups/none` });
  const absent = await resourcesOf(fixture).resourceGroups.checkExistence("none");

  expect([codeOf(moved), codeOf(missing), absent.body]).toEqual([
    "InvalidResourceLocation",
    "ResourceGroupNotFound",
    false,
  ]);
});

it("deletes a group with everything in it, and takes nothing new meanwhile", async () => {
  await computeOf(fixture).virtualMachines.createOrUpdate(GROUP, "vm-a", vmSpec("vm-a"), fast);
  const id = fixture.faults.arm(
    rule({ operation: "^DELETE Microsoft.Resources", stage: "operation", action: { kind: "hold" } }),
  );
  const deleting = resourcesOf(fixture).resourceGroups.delete(GROUP, fast);
  await deleting.submitted();
  await fixture.faults.waitForHits(id, 1);
  const late = await put(NETWORK, { properties: { addressSpace: { addressPrefixes: ["10.0.0.0/16"] } } });
  fixture.faults.disarm(id);
  await deleting;

  expect(codeOf(late)).toBe("ResourceGroupBeingDeleted");
  expect(fixture.azure.remainingByType()).toEqual({});
  expect(fixture.hypervisor.running.size).toBe(0);
  await eventually(() =>
    fixture.events.some(({ subject, eventType }) => subject.endsWith("vm-a") && eventType.endsWith("DeleteSuccess")),
  );
});

it("lists the resources of a group, by tag and by type, without parts of others", async () => {
  await computeOf(fixture).virtualMachines.createOrUpdate(GROUP, "vm-a", vmSpec("vm-a"), fast);
  const typesOf = async (filter?: string): Promise<string[]> => {
    const types: string[] = [];
    for await (const { type = "" } of resourcesOf(fixture).resources.listByResourceGroup(
      GROUP,
      filter === undefined ? {} : { filter },
    ))
      types.push(type.split("/")[1] ?? "");
    return types.toSorted();
  };

  expect(await typesOf()).toEqual(["disks", "networkInterfaces", "virtualMachines", "virtualNetworks"]);
  expect(await typesOf("tagName eq 'corral:machine' and tagValue eq 'vm-a'")).toEqual([
    "disks",
    "networkInterfaces",
    "virtualMachines",
  ]);
  expect(await typesOf("resourceType eq 'Microsoft.Compute/disks'")).toEqual(["disks"]);
});

it("shows, changes and deletes any resource by its id", async () => {
  const { resources } = resourcesOf(fixture);

  const shown = await resources.getById(NETWORK, "2024-05-01");
  const updated = await resources.updateById(NETWORK, "2024-05-01", { tags: { b: "2" } }, fast);
  await resources.deleteById(NETWORK, "2024-05-01", fast);
  const gone = await resources.checkExistenceById(NETWORK, "2024-05-01");

  expect(shown.properties).toMatchObject({
    provisioningState: "Succeeded",
    subnets: [{ id: SUBNET_ID, name: "machines" }],
  });
  expect(updated.tags).toEqual({ b: "2" });
  expect(gone.body).toBe(false);
  expect(fixture.azure.remainingByType()).toEqual({ "Microsoft.Resources/resourceGroups": 1 });
});

it("keeps networks and subnets in which something lies", async () => {
  await computeOf(fixture).virtualMachines.createOrUpdate(GROUP, "vm-a", vmSpec("vm-a"), fast);
  const vm = await computeOf(fixture).virtualMachines.get(GROUP, "vm-a");
  const nic = vm.networkProfile?.networkInterfaces?.[0]?.id ?? "";

  const codes = [];
  for (const path of [NETWORK, SUBNET_ID, nic]) codes.push(codeOf(await call(fixture, { method: "DELETE", path })));
  const emptied = await put(NETWORK, {
    properties: { addressSpace: { addressPrefixes: ["10.64.0.0/16"] }, subnets: [] },
  });

  expect([...codes, codeOf(emptied)]).toEqual([
    "InUseSubnetCannotBeDeleted",
    "InUseSubnetCannotBeDeleted",
    "NicInUse",
    "InUseSubnetCannotBeDeleted",
  ]);
});

it("adds a subnet by itself, and only to a network that exists", async () => {
  const added = await call(fixture, {
    method: "PUT",
    path: `${NETWORK}/subnets/more`,
    body: { properties: { addressPrefix: "10.64.16.0/20" } },
  });
  const orphan = await call(fixture, {
    method: "PUT",
    path: `${NETWORK}x/subnets/more`,
    body: { properties: { addressPrefix: "10.64.16.0/20" } },
  });
  const kept = await put(NETWORK, { properties: { addressSpace: { addressPrefixes: ["10.64.0.0/16"] } } });

  expect([added.status, codeOf(orphan), kept.status]).toEqual([201, "ParentResourceNotFound", 200]);
  expect((kept.body as { properties: { subnets: object[] } }).properties.subnets).toHaveLength(2);
});

it("gives an identity its principal, the same again, and takes it away", async () => {
  const id = `${GROUP_ID}/providers/Microsoft.ManagedIdentity/userAssignedIdentities/machine`;
  const [first, second] = [await put(id, {}), await put(id, {})];
  const { clientId, principalId } = (first.body as { properties: { clientId: string; principalId: string } })
    .properties;
  const removed = await call(fixture, { method: "DELETE", path: id });

  expect([first.status, second.status, removed.status]).toEqual([201, 200, 200]);
  expect(second.body).toMatchObject({ properties: { clientId, principalId } });
  expect(() => fixture.azure.grant({ principalId, role: "Reader", scope: GROUP_ID })).toThrow(/no such principal/);
});

it("gives a storage account the endpoint of the emulator", async () => {
  const account = await put(`${GROUP_ID}/providers/Microsoft.Storage/storageAccounts/acmedata`, {
    kind: "StorageV2",
    sku: { name: "Standard_LRS" },
  });

  expect(account.body).toMatchObject({
    properties: { primaryEndpoints: { blob: "http://127.0.0.1:10000/acmedata" }, provisioningState: "Succeeded" },
  });
});

it("shows a subscription to who holds a role in it", async () => {
  const nobody = fixture.azure.addServicePrincipal({ displayName: "nobody" });
  const idsFor = async (as = fixture.owner): Promise<number> =>
    ((await call(fixture, { path: "/subscriptions", as })).body as { value: object[] }).value.length;

  expect([await idsFor(), await idsFor(nobody)]).toEqual([1, 0]);
  expect((await call(fixture, { path: `/subscriptions/${SUBSCRIPTION}` })).body).toMatchObject({
    subscriptionId: SUBSCRIPTION,
    state: "Enabled",
  });
});

it("remembers everything after a restart", async () => {
  await computeOf(fixture).virtualMachines.createOrUpdate(GROUP, "vm-a", vmSpec("vm-a"), fast);
  const before = fixture.azure.remainingByType();
  const { azure, folder } = fixture;
  await azure.close();

  fixture = await startFixture({ dataFolder: folder });

  expect(fixture.azure.remainingByType()).toEqual(before);
  expect(fixture.azure.vmsEverCreated()).toBe(1);
  expect((await call(fixture, { path: NETWORK })).status).toBe(200);
});
