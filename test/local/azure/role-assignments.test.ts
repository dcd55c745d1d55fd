import type { ServicePrincipal } from "../../../local/azure/azure-options";
import {
  type AzureFixture,
  createEstate,
  GROUP_ID,
  newGuid,
  startFixture,
  stopFixture,
  SUBNET_ID,
  SUBSCRIPTION,
} from "./azure-fixture";
import { createRoleGiver, definitionId, READER } from "./role-giver";
import { call, codeOf, messageOf } from "./wire";

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
  {
    what: "an unknown principal",
    options: { to: { objectId: "99999999-9999-4999-8999-999999999999" } },
    code: "PrincipalNotFound",
  },
  { what: "another type of principal", options: { more: { principalType: "User" } }, code: "UnmatchedPrincipalType" },
  {
    what: "an unknown role",
    options: { guid: "99999999-9999-4999-8999-999999999999" },
    code: "RoleDefinitionDoesNotExist",
  },
  { what: "a name that is no GUID", options: { name: "reader" }, code: "InvalidRoleAssignmentId" },
  {
    what: "a group that does not exist",
    options: { scope: `/subscriptions/${SUBSCRIPTION}/resourceGroups/none` },
    code: "ResourceGroupNotFound",
  },
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

  const reply = await call(fixture, {
    method: "PUT",
    path: `${GROUP_ID}/providers/Microsoft.Authorization/roleAssignments/${newGuid()}`,
    body: { properties },
    as: operator,
  });

  expect([reply.status, messageOf(reply)]).toEqual([
    403,
    expect.stringContaining("Microsoft.Authorization/roleAssignments/write"),
  ]);
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

it("waits with a fresh principal and a fresh role as long as Azure needs", async () => {
  const slow = await startFixture({ principalReplicationMs: 60_000, roleReplicationMs: 60_000 });
  await createEstate(slow);
  const fresh = slow.azure.addServicePrincipal({ displayName: "fresh" });
  const path = `${GROUP_ID}/providers/Microsoft.Authorization/roleAssignments/${newGuid()}`;
  const properties = { roleDefinitionId: definitionId(READER), principalId: fresh.objectId };

  const untyped = await call(slow, { method: "PUT", path, body: { properties } });
  const typed = await call(slow, {
    method: "PUT",
    path,
    body: { properties: { ...properties, principalType: "ServicePrincipal" } },
  });
  const used = await call(slow, { path: VMS, as: fresh });
  await stopFixture(slow);

  expect([codeOf(untyped), typed.status, used.status]).toEqual(["PrincipalNotFound", 201, 403]);
});
