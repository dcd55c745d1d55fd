import type { VirtualMachine } from "@azure/arm-compute";
import {
  type AzureFixture,
  computeOf,
  createEstate,
  eventually,
  fast,
  GROUP,
  GROUP_ID,
  LOCATION,
  SPOT,
  startFixture,
  stopFixture,
  SUBSCRIPTION,
  vmSpec,
} from "./azure-fixture";
import { call, codeOf, messageOf } from "./wire";

let fixture: AzureFixture;
beforeEach(async () => {
  fixture = await startFixture();
  await createEstate(fixture);
});
afterEach(() => stopFixture(fixture));

const create = (name: string, more: Partial<VirtualMachine> = {}) =>
  computeOf(fixture).virtualMachines.createOrUpdate(GROUP, name, vmSpec(name, more), fast);
const errorOf = (work: PromiseLike<unknown>): Promise<{ statusCode: number; code: string; message: string }> =>
  Promise.resolve(work).then(
    () => {
      throw new Error("It was not refused.");
    },
    (error: unknown) => error as { statusCode: number; code: string; message: string },
  );
const powerStates = async (name: string): Promise<(string | undefined)[]> =>
  (await computeOf(fixture).virtualMachines.instanceView(GROUP, name)).statuses?.map(({ code }) => code) ?? [];
const vmPath = (name: string): string => `${GROUP_ID}/providers/Microsoft.Compute/virtualMachines/${name}`;

it("creates, shows and deletes a VM for the official client, with all that it brought along", async () => {
  const compute = computeOf(fixture);

  const created = await create("vm-a");
  const states = await powerStates("vm-a");
  const during = fixture.azure.remainingByType();
  await compute.virtualMachines.delete(GROUP, "vm-a", fast);

  expect(created).toMatchObject({ name: "vm-a", provisioningState: "Succeeded", location: LOCATION });
  expect(states).toEqual(["ProvisioningState/succeeded", "PowerState/running"]);
  expect(during).toMatchObject({ "Microsoft.Compute/disks": 1, "Microsoft.Network/networkInterfaces": 1 });
  expect(fixture.azure.remainingByType()).toEqual({
    "Microsoft.Resources/resourceGroups": 1,
    "Microsoft.Network/virtualNetworks": 1,
    "Microsoft.Network/virtualNetworks/subnets": 1,
  });
  expect(fixture.hypervisor.log).toEqual(["on vm-a", "off vm-a", "off vm-a discard"]);
});

it("gives the machine its custom data, and nobody else", async () => {
  const created = await create("vm-a");
  const shown = await call(fixture, { path: `${vmPath("vm-a")}?$expand=userData` });

  expect([...fixture.hypervisor.running.values()]).toMatchObject([
    { name: "vm-a", customData: vmSpec("vm-a").osProfile?.customData, vmId: created.vmId },
  ]);
  expect(JSON.stringify(shown.body)).not.toMatch(/customData/i);
});

it("names the inline network interface itself, and links it from the VM", async () => {
  const created = await create("vm-a");
  const id = created.networkProfile?.networkInterfaces?.[0]?.id ?? "";
  const nic = await call(fixture, { path: id });

  expect(id).toMatch(/networkInterfaces\/nic-vm-a-[0-9a-f]{8}$/);
  expect(nic.body).toMatchObject({
    tags: { "corral:machine": "vm-a" },
    properties: { virtualMachine: { id: created.id } },
  });
});

it("keeps parts whose delete option is Detach, and frees them", async () => {
  const spec = vmSpec("vm-a");
  const osDisk = { ...spec.storageProfile?.osDisk, createOption: "FromImage", deleteOption: "Detach" };
  await create("vm-a", { storageProfile: { ...spec.storageProfile, osDisk } });
  const attached = await call(fixture, {
    method: "DELETE",
    path: `${GROUP_ID}/providers/Microsoft.Compute/disks/osdisk-vm-a`,
  });
  await computeOf(fixture).virtualMachines.delete(GROUP, "vm-a", fast);

  const disk = await computeOf(fixture).disks.get(GROUP, "osdisk-vm-a");
  await computeOf(fixture).disks.delete(GROUP, "osdisk-vm-a", fast);

  expect(codeOf(attached)).toBe("OperationNotAllowed");
  expect(disk.diskState).toBe("Unattached");
  expect(fixture.azure.remainingByType()["Microsoft.Compute/disks"]).toBeUndefined();
});

