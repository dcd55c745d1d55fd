import { matchesAction } from "../../../local/azure/arm/authorization/access-control";
import type { ServicePrincipal } from "../../../local/azure/azure-options";
import {
  type AzureFixture,
  call,
  codeOf,
  computeOf,
  createEstate,
  eventually,
  fast,
  GROUP,
  GROUP_ID,
  LOCATION,
  messageOf,
  newGuid,
  type RawReply,
  resourcesOf,
  startFixture,
  stopFixture,
  SUBNET_ID,
  SUBSCRIPTION,
  vmSpec,
} from "./azure-fixture";

let fixture: AzureFixture;
let operator: ServicePrincipal;
beforeEach(async () => {
  fixture = await startFixture();
  await createEstate(fixture);
  operator = fixture.azure.addServicePrincipal({ displayName: "operator" });
});
afterEach(() => stopFixture(fixture));

const READER = "acdd72a7-3385-48ef-bd42-f606fba81ae7";
const definitionId = (guid: string): string => `/subscriptions/${SUBSCRIPTION}/providers/Microsoft.Authorization/roleDefinitions/${guid}`;
const VMS = `${GROUP_ID}/providers/Microsoft.Compute/virtualMachines`;

/** A role of one's own, assigned at a scope, all through ARM. */
async function permit(actions: string[], { scope = GROUP_ID, notActions = [] as string[], to = operator } = {}): Promise<string> {
  const guid = newGuid();
  const properties = { roleName: `role ${guid}`, assignableScopes: [`/subscriptions/${SUBSCRIPTION}`], permissions: [{ actions, notActions }] };
  await call(fixture, { method: "PUT", path: definitionId(guid), body: { properties } });
  const name = newGuid();
  await assign({ scope, guid, name, to });
  return `${scope}/providers/Microsoft.Authorization/roleAssignments/${name}`;
}

function assign({ scope = GROUP_ID, guid = READER, name = newGuid(), to = operator, more = {} }: { scope?: string; guid?: string; name?: string; to?: { objectId: string }; more?: object }): Promise<RawReply> {
  const properties = { roleDefinitionId: definitionId(guid), principalId: to.objectId, ...more };
  return call(fixture, { method: "PUT", path: `${scope}/providers/Microsoft.Authorization/roleAssignments/${name}`, body: { properties } });
}
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
  const attempt = (): Promise<unknown> => virtualMachines.createOrUpdate(GROUP, "vm-a", spec, fast).then((vm) => vm.provisioningState, (error: unknown) => error);

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

it("lets who began an operation follow it without a role on operations", async () => {
  await permit(["Microsoft.Compute/virtualMachines/*", "Microsoft.Network/virtualNetworks/subnets/join/action"]);
  const created = await computeOf(fixture, operator).virtualMachines.createOrUpdate(GROUP, "vm-a", vmSpec("vm-a"), fast);
  const { headers } = await call(fixture, { method: "POST", path: `${VMS}/vm-a/deallocate`, as: operator });
  const url = new URL(String(headers["azure-asyncoperation"]));

  const withTicket = await call(fixture, { path: `${url.pathname}?s=${url.searchParams.get("s") ?? ""}`, as: operator });
  const withoutTicket = await call(fixture, { path: url.pathname, as: operator });

  expect(created.provisioningState).toBe("Succeeded");
  expect([withTicket.status, withoutTicket.status]).toEqual([200, 403]);
});

it("assigns a role twice under one name, and not under another", async () => {
  const name = newGuid();

  const first = await assign({ name });
  const second = await assign({ name });
  const other = await assign({});
  const changed = await assign({ name, guid: "b24988ac-6180-42a0-ab88-20f7382dd24c" });

  expect([first.status, second.status]).toEqual([201, 200]);
  expect([codeOf(other), codeOf(changed)]).toEqual(["RoleAssignmentExists", "RoleAssignmentUpdateNotPermitted"]);
});

