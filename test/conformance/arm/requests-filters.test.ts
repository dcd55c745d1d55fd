import {
  type AzureFixture,
  computeOf,
  createEstate,
  fast,
  GROUP,
  GROUP_ID,
  LOCATION,
  resourcesOf,
  startFixture,
  stopFixture,
  vmSpec,
} from "../../local/azure/azure-fixture";
import { call, codeOf, messageOf } from "../../local/azure/wire";
import { armClients } from "./arm-clients";
import { createGroups, createNetwork, GROUPS, SUBSCRIPTION_ID } from "./arm-fixture";
import { all, refusalOf } from "./rights-clients";

let fixture: AzureFixture;
beforeAll(async () => {
  fixture = await startFixture();
  await createEstate(fixture);
  await createGroups(fixture, ["other"], { tags: { Team: "b", cost: "1" } });
  const { network } = armClients(fixture);
  await createNetwork(network, "demo-a", { Team: "a", cost: "1" });
  await createNetwork(network, "demo-b", { team: "b", department: "a" });
  await network.virtualNetworks.createOrUpdate(
    "other",
    "far",
    { location: "northeurope", addressSpace: { addressPrefixes: ["10.0.0.0/16"] } },
    fast,
  );
  await call(fixture, {
    method: "PUT",
    path: `${GROUP_ID}/providers/Microsoft.ManagedIdentity/userAssignedIdentities/demo-id`,
    body: { location: LOCATION },
  });
  await computeOf(fixture).virtualMachines.createOrUpdate(
    GROUP,
    "vm-a",
    vmSpec("vm-a", { identity: { type: "SystemAssigned" } }),
    fast,
  );
});
afterAll(() => stopFixture(fixture));

const found = async (filter: string): Promise<string[]> =>
  (await all(resourcesOf(fixture).resources.list({ filter }))).map(({ name = "" }) => name);

it.each([
  ["resourceType eq 'Microsoft.Network/virtualNetworks'", ["demo-a", "demo-b", "vnet", "far"]],
  ["RESOURCETYPE EQ 'microsoft.network/VIRTUALNETWORKS' AND name ne 'vnet'", ["demo-a", "demo-b", "far"]],
  ["name eq 'DEMO-A'", ["demo-a"]],
  ["location eq 'North Europe'", ["far"]],
  ["location ne 'westus3'", ["far"]],
  ["resourceType ne 'Microsoft.Network/virtualNetworks' and substringof('-id', name)", ["demo-id"]],
  ["resourceGroup eq 'OTHER'", ["far"]],
  ["substringof('demo', name)", ["demo-id", "demo-a", "demo-b"]],
  ["substringof('demo', name) and resourceType eq 'Microsoft.Network/virtualNetworks'", ["demo-a", "demo-b"]],
  ["substringof('far', name) or substringof('id', name) and location eq 'westus3'", ["demo-id", "far"]],
  ["(name eq 'far' or name eq 'vnet') and location eq 'westus3'", ["vnet"]],
  ["substringof('oth', resourceGroup)", ["far"]],
  ["identity eq 'SystemAssigned'", ["vm-a"]],
  ["tagName eq 'TEAM'", ["demo-a", "demo-b"]],
  ["tagName eq 'team' and tagValue eq 'a'", ["demo-a"]],
  ["tagName eq 'team' and tagValue eq 'A'", []],
  ["tagName eq 'department' and tagValue eq 'b'", []],
  ["startswith(tagName, 'depart')", ["demo-b"]],
  ["name eq 'it''s'", []],
] as const)("filters resources: %s (@azure/arm-resources 8, resources.list)", async (filter, expected) => {
  const names = await found(filter);

  expect(names.toSorted()).toEqual(expected.toSorted());
});

it("finds a VM by its identity's principal (@azure/arm-resources 8, filter)", async () => {
  const vm = await computeOf(fixture).virtualMachines.get(GROUP, "vm-a");

  expect(await found(`identity/principalId eq '${vm.identity?.principalId ?? ""}'`)).toEqual(["vm-a"]);
});

