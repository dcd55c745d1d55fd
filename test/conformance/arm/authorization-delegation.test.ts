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
} from "../../local/azure/azure-fixture";
import { createRoleGiver } from "../../local/azure/role-giver";
import { call, codeOf, messageOf } from "../../local/azure/wire";
import { armClients } from "./arm-clients";
import { authorizationOf, giveRole, refusalOf, ROLES } from "./rights-clients";

let fixture: AzureFixture;
let delegate: ServicePrincipal;
let machine: ServicePrincipal;
beforeEach(async () => {
  fixture = await startFixture();
  await createEstate(fixture);
  delegate = fixture.azure.addServicePrincipal({ displayName: "delegate" });
  machine = fixture.azure.addServicePrincipal({ displayName: "machine" });
});
afterEach(() => stopFixture(fixture));

const TYPE = "Microsoft.Authorization/roleAssignments";

describe("a delegate whose own assignment has a condition", () => {
  const condition = `
    ((!(ActionMatches{'${TYPE}/write'})) OR
     (@Request[${TYPE}:RoleDefinitionId] ForAnyOfAnyValues:GuidEquals {${ROLES.reader}} AND
      @Request[${TYPE}:PrincipalType] ForAnyOfAnyValues:StringEqualsIgnoreCase {'ServicePrincipal'} AND
      NOT @Request[${TYPE}:PrincipalId] ForAnyOfAnyValues:GuidEquals {__SELF__}))
    AND
    ((!(ActionMatches{'${TYPE}/delete'})) OR
     (@Resource[${TYPE}:RoleDefinitionId] ForAnyOfAnyValues:GuidEquals {${ROLES.reader}}))`;
  beforeEach(() =>
    giveRole(fixture, {
      scope: GROUP_ID,
      role: ROLES.roleAdministrator,
      to: delegate,
      condition: condition.replace("__SELF__", delegate.objectId),
      conditionVersion: "2.0",
    }),
  );

  it("gives the roles that it may give, and takes them away (@azure/arm-authorization 9.0.0; docs: delegate-role-assignments-examples)", async () => {
    const { id = "" } = await giveRole(fixture, { scope: GROUP_ID, role: ROLES.reader, to: machine, as: delegate });
    const removed = await authorizationOf(fixture, delegate).roleAssignments.deleteById(id);

    expect(removed).toMatchObject({ principalId: machine.objectId });
  });

  it.each([
    { what: "another role", given: () => ({ role: ROLES.owner, to: machine }) },
    { what: "a role for itself", given: () => ({ role: ROLES.reader, to: delegate }) },
    {
      what: "a role for a person",
      given: () => ({
        role: ROLES.reader,
        to: { objectId: fixture.azure.addPerson({ displayName: "Ada", type: "User" }) },
      }),
    },
  ])("does not give $what (docs: role-based-access-control/troubleshooting)", async ({ given }) => {
    const refusal = await refusalOf(giveRole(fixture, { scope: GROUP_ID, as: delegate, ...given() }));

    expect(refusal).toMatchObject({ status: 403, code: "AuthorizationFailed" });
    expect(refusal.message).toContain(
      `does not have authorization or an ABAC condition not fulfilled to perform action '${TYPE}/write' over scope '${GROUP_ID}/providers/${TYPE}/`,
    );
  });

  it("does not take away what it could not have given, nor what is not there (docs: conditions-authorization-actions-attributes)", async () => {
    const { id = "" } = await giveRole(fixture, { scope: GROUP_ID, role: ROLES.contributor, to: machine });
    const { roleAssignments } = authorizationOf(fixture, delegate);

    expect((await refusalOf(roleAssignments.deleteById(id))).message).toContain("ABAC condition not fulfilled");
    expect(await refusalOf(roleAssignments.deleteById(`${id.slice(0, -4)}0000`))).toMatchObject({ status: 403 });
  });

  it("reads what it likes: a condition binds only the actions that it names (docs: conditions-format)", async () => {
    expect((await call(fixture, { path: GROUP_ID, as: delegate })).status).toBe(200);
  });
});

it.each([
  { what: "a condition that cannot be read", condition: "@Request[a:b] Equals", conditionVersion: "2.0" },
  { what: "a version that is none", condition: `ActionMatches{'${TYPE}/write'}`, conditionVersion: "3.0" },
])("takes no assignment with $what (docs: conditions-troubleshoot)", async (more) => {
  const refusal = await refusalOf(giveRole(fixture, { scope: GROUP_ID, role: ROLES.reader, to: machine, ...more }));

  expect(refusal.status).toBe(400);
  expect(refusal.message).toContain("The given role assignment condition is invalid.");
});

it("judges conditions of data actions by the container, and denies for attributes that it does not know (docs: storage-auth-abac-attributes)", async () => {
  const storage = "Microsoft.Storage/storageAccounts/blobServices/containers";
  const blobReader = "2a2b9908-6ea1-4ae2-8e65-a410df84e7d1";
  const scope = `${GROUP_ID}/providers/Microsoft.Storage/storageAccounts/acme`;
  const allows = (container: string): boolean =>
    fixture.azure.allows({
      principalId: machine.objectId,
      action: `${storage}/blobs/read`,
      scope: `${scope}/blobServices/default/containers/${container}`,
      plane: "data",
    });
  const give = (condition: string) =>
    giveRole(fixture, { scope: GROUP_ID, role: blobReader, to: machine, condition, conditionVersion: "2.0" });

  const { id = "" } = await give(`@Resource[${storage}:name] StringEquals 'logs'`);
  expect([allows("logs"), allows("secrets")]).toEqual([true, false]);
  await authorizationOf(fixture).roleAssignments.deleteById(id);
  await give(`@Resource[${storage}/blobs/tags:Project] StringEquals 'x'`);
  expect(allows("logs")).toBe(false);
});