it("takes the same PUT twice for the same VM", async () => {
  const [first, second] = await Promise.all([create("vm-a"), create("vm-a")]);

  expect(second.vmId).toBe(first.vmId);
  expect(fixture.azure.vmsEverCreated()).toBe(1);
});

it("refuses to create over an existing VM when asked to with If-None-Match", async () => {
  await create("vm-a");

  const again = computeOf(fixture).virtualMachines.createOrUpdate(GROUP, "vm-a", vmSpec("vm-a"), {
    ...fast,
    ifNoneMatch: "*",
  });

  expect(await errorOf(again.submitted())).toMatchObject({ statusCode: 412, code: "PreconditionFailed" });
});

it.each([
  { property: "osProfile.customData", change: { osProfile: { ...vmSpec("vm-a").osProfile, customData: "bmV3" } } },
  { property: "priority", change: SPOT },
  { property: "imageReference.sku", change: { storageProfile: { imageReference: { sku: "2404" } } } },
])("refuses a change of $property", async ({ property, change }) => {
  await create("vm-a");

  const error = await errorOf(create("vm-a", change).submitted());

  expect(error).toMatchObject({ statusCode: 409, code: "PropertyChangeNotAllowed" });
  expect(error.message).toContain(property);
});

it("changes tags by PATCH", async () => {
  await create("vm-a");
  const updated = await computeOf(fixture).virtualMachines.update(GROUP, "vm-a", { tags: { held: "yes" } }, fast);

  expect(updated).toMatchObject({ tags: { held: "yes" }, provisioningState: "Succeeded" });
});

it.each([
  {
    what: "an unknown size",
    change: { hardwareProfile: { vmSize: "Standard_Nothing" } },
    status: 400,
    code: "InvalidParameter",
  },
  {
    what: "an unknown location",
    change: { location: "moon" },
    status: 400,
    code: "LocationNotAvailableForResourceType",
  },
  {
    what: "custom data that is no base64",
    change: { osProfile: { ...vmSpec("x").osProfile, customData: "{}" } },
    status: 400,
    code: "InvalidParameter",
  },
  {
    what: "an eviction policy without spot",
    change: { evictionPolicy: "Delete" },
    status: 409,
    code: "OperationNotAllowed",
  },
  { what: "no network", change: { networkProfile: undefined }, status: 400, code: "InvalidParameter" },
] as { what: string; change: Partial<VirtualMachine>; status: number; code: string }[])(
  "refuses $what",
  async ({ change, status, code }) => {
    const spec = { ...vmSpec("vm-a"), ...change };

    const error = await errorOf(
      computeOf(fixture).virtualMachines.createOrUpdate(GROUP, "vm-a", spec, fast).submitted(),
    );

    expect(error).toMatchObject({ statusCode: status, code });
    expect(fixture.azure.vmsEverCreated()).toBe(0);
  },
);

it("refuses members that Azure does not know", async () => {
  const body = { location: LOCATION, properties: { hardwareProfile: { vmSiez: "x" } } };
  const reply = await call(fixture, { method: "PUT", path: vmPath("vm-a"), body });

  expect([reply.status, codeOf(reply)]).toEqual([400, "InvalidRequestContent"]);
  expect(messageOf(reply)).toContain("vmSiez");
});