it("shows no tags to who filters by a tag's name and value (@azure/arm-resources 8, filter)", async () => {
  const { resources } = resourcesOf(fixture);
  const byValue = await all(resources.listByResourceGroup(GROUP, { filter: "tagName eq 'team' and tagValue eq 'a'" }));
  const byName = await all(resources.listByResourceGroup(GROUP, { filter: "tagName eq 'cost'" }));

  expect([byValue.map(({ tags }) => tags), byName.map(({ tags }) => tags)]).toEqual([
    [undefined],
    [{ Team: "a", cost: "1" }],
  ]);
});

it.each([
  "$filter=resourceType eq 'x'",
  "nonsense",
  "name eq",
  "name eq 'x",
  "name eq x",
  "name gt 'x'",
  "color eq 'x'",
  "tagName ne 'x'",
  "tagValue eq 'x'",
  "startswith(name, 'x')",
  "substringof(name, 'x')",
  "substringof('x', location)",
  "name eq 'x' and",
  "(name eq 'x'",
  "name eq 'x') or (name eq 'y'",
  `${"(".repeat(500)}name eq 'x'${")".repeat(500)}`,
  "name eq 'x' or ".repeat(500),
])("refuses what is no filter of resources: %.60s (recorded: InvalidFilterInQueryString)", async (filter) => {
  const refused = await call(fixture, {
    path: `${SUBSCRIPTION_ID}/resources?$filter=${encodeURIComponent(filter)}`,
  });

  expect([refused.status, codeOf(refused), messageOf(refused)]).toEqual([
    400,
    "InvalidFilterInQueryString",
    `Invalid $filter '${filter.trim()}' specified in the query string.`,
  ]);
});

it("filters groups by tags, and by nothing else (recorded: azure-sdk-for-go, GroupsClient.List)", async () => {
  const { resourceGroups } = resourcesOf(fixture);
  const names = async (filter: string) => (await all(resourceGroups.list({ filter }))).map(({ name }) => name);

  expect(await names("tagName eq 'team' and tagValue eq 'b'")).toEqual(["other"]);
  expect(await names("tagName eq 'cost'")).toEqual(["other"]);
  expect(await refusalOf(names("name eq 'foo'"))).toMatchObject({ status: 400, code: "InvalidFilterInQueryString" });
  expect((await all(resourceGroups.list({ filter: "tagName eq 'cost'" })))[0]?.tags).toEqual({ Team: "b", cost: "1" });
});

it("says when resources were made and changed, and how they are, to who asks (@azure/arm-resources 8, expand)", async () => {
  const { resources, tagsOperations } = resourcesOf(fixture);
  const filter = "name eq 'demo-b'";
  await tagsOperations.updateAtScope(
    `${GROUP_ID}/providers/Microsoft.Network/virtualNetworks/demo-b`,
    { operation: "Merge", properties: { tags: { later: "1" } } },
    fast,
  );

  const [plain] = await all(resources.list({ filter }));
  const [whole] = await all(resources.list({ filter, expand: "createdTime,changedTime,provisioningState" }));

  expect([plain?.createdTime, plain?.changedTime, plain?.provisioningState]).toEqual([undefined, undefined, undefined]);
  expect(whole?.provisioningState).toBe("Succeeded");
  expect(whole?.changedTime?.getTime()).toBeGreaterThan(whole?.createdTime?.getTime() ?? Number.NaN);
});

it("shows the states of all VMs of a subscription, and leaves the rest out (@azure/arm-compute 25, statusOnly)", async () => {
  const { virtualMachines } = computeOf(fixture);

  const [status] = await all(virtualMachines.listAll({ statusOnly: "true" }));
  const [whole] = await all(virtualMachines.listAll());

  expect(status?.instanceView?.statuses?.map(({ code }) => code)).toEqual([
    "ProvisioningState/succeeded",
    "PowerState/running",
  ]);
  expect([status?.hardwareProfile, whole?.instanceView]).toEqual([undefined, undefined]);
  expect(whole?.hardwareProfile?.vmSize).toBe("Standard_NC4as_T4_v3");
});

it("finds nothing of a group that is not there (docs: ResourceGroupNotFound)", async () => {
  expect(
    codeOf(await call(fixture, { path: `${GROUPS}/none/resources?$filter=name eq 'x'`.replaceAll(" ", "%20") })),
  ).toBe("ResourceGroupNotFound");
});