it.each([
  { what: "an unknown principal", options: { to: { objectId: "99999999-9999-4999-8999-999999999999" } }, code: "PrincipalNotFound" },
  { what: "another type of principal", options: { more: { principalType: "User" } }, code: "UnmatchedPrincipalType" },
  { what: "an unknown role", options: { guid: "99999999-9999-4999-8999-999999999999" }, code: "RoleDefinitionDoesNotExist" },
  { what: "a name that is no GUID", options: { name: "reader" }, code: "InvalidRoleAssignmentId" },
  { what: "a group that does not exist", options: { scope: `/subscriptions/${SUBSCRIPTION}/resourceGroups/none` }, code: "ResourceGroupNotFound" },
])("assigns no role for $what", async ({ options, code }) => {
  expect(codeOf(await assign(options))).toBe(code);
});

it("lists assignments at a scope, below it, and of one principal", async () => {
  await assign({ scope: SUBNET_ID });
  await assign({ scope: GROUP_ID });
  const count = async (query: string): Promise<number> => {
    const path = `${GROUP_ID}/providers/Microsoft.Authorization/roleAssignments?${query}`;
    return ((await call(fixture, { path })).body as { value: unknown[] }).value.length;
  };

  expect(await count("")).toBe(3);
  expect(await count("$filter=atScope()")).toBe(2);
  expect(await count(`$filter=principalId%20eq%20'${operator.objectId}'`)).toBe(2);
});

it("lets nobody give roles who only contributes", async () => {
  fixture.azure.grant({ principalId: operator.objectId, role: "Contributor", scope: GROUP_ID });
  const properties = { roleDefinitionId: definitionId(READER), principalId: operator.objectId };

  const reply = await call(fixture, { method: "PUT", path: `${GROUP_ID}/providers/Microsoft.Authorization/roleAssignments/${newGuid()}`, body: { properties }, as: operator });

  expect([reply.status, messageOf(reply)]).toEqual([403, expect.stringContaining("Microsoft.Authorization/roleAssignments/write")]);
});

it("keeps a custom role that is assigned, and a built-in one in any case", async () => {
  const assignment = await permit(["*/read"]);
  const { body } = await call(fixture, { path: assignment });
  const custom = (body as { properties: { roleDefinitionId: string } }).properties.roleDefinitionId;

  const used = await call(fixture, { method: "DELETE", path: custom });
  await call(fixture, { method: "DELETE", path: assignment });
  const unused = await call(fixture, { method: "DELETE", path: custom });
  const builtIn = await call(fixture, { path: definitionId(READER) });

  expect([codeOf(used), unused.status, builtIn.status]).toEqual(["RoleDefinitionHasAssignments", 200, 200]);
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
  const allows = (principalId: string, plane: "control" | "data"): boolean => fixture.azure.allows({ principalId, action, scope: `${scope}/blobServices/default/containers/c`, plane });

  expect(allows(operator.objectId, "data")).toBe(true);
  expect(allows(operator.objectId, "control")).toBe(false);
  expect(allows(fixture.owner.objectId, "data")).toBe(false);
});

it("waits with a fresh principal and a fresh role as long as Azure needs", async () => {
  const slow = await startFixture({ principalReplicationMs: 60_000, roleReplicationMs: 60_000 });
  await createEstate(slow);
  const fresh = slow.azure.addServicePrincipal({ displayName: "fresh" });
  const path = `${GROUP_ID}/providers/Microsoft.Authorization/roleAssignments/${newGuid()}`;
  const properties = { roleDefinitionId: definitionId(READER), principalId: fresh.objectId };

  const untyped = await call(slow, { method: "PUT", path, body: { properties } });
  const typed = await call(slow, { method: "PUT", path, body: { properties: { ...properties, principalType: "ServicePrincipal" } } });
  const used = await call(slow, { path: VMS, as: fresh });
  await stopFixture(slow);

  expect([codeOf(untyped), typed.status, used.status]).toEqual(["PrincipalNotFound", 201, 403]);
});
