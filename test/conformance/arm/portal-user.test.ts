import {
  type AzureFixture,
  computeOf,
  createEstate,
  eventually,
  fast,
  GROUP,
  GROUP_ID,
  LOCATION,
  startFixture,
  stopFixture,
  SUBSCRIPTION,
  vmSpec,
} from "../../local/azure/azure-fixture";
import { call } from "../../local/azure/wire";
import { all, authorizationOf, giveRole, locksOf, refusalOf, ROLES } from "./rights-clients";

let fixture: AzureFixture;
beforeEach(async () => {
  fixture = await startFixture();
  await createEstate(fixture);
  await vms().createOrUpdate(GROUP, "vm-a", vmSpec("vm-a"), fast);
  fixture.events.length = 0;
});
afterEach(() => stopFixture(fixture));

const VM = `${GROUP_ID}/providers/Microsoft.Compute/virtualMachines/vm-a`;
const UPN = "http://schemas.xmlsoap.org/ws/2005/05/identity/claims/upn";
const OBJECT_ID = "http://schemas.microsoft.com/identity/claims/objectidentifier";
const vms = () => computeOf(fixture).virtualMachines;

interface Reply {
  readonly status: number;
  readonly body: {
    by?: { objectId: string };
    operation?: string;
    result?: object;
    error?: { code: string; message: string };
  };
}

async function person(action: string, body: object): Promise<Reply> {
  const url = `${fixture.azure.portalUrl}/person/${action}`;
  const reply = await fetch(url, { method: "POST", body: JSON.stringify(body) });
  const text = await reply.text();
  return { status: reply.status, body: (text ? JSON.parse(text) : {}) as Reply["body"] };
}

/** Who did it, as the event of the action tells. */
async function doerOf(action: string): Promise<Record<string, unknown>> {
  const find = () =>
    fixture.events.find(({ data }) => (data as { operationName?: string } | undefined)?.operationName === action);
  await eventually(() => find() !== undefined);
  return find()?.data as Record<string, unknown>;
}

it("deletes a VM as a named person with Owner, and its event names that person (docs: event-schema-subscriptions)", async () => {
  const { status, body } = await person("delete", { target: "vm-a", as: "Grace Hopper" });
  const { claims, authorization } = await doerOf("Microsoft.Compute/virtualMachines/delete");

  expect([status, body.operation?.startsWith(fixture.azure.armUrl)]).toEqual([202, true]);
  expect(claims).toMatchObject({
    [UPN]: "grace.hopper@local.onmicrosoft.com",
    [OBJECT_ID]: body.by?.objectId,
    name: "Grace Hopper",
    appid: "c44b4083-3bb0-49c1-b47d-974e53cbdf3c",
  });
  expect(authorization).toMatchObject({
    evidence: { role: "Owner", principalType: "User", principalId: body.by?.objectId.replaceAll("-", "") },
  });
  const users = (await (await fetch(`${fixture.azure.portalUrl}/entra/users`)).json()) as { value: { id: string }[] };
  expect(users.value.map(({ id }) => id)).toContain(body.by?.objectId);
});

it.each([
  { action: "stop", operation: "powerOff", power: "stopped" },
  { action: "deallocate", operation: "deallocate", power: "deallocated" },
  { action: "restart", operation: "restart", power: "running" },
])("does $action to a VM by hand (@azure/arm-compute 25.1.1 sees it)", async ({ action, operation, power }) => {
  const { status } = await person(action, { target: VM });
  const { claims } = await doerOf(`Microsoft.Compute/virtualMachines/${operation}/action`);
  const { statuses } = await vms().instanceView(GROUP, "vm-a");

  expect([status, statuses?.at(-1)?.code]).toEqual([202, `PowerState/${power}`]);
  expect(claims).toMatchObject({ name: "Portal User" });
});

it("starts, resizes and tags a VM by hand; tags that are there stay (@azure/arm-compute 25.1.1 sees it)", async () => {
  await vms().deallocate(GROUP, "vm-a", fast);
  await person("start", { target: "vm-a" });
  await eventually(() => fixture.hypervisor.running.size === 1);
  await eventually(async () => (await vms().get(GROUP, "vm-a")).provisioningState === "Succeeded");
  const resized = await person("resize", { target: "vm-a", vmSize: "Standard_NC8as_T4_v3" });
  await eventually(async () => (await vms().get(GROUP, "vm-a")).provisioningState === "Succeeded");
  const tagged = await person("tag", { target: "vm-a", tags: { owner: "grace" } });
  await eventually(async () => (await vms().get(GROUP, "vm-a")).provisioningState === "Succeeded");
  const untagged = await person("tag", { target: "vm-a", tags: { "corral:machine": null } });

  expect([resized.status, tagged.status, untagged.status]).toEqual([200, 200, 200]);
  expect(await vms().get(GROUP, "vm-a")).toMatchObject({
    hardwareProfile: { vmSize: "Standard_NC8as_T4_v3" },
    tags: { owner: "grace" },
  });
});

