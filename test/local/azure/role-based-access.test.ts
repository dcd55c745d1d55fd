import { matchesAction } from "../../../local/azure/arm/authorization/action-pattern";
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
  startFixture,
  stopFixture,
  SUBNET_ID,
  SUBSCRIPTION,
  vmSpec,
} from "./azure-fixture";
import { createRoleGiver, READER } from "./role-giver";
import { call, codeOf, messageOf, type RawReply } from "./wire";

let fixture: AzureFixture;
let operator: ServicePrincipal;
let permit: ReturnType<typeof createRoleGiver>["permit"];
let assign: ReturnType<typeof createRoleGiver>["assign"];
beforeEach(async () => {
  fixture = await startFixture();
  await createEstate(fixture);
  operator = fixture.azure.addServicePrincipal({ displayName: "operator" });
  ({ permit, assign } = createRoleGiver(fixture, operator));
});
afterEach(() => stopFixture(fixture));

const VMS = `${GROUP_ID}/providers/Microsoft.Compute/virtualMachines`;

const list = (): Promise<RawReply> => call(fixture, { path: VMS, as: operator });

it.each([
  ["*", "Microsoft.Compute/virtualMachines/write", true],
  ["*/read", "Microsoft.Compute/virtualMachines/read", true],
  ["*/read", "Microsoft.Compute/virtualMachines/write", false],
  ["microsoft.compute/virtualmachines/*", "Microsoft.Compute/virtualMachines/start/action", true],
  ["Microsoft.Compute/virtualMachines/*", "Microsoft.Compute/virtualMachines", false],
  ["Microsoft.Compute/*/read", "Microsoft.Compute/locations/usages/read", true],
  ["Microsoft.Compute/*/read", "Microsoft.Compute/read", false],
  ["Microsoft.Authorization/*/Write", "Microsoft.Authorization/roleAssignments/write", true],
  ["Microsoft.Compute/virtualMachines/read", "Microsoft.Compute/virtualMachines/read", true],
  ["a*b*b", "ab", false],
])("the pattern %s on %s: %s", (pattern, action, expected) => {
  expect(matchesAction(pattern, action)).toBe(expected);
});

it("refuses whoever holds no role, in ARM's words", async () => {
  const reply = await list();

  expect([reply.status, codeOf(reply)]).toEqual([403, "AuthorizationFailed"]);
  expect(messageOf(reply)).toBe(
    `The client '${operator.clientId}' with object id '${operator.objectId}' does not have authorization to perform action 'Microsoft.Compute/virtualMachines/read' over scope '${GROUP_ID}' or the scope is invalid. If access was recently granted, please refresh your credentials.`,
  );
});

it("lets a reader read and not write", async () => {
  await assign({ guid: READER });

  const read = await list();
  const write = await call(fixture, { method: "DELETE", path: `${VMS}/vm-a`, as: operator });

  expect([read.status, write.status]).toEqual([200, 403]);
});

it("changes what is allowed through role assignments alone", async () => {
  const assignment = await permit(["Microsoft.Compute/virtualMachines/read"]);

  const before = await list();
  const removed = await call(fixture, { method: "DELETE", path: assignment });
  const again = await call(fixture, { method: "DELETE", path: assignment });
  const after = await list();

  expect([before.status, removed.status, again.status, after.status]).toEqual([200, 200, 204, 403]);
});

it("subtracts what a role excludes, and adds what another role grants", async () => {
  await permit(["Microsoft.Compute/*"], { notActions: ["Microsoft.Compute/virtualMachines/read"] });
  const excluded = await list();
  await permit(["Microsoft.Compute/virtualMachines/read"]);
  const granted = await list();

  expect([excluded.status, granted.status]).toEqual([403, 200]);
});

it.each([
  { scope: `/subscriptions/${SUBSCRIPTION}`, status: 200 },
  { scope: GROUP_ID, status: 200 },
  { scope: GROUP_ID.toUpperCase().replace("/SUBSCRIPTIONS", "/subscriptions"), status: 200 },
  { scope: SUBNET_ID, status: 403 },
])("inherits roles downwards only: $scope", async ({ scope, status }) => {
  await permit(["Microsoft.Compute/virtualMachines/read"], { scope });

  expect((await list()).status).toBe(status);
});

it("does not take the group corral for a parent of the group corral-acme-compute", async () => {
  await resourcesOf(fixture).resourceGroups.createOrUpdate("corral", { location: LOCATION });
  await permit(["*"], { scope: `/subscriptions/${SUBSCRIPTION}/resourceGroups/corral` });

  expect((await list()).status).toBe(403);
});