describe("what a write refers to", () => {
  const NSG = `${GROUP_ID}/providers/Microsoft.Network/networkSecurityGroups/guard`;
  const linkedOf = (message: string): string => /action\(s\) '([^']*)'/.exec(message)?.[1] ?? "";

  it("lets nobody attach a disk that he may not write, and asks nobody for the disks that the VM has (docs: linked access checks)", async () => {
    const disk = `${GROUP_ID}/providers/Microsoft.Compute/disks/data`;
    await call(fixture, {
      method: "PUT",
      path: disk,
      body: { location: LOCATION, properties: { creationData: { createOption: "Empty" }, diskSizeGB: 4 } },
    });
    const { permit } = createRoleGiver(fixture, delegate);
    await permit(["Microsoft.Compute/virtualMachines/*", "Microsoft.Network/*/join/action"]);
    const spec = vmSpec("vm-a");
    const dataDisks = [{ lun: 0, createOption: "Attach", managedDisk: { id: disk } }];
    const attach = { ...spec, storageProfile: { ...spec.storageProfile, dataDisks } };
    const { virtualMachines } = computeOf(fixture, delegate);

    const refusal = await refusalOf(virtualMachines.createOrUpdate(GROUP, "vm-a", attach, fast));
    const made = await virtualMachines.createOrUpdate(GROUP, "vm-a", spec, fast);
    const again = await virtualMachines.createOrUpdate(GROUP, "vm-a", made, fast);

    expect([refusal.code, linkedOf(refusal.message)]).toEqual([
      "LinkedAuthorizationFailed",
      "Microsoft.Compute/disks/write",
    ]);
    expect(again.provisioningState).toBe("Succeeded");
  });

  it("lets nobody make a network interface in a subnet, or behind a security group, that he may not join (@azure/arm-network 39.0.0)", async () => {
    const { permit } = createRoleGiver(fixture, delegate);
    await permit(["Microsoft.Network/networkInterfaces/*"]);
    const properties = {
      ipConfigurations: [{ name: "one", properties: { subnet: { id: SUBNET_ID } } }],
      networkSecurityGroup: { id: NSG },
    };
    const path = `${GROUP_ID}/providers/Microsoft.Network/networkInterfaces/nic`;
    const put = () => call(fixture, { method: "PUT", path, body: { location: LOCATION, properties }, as: delegate });

    const refused = await put();
    await permit([
      "Microsoft.Network/virtualNetworks/subnets/join/action",
      "Microsoft.Network/networkSecurityGroups/join/action",
    ]);

    expect([codeOf(refused), linkedOf(messageOf(refused))]).toEqual([
      "LinkedAuthorizationFailed",
      "Microsoft.Network/virtualNetworks/subnets/join/action,Microsoft.Network/networkSecurityGroups/join/action",
    ]);
    expect((await put()).status).toBe(201);
  });

  it("lets nobody put an identity that he may not assign onto any resource (docs: managed identities, assign action)", async () => {
    const identity = `${GROUP_ID}/providers/Microsoft.ManagedIdentity/userAssignedIdentities/id`;
    await armClients(fixture).identities.userAssignedIdentities.createOrUpdate(GROUP, "id", { location: LOCATION });
    const { permit } = createRoleGiver(fixture, delegate);
    await permit(["Microsoft.Storage/storageAccounts/*"]);
    const body = {
      location: LOCATION,
      sku: { name: "Standard_LRS" },
      kind: "StorageV2",
      identity: { type: "UserAssigned", userAssignedIdentities: { [identity]: {} } },
    };
    const path = `${GROUP_ID}/providers/Microsoft.Storage/storageAccounts/acmestore`;

    const refused = await call(fixture, { method: "PUT", path, body, as: delegate });

    expect([refused.status, linkedOf(messageOf(refused))]).toEqual([
      403,
      "Microsoft.ManagedIdentity/userAssignedIdentities/assign/action",
    ]);
  });
});

it("takes the roles on a group away with the group, also from who deletes it, who follows the deletion to its end (contract.md 4; docs: async-operations)", async () => {
  const { permit } = createRoleGiver(fixture, delegate);
  await permit(["Microsoft.Resources/subscriptions/resourceGroups/*"]);
  const url = `/subscriptions/${SUBSCRIPTION}/operationresults/`;

  const started = await call(fixture, { method: "DELETE", path: GROUP_ID, as: delegate });
  const location = new URL(String(started.headers["location"]));
  await eventually(async () => (await call(fixture, { path: GROUP_ID })).status === 404);
  const ticket = location.searchParams.get("s") ?? "";
  const followed = await call(fixture, { path: `${location.pathname}?s=${ticket}`, as: delegate });
  const guessed = await call(fixture, { path: location.pathname, as: delegate });
  const read = await call(fixture, { path: GROUP_ID, as: delegate });
  await resourcesOf(fixture).resourceGroups.createOrUpdate(GROUP, { location: LOCATION });
  const anew = await call(fixture, { path: GROUP_ID, as: delegate });

  expect([started.status, location.pathname.startsWith(url)]).toEqual([202, true]);
  expect([followed.status, guessed.status]).toEqual([200, 403]);
  expect([codeOf(read), anew.status]).toEqual(["AuthorizationFailed", 403]);
});
