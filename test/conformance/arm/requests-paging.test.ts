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
import { armClients, deploymentsOf } from "./arm-clients";
import { createGroups, createNetwork, GROUPS, nextLinkOf, pagesOf, pathOf, SUBSCRIPTION_ID } from "./arm-fixture";
import { deployToGroup, templateOf } from "./deploy";
import { all, authorizationOf, giveRole, locksOf, ROLES } from "./rights-clients";

let fixture: AzureFixture;
beforeEach(async () => {
  fixture = await startFixture({ pageSize: 2 });
  await createEstate(fixture);
});
afterEach(() => stopFixture(fixture));

const names = (rows: readonly { readonly name?: string }[]): string[] => rows.map(({ name = "" }) => name);
const DISKS = `${GROUP_ID}/providers/Microsoft.Compute/disks`;
const putDisk = (name: string) =>
  call(fixture, {
    method: "PUT",
    path: `${DISKS}/${name}`,
    body: { location: LOCATION, properties: { creationData: { createOption: "Empty" }, diskSizeGB: 4 } },
  });

it("leads a client through groups, and through resources (@azure/arm-resources 8, list)", async () => {
  await createGroups(fixture, ["g3", "g1", "g2"]);
  for (const name of ["d1", "d2"]) await putDisk(name);
  const { resourceGroups, resources } = resourcesOf(fixture);

  expect(names(await all(resourceGroups.list()))).toEqual([GROUP, "g1", "g2", "g3"]);
  expect(names(await all(resources.list()))).toEqual(["d1", "d2", "vnet"]);
  expect(names(await all(resources.listByResourceGroup(GROUP)))).toEqual(["d1", "d2", "vnet"]);
});

it("leads a client through VMs of a group and of a subscription (@azure/arm-compute 25, list, listAll)", async () => {
  const { virtualMachines, disks } = computeOf(fixture);
  for (const name of ["vm-b", "vm-c", "vm-a"]) await virtualMachines.createOrUpdate(GROUP, name, vmSpec(name), fast);

  const found = ["vm-a", "vm-b", "vm-c"];
  expect(names(await all(virtualMachines.list(GROUP)))).toEqual(found);
  expect(names(await all(virtualMachines.listAll()))).toEqual(found);
  expect(names(await all(virtualMachines.listAll({ statusOnly: "true" })))).toEqual(found);
  expect(names(await all(disks.list()))).toEqual(found.map((name) => `osdisk-${name}`));
});

it("leads a client through networks and subnets (@azure/arm-network 39, list, listAll)", async () => {
  const { network } = armClients(fixture);
  for (const name of ["a", "b"]) await createNetwork(network, name);
  for (const name of ["s1", "s2"])
    await network.subnets.createOrUpdate(GROUP, "vnet", name, { addressPrefix: "10.64.64.0/20" }, fast);

  expect(names(await all(network.virtualNetworks.list(GROUP)))).toEqual(["a", "b", "vnet"]);
  expect(names(await all(network.virtualNetworks.listAll()))).toEqual(["a", "b", "vnet"]);
  expect(names(await all(network.subnets.list(GROUP, "vnet")))).toEqual(["machines", "s1", "s2"]);
});

it("leads a client through role assignments and definitions (@azure/arm-authorization 9, listForScope, list)", async () => {
  for (const displayName of ["a", "b", "c"])
    await giveRole(fixture, {
      scope: GROUP_ID,
      role: ROLES.reader,
      to: fixture.azure.addServicePrincipal({ displayName }),
    });
  const { roleAssignments, roleDefinitions } = authorizationOf(fixture);
  const builtIn = names(await all(roleDefinitions.list(SUBSCRIPTION_ID)));

  expect(await all(roleAssignments.listForScope(GROUP_ID))).toHaveLength(4);
  expect(builtIn.length).toBeGreaterThan(4);
  expect(new Set(builtIn).size).toBe(builtIn.length);
});

