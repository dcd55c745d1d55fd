import type { RoleAssignment } from "@azure/arm-authorization";
import type { ServicePrincipal } from "../../../local/azure/azure-options";
import {
  type AzureFixture,
  createEstate,
  GROUP,
  GROUP_ID,
  newGuid,
  startFixture,
  stopFixture,
  SUBNET_ID,
  SUBSCRIPTION,
} from "../../local/azure/azure-fixture";
import { definitionId } from "../../local/azure/role-giver";
import { call, codeOf } from "../../local/azure/wire";
import { all, authorizationOf, giveRole, refusalOf, ROLES } from "./rights-clients";

let fixture: AzureFixture;
let operator: ServicePrincipal;
beforeEach(async () => {
  fixture = await startFixture();
  await createEstate(fixture);
  operator = fixture.azure.addServicePrincipal({ displayName: "operator" });
});
afterEach(() => stopFixture(fixture));

const SUBSCRIPTION_ID = `/subscriptions/${SUBSCRIPTION}`;
const VNET = SUBNET_ID.slice(0, SUBNET_ID.indexOf("/subnets/"));
const scopesOf = (found: readonly RoleAssignment[]): string[] =>
  found.flatMap(({ scope, principalId }) => (scope && principalId === operator.objectId ? [scope] : [])).sort();

describe("listing role assignments", () => {
  beforeEach(async () => {
    fixture.azure.grant({ principalId: operator.objectId, role: "Reader", scope: "/" });
    for (const scope of [SUBSCRIPTION_ID, GROUP_ID, VNET])
      await giveRole(fixture, { scope, role: ROLES.reader, to: operator });
  });

  it.each([
    { filter: undefined, scopes: ["/", SUBSCRIPTION_ID, GROUP_ID, VNET] },
    { filter: "atScope()", scopes: ["/", SUBSCRIPTION_ID, GROUP_ID] },
  ])(
    "shows those of a group, inherited ones too, with $filter (@azure/arm-authorization 9.0.0; docs: role-assignments-list-rest)",
    async ({ filter, scopes }) => {
      const { roleAssignments } = authorizationOf(fixture);
      const options = filter === undefined ? {} : { filter };

      expect(scopesOf(await all(roleAssignments.listForResourceGroup(GROUP, options)))).toEqual(scopes.toSorted());
      expect(scopesOf(await all(roleAssignments.listForScope(GROUP_ID, options)))).toEqual(scopes.toSorted());
    },
  );

  it("shows those of a subscription and of one resource (@azure/arm-authorization 9.0.0)", async () => {
    const { roleAssignments } = authorizationOf(fixture);

    const subscription = await all(roleAssignments.listForSubscription());
    const resource = await all(roleAssignments.listForResource(GROUP, "Microsoft.Network", "virtualNetworks", "vnet"));

    expect(scopesOf(subscription)).toEqual(["/", SUBSCRIPTION_ID, GROUP_ID, VNET].toSorted());
    expect(scopesOf(resource)).toEqual(["/", SUBSCRIPTION_ID, GROUP_ID, VNET].toSorted());
  });

  it("shows what is assigned to a principal, and with assignedTo to its groups (@azure/arm-authorization 9.0.0; docs: role-assignments-list-rest)", async () => {
    const group = { objectId: fixture.azure.addPerson({ displayName: "machines", type: "Group" }) };
    fixture.azure.addGroupMember(group.objectId, operator.objectId);
    await giveRole(fixture, { scope: GROUP_ID, role: ROLES.contributor, to: group, principalType: "Group" });
    const { roleAssignments } = authorizationOf(fixture);
    const count = async (filter: string): Promise<number> =>
      (await all(roleAssignments.listForResourceGroup(GROUP, { filter }))).length;

    expect(await count(`principalId eq '${operator.objectId}'`)).toBe(4);
    expect(await count(`assignedTo('${operator.objectId}')`)).toBe(5);
    expect(await count(`atScope() and assignedTo('${operator.objectId}')`)).toBe(4);
  });

  it.each([
    "principalId eq 'a' and roleDefinitionId eq 'b'",
    "principalId",
    "roleName eq 'Reader'",
    "atScope() or atScope()",
  ])("knows no filter '%s' (Azure/azure-rest-api-specs#28255)", async (filter) => {
    const refusal = await refusalOf(all(authorizationOf(fixture).roleAssignments.listForSubscription({ filter })));

    expect(refusal).toMatchObject({ status: 400, code: "UnsupportedQuery" });
    expect(refusal.message).toContain("Supported filters are either 'atScope()'");
  });

  it("gets and deletes one by its id (@azure/arm-authorization 9.0.0)", async () => {
    const { roleAssignments } = authorizationOf(fixture);
    const { id = "" } = await giveRole(fixture, { scope: GROUP_ID, role: ROLES.contributor, to: operator });

    expect(await roleAssignments.getById(id)).toMatchObject({ scope: GROUP_ID, principalType: "ServicePrincipal" });
    expect(await roleAssignments.deleteById(id)).toMatchObject({ id });
    expect(await roleAssignments.deleteById(id)).not.toHaveProperty("id");
    expect(await refusalOf(roleAssignments.getById(id))).toMatchObject({ status: 404, code: "RoleAssignmentNotFound" });
  });
});