it("refuses a subnet and an identity that do not exist", async () => {
  const missing = `${GROUP_ID}/providers/Microsoft.Network/virtualNetworks/vnet/subnets/none`;
  const identity = `${GROUP_ID}/providers/Microsoft.ManagedIdentity/userAssignedIdentities/none`;
  const nic = { name: "nic", deleteOption: "Delete", ipConfigurations: [{ name: "ip", subnet: { id: missing } }] };
  const networkProfile = { networkApiVersion: "2022-11-01", networkInterfaceConfigurations: [nic] };

  const noSubnet = await errorOf(create("vm-a", { networkProfile }).submitted());
  const noIdentity = await errorOf(
    create("vm-a", { identity: { type: "UserAssigned", userAssignedIdentities: { [identity]: {} } } }).submitted(),
  );

  expect([noSubnet.code, noIdentity.code]).toEqual(["InvalidResourceReference", "FailedIdentityOperation"]);
});

it("gives the machine its identities, and takes the system-assigned one along", async () => {
  const id = `${GROUP_ID}/providers/Microsoft.ManagedIdentity/userAssignedIdentities/machine`;
  await call(fixture, { method: "PUT", path: id, body: { location: LOCATION } });

  const created = await create("vm-a", {
    identity: { type: "SystemAssigned, UserAssigned", userAssignedIdentities: { [id]: {} } },
  });
  const hosted = [...fixture.hypervisor.running.values()][0];
  await computeOf(fixture).virtualMachines.delete(GROUP, "vm-a", fast);

  expect(hosted?.identities.map(({ kind }) => kind)).toEqual(["system-assigned", "user-assigned"]);
  expect(created.identity?.principalId).toBe(hosted?.identities[0]?.principalId);
  const [own] = hosted?.identities ?? [];
  await expect(
    fixture.azure.tokens.issueForIdentity(own ?? ({} as never), "https://management.azure.com"),
  ).rejects.toThrow(/does not exist/);
});

it("deletes what is not there with 204, and knows no VM of another group", async () => {
  const gone = await call(fixture, { method: "DELETE", path: vmPath("vm-none") });
  const shown = await call(fixture, { path: vmPath("vm-none") });
  const group = await call(fixture, {
    path: `/subscriptions/${SUBSCRIPTION}/resourceGroups/other/providers/Microsoft.Compute/virtualMachines/vm-none`,
  });

  expect([gone.status, codeOf(shown), codeOf(group)]).toEqual([204, "ResourceNotFound", "ResourceGroupNotFound"]);
});

it("lists VMs by group and by subscription, with states only where that is asked for", async () => {
  const { virtualMachines } = computeOf(fixture);
  await Promise.all([create("vm-a"), create("vm-b")]);
  const inGroup: (string | undefined)[] = [];
  const states: unknown[] = [];

  for await (const { name } of virtualMachines.list(GROUP)) inGroup.push(name);
  for await (const { name, instanceView } of virtualMachines.listAll({ statusOnly: "true" }))
    states.push([name, instanceView?.statuses?.at(-1)?.code]);

  expect(inGroup).toEqual(["vm-a", "vm-b"]);
  expect(states).toEqual([
    ["vm-a", "PowerState/running"],
    ["vm-b", "PowerState/running"],
  ]);
});

it("tells of writes and deletions when they are done, and of reads nothing", async () => {
  await create("vm-a");
  await computeOf(fixture).virtualMachines.get(GROUP, "vm-a");
  await computeOf(fixture).virtualMachines.delete(GROUP, "vm-a", fast);
  await eventually(() => fixture.events.some(({ eventType }) => eventType.endsWith("DeleteSuccess")));

  const told = fixture.events.filter(({ subject }) => subject.endsWith("vm-a"));
  expect(told.map(({ eventType, data }) => [eventType, data["operationName"], data["status"]])).toEqual([
    ["Microsoft.Resources.ResourceWriteSuccess", "Microsoft.Compute/virtualMachines/write", "Succeeded"],
    ["Microsoft.Resources.ResourceDeleteSuccess", "Microsoft.Compute/virtualMachines/delete", "Succeeded"],
  ]);
  expect(told.map(({ data }) => "httpRequest" in data)).toEqual([false, true]);
  expect(told[0]?.data["claims"]).toMatchObject({
    "http://schemas.microsoft.com/identity/claims/objectidentifier": fixture.owner.objectId,
  });
});
