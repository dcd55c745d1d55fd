import type { ServicePrincipal } from "../../../local/azure/azure-options";
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
  SPOT,
  startFixture,
  stopFixture,
  SUBSCRIPTION,
  vmSpec,
} from "../../local/azure/azure-fixture";
import { call, codeOf } from "../../local/azure/wire";
import { armClients } from "./arm-clients";
import { all, authorizationOf, giveRole, locksOf, refusalOf, ROLES } from "./rights-clients";

let fixture: AzureFixture;
beforeEach(async () => {
  fixture = await startFixture();
  await createEstate(fixture);
});
afterEach(() => stopFixture(fixture));

const SUBSCRIPTION_ID = `/subscriptions/${SUBSCRIPTION}`;
const VM = `${GROUP_ID}/providers/Microsoft.Compute/virtualMachines/vm-a`;
const makeVm = (more = {}) =>
  computeOf(fixture).virtualMachines.createOrUpdate(GROUP, "vm-a", vmSpec("vm-a", more), fast);
const deleteVm = (): Promise<unknown> => computeOf(fixture).virtualMachines.delete(GROUP, "vm-a", fast);
// By REST, as the document has it: the client's own operations by scope encode the scope's slashes.
const lockAt = (scope: string): string => `${scope}/providers/Microsoft.Authorization/locks/keep`;
const lock = (scope: string, level: string) =>
  call(fixture, { method: "PUT", path: lockAt(scope), body: { properties: { level, notes: "do not touch" } } });
const unlock = (scope: string) => call(fixture, { method: "DELETE", path: lockAt(scope) });
const locked = (scope: string, verb: string, by: string) => ({
  status: 409,
  code: "ScopeLocked",
  message: `The scope '${scope}' cannot perform ${verb} operation because following scope(s) are locked: '${by}'. Please remove the lock and try again.`,
});

it("makes, shows, lists and removes locks at subscription, group and resource (@azure/arm-locks 2.1.0)", async () => {
  await makeVm();
  const { managementLocks } = locksOf(fixture);
  const own = { level: "CanNotDelete", notes: "ours" };

  const atSubscription = await managementLocks.createOrUpdateAtSubscriptionLevel("s", own);
  const atGroup = await managementLocks.createOrUpdateAtResourceGroupLevel(GROUP, "g", own);
  const vm = [GROUP, "Microsoft.Compute", "", "virtualMachines", "vm-a"] as const;
  const atVm = await managementLocks.createOrUpdateAtResourceLevel(...vm, "v", own);
  const changed = await managementLocks.createOrUpdateAtResourceLevel(...vm, "v", { level: "ReadOnly" });
  const names = async (pages: AsyncIterable<{ name?: string }>) => (await all(pages)).map(({ name }) => name).sort();

  expect(atSubscription.id).toBe(`${SUBSCRIPTION_ID}/providers/Microsoft.Authorization/locks/s`);
  expect(atGroup).toMatchObject({ name: "g", type: "Microsoft.Authorization/locks", ...own });
  expect([atVm.level, changed.level, changed.notes]).toEqual(["CanNotDelete", "ReadOnly", undefined]);
  expect(await managementLocks.getAtResourceLevel(...vm, "v")).toMatchObject({ level: "ReadOnly" });
  expect(await names(managementLocks.listAtSubscriptionLevel())).toEqual(["g", "s", "v"]);
  expect(await names(managementLocks.listAtResourceGroupLevel(GROUP, { filter: "atScope()" }))).toEqual(["g", "s"]);
  expect(await names(managementLocks.listAtResourceLevel(...vm))).toEqual(["g", "s", "v"]);
  await managementLocks.deleteAtResourceLevel(...vm, "v");
  await managementLocks.deleteAtResourceLevel(...vm, "v");
  expect(await refusalOf(managementLocks.getAtResourceLevel(...vm, "v"))).toMatchObject({ status: 404 });
});

it.each([
  { where: "on the subscription", scope: SUBSCRIPTION_ID },
  { where: "on the group", scope: GROUP_ID },
  { where: "on the VM", scope: VM },
])(
  "keeps a VM by a CanNotDelete lock $where, and lets everything else happen to it (docs: lock-resources)",
  async ({ scope }) => {
    await makeVm();
    await lock(scope, "CanNotDelete");
    const { virtualMachines } = computeOf(fixture);

    expect(await refusalOf(deleteVm())).toEqual(locked(VM, "delete", scope));
    await virtualMachines.deallocate(GROUP, "vm-a", fast);
    await virtualMachines.update(GROUP, "vm-a", { tags: { a: "b" } }, fast);
    await unlock(scope);
    await deleteVm();

    expect(fixture.azure.remainingByType()).not.toHaveProperty("Microsoft.Compute/virtualMachines");
  },
);