it("changes the description and condition of an assignment, and nothing else of it (facts: azure-resource-manager 9)", async () => {
  const name = newGuid();
  const other = fixture.azure.addServicePrincipal({ displayName: "other" });
  const give = (more: object) =>
    giveRole(fixture, { scope: GROUP_ID, role: ROLES.reader, to: operator, name, ...more });
  await give({});

  expect(await give({ description: "read all" })).toMatchObject({ description: "read all" });
  expect(await refusalOf(give({ to: other }))).toMatchObject({ status: 409, code: "RoleAssignmentUpdateNotPermitted" });
  expect(await refusalOf(give({ name: newGuid() }))).toMatchObject({ status: 409, code: "RoleAssignmentExists" });
});

it.each([
  {
    what: "a VM that is not there",
    scope: `${GROUP_ID}/providers/Microsoft.Compute/virtualMachines/none`,
    code: "ResourceNotFound",
  },
  {
    what: "a secret of a vault that is not there",
    scope: `${GROUP_ID}/providers/Microsoft.KeyVault/vaults/none/secrets/s`,
    code: "ResourceNotFound",
  },
  { what: "a group that is not there", scope: `${SUBSCRIPTION_ID}/resourceGroups/none`, code: "ResourceGroupNotFound" },
  { what: "another subscription", scope: `/subscriptions/${newGuid()}`, code: "SubscriptionNotFound" },
])("assigns no role at $what (docs: rest/api/authorization/role-assignments/create)", async ({ scope, code }) => {
  expect(await refusalOf(giveRole(fixture, { scope, role: ROLES.reader, to: operator }))).toMatchObject({
    status: 404,
    code,
  });
});

it("has room for 4000 assignments in a subscription (docs: troubleshoot-limits; facts: faults-and-invariants 1)", async () => {
  const before = (await all(authorizationOf(fixture).roleAssignments.listForSubscription())).length;
  for (let at = before; at < 3999; at += 1)
    fixture.azure.grant({ principalId: operator.objectId, role: "Reader", scope: `${GROUP_ID}/providers/A.B/c/${at}` });

  await giveRole(fixture, { scope: GROUP_ID, role: ROLES.reader, to: operator });
  const refusal = await refusalOf(giveRole(fixture, { scope: GROUP_ID, role: ROLES.contributor, to: operator }));

  expect(refusal).toMatchObject({ status: 400, code: "RoleAssignmentLimitExceeded" });
});

it("asks for the role first and for the resource afterwards: 403 before 404 (facts: azure-resource-manager 9)", async () => {
  const missing = `${GROUP_ID}/providers/Microsoft.Compute/virtualMachines/none`;
  const answers = async (path: string) => {
    const [mine, owners] = [await call(fixture, { path, as: operator }), await call(fixture, { path })];
    return [mine, owners].map((reply) => `${reply.status} ${codeOf(reply) ?? ""}`);
  };

  expect(await answers(missing)).toEqual(["403 AuthorizationFailed", "404 ResourceNotFound"]);
  expect(await answers(`${SUBSCRIPTION_ID}/resourceGroups/none`)).toEqual([
    "403 AuthorizationFailed",
    "404 ResourceGroupNotFound",
  ]);
  expect(await answers(`${GROUP_ID}/providers/Microsoft.Nothing/things/x`)).toEqual([
    "404 InvalidResourceType",
    "404 InvalidResourceType",
  ]);
});

it("keeps the built-in definitions by their real ids (docs: built-in-roles)", async () => {
  const found = await authorizationOf(fixture).roleDefinitions.getById(definitionId(ROLES.roleAdministrator));

  expect(found).toMatchObject({ roleName: "Role Based Access Control Administrator", roleType: "BuiltInRole" });
});