it("leads a client through locks, and through providers (@azure/arm-locks 2, @azure/arm-resources 8)", async () => {
  const { managementLocks } = locksOf(fixture);
  for (const name of ["l1", "l2", "l3"])
    await managementLocks.createOrUpdateAtResourceGroupLevel(GROUP, name, { level: "CanNotDelete" });
  const found = await all(resourcesOf(fixture).providers.list());

  expect(names(await all(managementLocks.listAtResourceGroupLevel(GROUP)))).toEqual(["l1", "l2", "l3"]);
  expect(found.map(({ namespace }) => namespace)).toEqual(
    expect.arrayContaining(["Microsoft.Authorization", "Microsoft.Compute", "Microsoft.Storage"]),
  );
});

it("leads a client through deployments, the last one first, and through their operations (@azure/arm-resourcesdeployments 2)", async () => {
  for (const name of ["p1", "p2", "p3"])
    await deployToGroup(fixture, { name, template: templateOf({ resources: [] }) });
  const { deployments } = deploymentsOf(fixture);

  expect(names(await all(deployments.listByResourceGroup(GROUP)))).toEqual(["p3", "p2", "p1"]);
});

it("goes on at its place while rows come and go (docs: list operations)", async () => {
  for (const name of ["b", "d", "f", "h"]) await putDisk(name);
  const first = await call(fixture, { path: DISKS });
  await call(fixture, { method: "DELETE", path: `${DISKS}/d` });
  for (const name of ["a", "e"]) await putDisk(name);

  const rest = await pagesOf(fixture, pathOf(nextLinkOf(first)));

  expect(rest).toEqual([["e", "f"], ["h"]]);
});

it("cuts pages by $top, and keeps filter and $top in what follows (@azure/arm-resources 8, top)", async () => {
  await createGroups(fixture, ["g1", "g2", "g3"], { tags: { team: "a" } });
  const path = `${GROUPS}?$top=1&$filter=${encodeURIComponent("tagName eq 'team' and tagValue eq 'a'")}`;

  const first = await call(fixture, { path });

  expect(await pagesOf(fixture, path)).toEqual([["g1"], ["g2"], ["g3"]]);
  expect(nextLinkOf(first)).toMatch(
    /^https:\/\/127.0.0.1:\d+\/subscriptions\/[^?]+\?%24top=1&%24filter=tagName%20eq.*&%24skiptoken=[\w-]+$/,
  );
  expect(names(await all(resourcesOf(fixture).resourceGroups.list({ top: 1 })))).toHaveLength(4);
});

it.each(["0", "-1", "x", "1.5", "99999999999"])(
  "refuses a $top that is no number of rows: %s (docs: top)",
  async (top) => {
    const refused = await call(fixture, { path: `${GROUPS}?$top=${top}` });

    expect([refused.status, codeOf(refused)]).toEqual([400, "InvalidTopInQueryString"]);
  },
);

it("ignores $top where Azure has none (@azure/arm-network 39, list)", async () => {
  const { network } = armClients(fixture);
  await createNetwork(network, "a");

  const reply = await call(fixture, { path: `${GROUP_ID}/providers/Microsoft.Network/virtualNetworks?$top=1` });

  expect(reply.body).toMatchObject({ value: [{ name: "a" }, { name: "vnet" }] });
});

it("refuses a token that it did not give, or gave for another list (recorded: InvalidParameter, $skiptoken)", async () => {
  await createGroups(fixture, ["g1", "g2"]);
  const token = new URL(nextLinkOf(await call(fixture, { path: GROUPS }))).searchParams.get("$skiptoken") ?? "";
  const forged = Buffer.from('["x","y"]').toString("base64url");

  const replies = [];
  for (const path of [
    `${GROUPS}?$skiptoken=`,
    `${GROUPS}?$skiptoken=bad`,
    `${GROUPS}?$skiptoken=${forged}`,
    `${GROUPS}?$skiptoken=${token}&$filter=${encodeURIComponent("tagName eq 'x'")}`,
    `${SUBSCRIPTION_ID}/resources?$skiptoken=${token}`,
  ])
    replies.push(await call(fixture, { path }));

  expect(replies.map(({ status }) => status)).toEqual([400, 400, 400, 400, 400]);
  expect(replies[1]?.body).toEqual({
    error: {
      code: "InvalidParameter",
      message: messageOf(replies[0] ?? { status: 0, headers: {}, body: {} }),
      target: "$skiptoken",
    },
  });
  expect((await call(fixture, { path: `${GROUPS}?$SkipToken=${token}` })).body).toMatchObject({
    value: [{ name: "g2" }],
  });
});