it("keeps a whole group for one locked resource in it (docs: lock-resources, considerations)", async () => {
  await makeVm();
  await lock(VM, "CanNotDelete");
  const { resourceGroups } = resourcesOf(fixture);

  // The client writes `resourcegroups`, and is answered so.
  const asked = GROUP_ID.replace("resourceGroups", "resourcegroups");
  expect(await refusalOf(resourceGroups.delete(GROUP, fast))).toEqual(locked(asked, "delete", VM));
  await unlock(VM);
  await resourceGroups.delete(GROUP, fast);

  expect(fixture.azure.remainingByType()).toEqual({});
});

it("lets nothing be written under a ReadOnly lock, and no POST, but everything be read (docs: lock-resources)", async () => {
  await makeVm();
  await lock(GROUP_ID, "ReadOnly");
  const { virtualMachines } = computeOf(fixture);
  const operator = fixture.azure.addServicePrincipal({ displayName: "operator" });

  expect(await refusalOf(virtualMachines.deallocate(GROUP, "vm-a", fast))).toMatchObject({ code: "ScopeLocked" });
  expect(await refusalOf(virtualMachines.update(GROUP, "vm-a", { tags: {} }, fast))).toEqual(
    locked(VM, "write", GROUP_ID),
  );
  expect(await refusalOf(deleteVm())).toEqual(locked(VM, "delete", GROUP_ID));
  expect(
    await refusalOf(
      armClients(fixture).identities.userAssignedIdentities.createOrUpdate(GROUP, "id", { location: LOCATION }),
    ),
  ).toMatchObject({ code: "ScopeLocked" });
  expect(await refusalOf(giveRole(fixture, { scope: GROUP_ID, role: ROLES.reader, to: operator }))).toMatchObject({
    code: "ScopeLocked",
  });
  expect((await virtualMachines.get(GROUP, "vm-a", { expand: "instanceView" })).instanceView).toBeDefined();
});

it("keeps role assignments under a CanNotDelete lock (Azure/enterprise-azure-policy-as-code#933)", async () => {
  const operator = fixture.azure.addServicePrincipal({ displayName: "operator" });
  const { id = "" } = await giveRole(fixture, { scope: GROUP_ID, role: ROLES.reader, to: operator });
  await lock(SUBSCRIPTION_ID, "CanNotDelete");

  expect(await refusalOf(authorizationOf(fixture).roleAssignments.deleteById(id))).toMatchObject({
    code: "ScopeLocked",
  });
});

it.each([
  { role: "Contributor", status: 403 },
  { role: "User Access Administrator", status: 201 },
])("lets a $role lock: $status (docs: lock-resources, who can create or delete locks)", async ({ role, status }) => {
  const operator: ServicePrincipal = fixture.azure.addServicePrincipal({ displayName: "operator" });
  fixture.azure.grant({ principalId: operator.objectId, role, scope: GROUP_ID });
  const path = `${GROUP_ID}/providers/Microsoft.Authorization/locks/mine`;

  const reply = await call(fixture, { method: "PUT", path, body: { properties: { level: "ReadOnly" } }, as: operator });

  expect(reply.status).toBe(status);
});

it.each([
  { what: "another level", scope: GROUP_ID, properties: { level: "Never" }, code: "InvalidParameter" },
  {
    what: "a group that is not there",
    scope: `${SUBSCRIPTION_ID}/resourceGroups/none`,
    properties: { level: "ReadOnly" },
    code: "ResourceGroupNotFound",
  },
  { what: "a VM that is not there", scope: VM, properties: { level: "ReadOnly" }, code: "ResourceNotFound" },
])("takes no lock with $what (docs: rest/api/resources/management-locks)", async ({ scope, properties, code }) => {
  const path = `${scope}/providers/Microsoft.Authorization/locks/mine`;

  expect(codeOf(await call(fixture, { method: "PUT", path, body: { properties } }))).toBe(code);
});

it("asks for the role before it looks at locks (docs: lock-resources)", async () => {
  await lock(GROUP_ID, "ReadOnly");
  const stranger = fixture.azure.addServicePrincipal({ displayName: "stranger" });

  expect(codeOf(await call(fixture, { method: "DELETE", path: VM, as: stranger }))).toBe("AuthorizationFailed");
});

it("evicts a locked VM all the same, and forgets the lock with the VM (docs: lock-resources, control plane only)", async () => {
  await makeVm(SPOT);
  await lock(VM, "CanNotDelete");
  await fetch(`${fixture.azure.portalUrl}/vms/vm-a/evict`, { method: "POST" });
  await eventually(() => fixture.azure.remainingByType()["Microsoft.Compute/virtualMachines"] === undefined);
  await makeVm();

  expect(await all(locksOf(fixture).managementLocks.listAtSubscriptionLevel())).toEqual([]);
  await deleteVm();
});