it("deletes a disk, a network interface and a group by hand, with ARM's own refusals (docs: errors of Compute and Network)", async () => {
  const disk = `${GROUP_ID}/providers/Microsoft.Compute/disks`;
  await call(fixture, {
    method: "PUT",
    path: `${disk}/free`,
    body: { location: LOCATION, properties: { creationData: { createOption: "Empty" } } },
  });
  const { networkProfile } = await vms().get(GROUP, "vm-a");

  const attached = await person("delete", { target: `${disk}/osdisk-vm-a` });
  const used = await person("delete", { target: networkProfile?.networkInterfaces?.[0]?.id ?? "" });
  const free = await person("delete", { target: `${disk}/free` });
  const group = await person("delete", { target: GROUP_ID });
  await eventually(() => Object.keys(fixture.azure.remainingByType()).length === 0);

  expect([attached.body.error?.code, used.body.error?.code]).toEqual(["OperationNotAllowed", "NicInUse"]);
  expect([free.status, group.status]).toEqual([202, 202]);
  expect((await doerOf("Microsoft.Resources/subscriptions/resourceGroups/delete"))["claims"]).toMatchObject({
    name: "Portal User",
  });
});

it("adds a lock by hand, that stops the next person too, and takes it away (@azure/arm-locks 2.1.0 sees it)", async () => {
  const made = await person("lock", { target: GROUP_ID, name: "stop", level: "CanNotDelete", notes: "audit" });
  const stopped = await person("delete", { target: "vm-a", as: "Ada Lovelace" });
  const locks = await all(locksOf(fixture).managementLocks.listAtResourceGroupLevel(GROUP));
  const gone = await person("delete", { target: `${GROUP_ID}/providers/Microsoft.Authorization/locks/stop` });

  expect(locks).toMatchObject([{ name: "stop", level: "CanNotDelete", notes: "audit" }]);
  expect([made.status, stopped.body.error?.code, gone.status]).toEqual([201, "ScopeLocked", 200]);
  expect((await person("delete", { target: "vm-a" })).status).toBe(202);
});

it("takes a role assignment away by hand (@azure/arm-authorization 9.0.0 sees it)", async () => {
  const operator = fixture.azure.addServicePrincipal({ displayName: "operator" });
  const { id = "" } = await giveRole(fixture, { scope: GROUP_ID, role: ROLES.reader, to: operator });

  await person("delete", { target: id });

  expect(await refusalOf(authorizationOf(fixture).roleAssignments.getById(id))).toMatchObject({ status: 404 });
  expect((await call(fixture, { path: VM, as: operator })).status).toBe(403);
});

it("lets a person do what their roles allow: none, a named one, or those that a known user has (docs: role-based-access-control/overview)", async () => {
  const nobody = await person("delete", { target: "vm-a", as: "Nobody", role: "none" });
  const reader = await person("stop", { target: "vm-a", as: "Reader", role: "Reader" });
  const ada = fixture.azure.addPerson({ displayName: "Ada", type: "User", userPrincipalName: "ada@local.test" });
  const before = await person("stop", { target: "vm-a", as: "ada@local.test" });
  fixture.azure.grant({
    principalId: ada,
    role: "Virtual Machine Contributor",
    scope: `/subscriptions/${SUBSCRIPTION}`,
  });
  const after = await person("stop", { target: "vm-a", as: ada });

  expect([nobody, reader, before].map(({ body }) => body.error?.code)).toEqual(Array(3).fill("AuthorizationFailed"));
  expect(before.body.error?.message).toContain(`The client 'ada@local.test' with object id '${ada}'`);
  expect(after.status).toBe(202);
});

it.each([
  { action: "fly", body: { target: "vm-a" }, status: 404 },
  { action: "delete", body: {}, status: 400 },
  { action: "delete", body: { target: "none" }, status: 404 },
  { action: "delete", body: { target: "vm-a", role: "Emperor" }, status: 400 },
  { action: "resize", body: { target: "vm-a" }, status: 400 },
  { action: "resize", body: { target: "vm-a", vmSize: "Standard_Nothing" }, status: 400 },
  { action: "lock", body: { target: VM, name: "x", level: "Never" }, status: 400 },
  { action: "delete", body: { target: "/nowhere/at/all" }, status: 400 },
])("refuses $action with $body: $status (local: portal)", async ({ action, body, status }) => {
  expect((await person(action, body)).status).toBe(status);
});

it("deletes a VM by its old route in the same way (local: portal)", async () => {
  const reply = await fetch(`${fixture.azure.portalUrl}/vms/vm-a`, { method: "DELETE" });
  const { claims } = await doerOf("Microsoft.Compute/virtualMachines/delete");

  expect([reply.status, (claims as Record<string, string>)["name"]]).toEqual([202, "Portal User"]);
});