it("lets nobody make a VM who may not join the subnet or assign the identity", async () => {
  const identityId = `${GROUP_ID}/providers/Microsoft.ManagedIdentity/userAssignedIdentities/machine`;
  await call(fixture, { method: "PUT", path: identityId, body: { location: LOCATION } });
  await permit(["Microsoft.Compute/virtualMachines/*"]);
  const { virtualMachines } = computeOf(fixture, operator);
  const spec = vmSpec("vm-a", { identity: { type: "UserAssigned", userAssignedIdentities: { [identityId]: {} } } });
  const attempt = (): Promise<unknown> =>
    virtualMachines.createOrUpdate(GROUP, "vm-a", spec, fast).then(
      (vm) => vm.provisioningState,
      (error: unknown) => error,
    );

  const neither = await attempt();
  await permit(["Microsoft.Network/virtualNetworks/subnets/join/action"], { scope: SUBNET_ID });
  const noIdentity = await attempt();
  await permit(["Microsoft.ManagedIdentity/userAssignedIdentities/assign/action"], { scope: identityId });
  const both = await attempt();

  expect(neither).toMatchObject({ statusCode: 403, code: "LinkedAuthorizationFailed" });
  expect((neither as Error).message).toContain(
    `it does not have permission to perform action(s) 'Microsoft.Network/virtualNetworks/subnets/join/action,Microsoft.ManagedIdentity/userAssignedIdentities/assign/action' on the linked scope(s) '${SUBNET_ID},${identityId}' (respectively)`,
  );
  expect((noIdentity as Error).message).not.toContain("subnets/join");
  expect(both).toBe("Succeeded");
});

it("lets nobody boot an image of a gallery that he may not read", async () => {
  const image = `/subscriptions/${SUBSCRIPTION}/resourceGroups/images/providers/Microsoft.Compute/galleries/g/images/i/versions/1.0.0`;
  await permit(["Microsoft.Compute/virtualMachines/*", "Microsoft.Network/virtualNetworks/subnets/join/action"]);
  const spec = vmSpec("vm-a");
  const storageProfile = { ...spec.storageProfile, imageReference: { id: image } };
  const attempt = (): Promise<unknown> =>
    computeOf(fixture, operator)
      .virtualMachines.createOrUpdate(GROUP, "vm-a", { ...spec, storageProfile }, fast)
      .then(
        (vm) => vm.provisioningState,
        (error: unknown) => error,
      );

  const refused = await attempt();
  await permit(["Microsoft.Compute/galleries/images/versions/read"], { scope: image });
  const made = await attempt();

  expect((refused as Error).message).toContain(
    `'Microsoft.Compute/galleries/images/versions/read' on the linked scope(s) '${image}'`,
  );
  expect(made).toBe("Succeeded");
});

it("lets who began an operation follow it without a role on operations", async () => {
  await permit(["Microsoft.Compute/virtualMachines/*", "Microsoft.Network/virtualNetworks/subnets/join/action"]);
  const created = await computeOf(fixture, operator).virtualMachines.createOrUpdate(
    GROUP,
    "vm-a",
    vmSpec("vm-a"),
    fast,
  );
  const { headers } = await call(fixture, { method: "POST", path: `${VMS}/vm-a/deallocate`, as: operator });
  const url = new URL(String(headers["azure-asyncoperation"]));

  const withTicket = await call(fixture, {
    path: `${url.pathname}?s=${url.searchParams.get("s") ?? ""}`,
    as: operator,
  });
  const withoutTicket = await call(fixture, { path: url.pathname, as: operator });

  expect(created.provisioningState).toBe("Succeeded");
  expect([withTicket.status, withoutTicket.status]).toEqual([200, 403]);
});

it("forgets the roles on a group that is deleted, so that its operator is told 403 and not 404", async () => {
  await permit(["Microsoft.Compute/virtualMachines/read"]);
  await resourcesOf(fixture).resourceGroups.delete(GROUP, fast);
  await eventually(() => !("Microsoft.Resources/resourceGroups" in fixture.azure.remainingByType()));

  const own = await list();
  const asOwner = await call(fixture, { path: VMS });

  expect([own.status, codeOf(asOwner)]).toEqual([403, "ResourceGroupNotFound"]);
});

it("judges data actions by the same assignments", () => {
  const scope = `${GROUP_ID}/providers/Microsoft.Storage/storageAccounts/acmedata`;
  const action = "Microsoft.Storage/storageAccounts/blobServices/containers/blobs/write";
  fixture.azure.grant({ principalId: operator.objectId, role: "Storage Blob Data Contributor", scope });
  const allows = (principalId: string, plane: "control" | "data"): boolean =>
    fixture.azure.allows({ principalId, action, scope: `${scope}/blobServices/default/containers/c`, plane });

  expect(allows(operator.objectId, "data")).toBe(true);
  expect(allows(operator.objectId, "control")).toBe(false);
  expect(allows(fixture.owner.objectId, "data")).toBe(false);
});
