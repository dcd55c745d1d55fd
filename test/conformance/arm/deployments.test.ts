/* eslint-disable max-lines -- one suite over one fixture; its cases are read together */
import {
  type AzureFixture,
  createEstate,
  eventually,
  fast,
  GROUP,
  GROUP_ID,
  LOCATION,
  newGuid,
  resourcesOf,
  rule,
  startFixture,
  stopFixture,
  SUBSCRIPTION,
} from "../../local/azure/azure-fixture";
import { createRoleGiver, definitionId, READER } from "../../local/azure/role-giver";
import { call, codeOf, messageOf } from "../../local/azure/wire";
import { deploymentsOf } from "./arm-clients";
import {
  deployToGroup,
  deployToSubscription,
  failureOf,
  identityOf,
  networkOf,
  operationsOf,
  propertiesOf,
  templateOf,
} from "./deploy";

let fixture: AzureFixture;
beforeAll(async () => {
  fixture = await startFixture();
  await createEstate(fixture);
});
afterAll(() => stopFixture(fixture));
afterEach(() => fixture.faults.disarmAll());

const PATH = `${GROUP_ID}/providers/Microsoft.Resources/deployments`;
const isThere = async (path: string): Promise<boolean> => (await call(fixture, { path })).status === 200;
const network = (name: string): string => `${GROUP_ID}/providers/Microsoft.Network/virtualNetworks/${name}`;

it("deploys resources in the order of dependsOn, shows outputs, and lists its operations (@azure/arm-resourcesdeployments 2.0.0)", async () => {
  const template = {
    resources: [
      {
        type: "Microsoft.Network/virtualNetworks/subnets",
        apiVersion: "2024-05-01",
        name: "ordered/one",
        dependsOn: ["[resourceId('Microsoft.Network/virtualNetworks', 'ordered')]"],
        properties: { addressPrefix: "10.2.1.0/24" },
      },
      networkOf("ordered"),
    ],
    outputs: {
      subnet: { type: "string", value: "[resourceId('Microsoft.Network/virtualNetworks/subnets', 'ordered', 'one')]" },
      prefix: { type: "string", value: "[reference('ordered/one').addressPrefix]" },
    },
  };
  const { properties } = await deployToGroup(fixture, { name: "ordered", template });
  const operations = await operationsOf(fixture, "ordered");

  expect(properties).toMatchObject({
    provisioningState: "Succeeded",
    mode: "Incremental",
    outputs: {
      subnet: { type: "String", value: `${network("ordered")}/subnets/one` },
      prefix: { type: "String", value: "10.2.1.0/24" },
    },
    outputResources: [{ id: `${network("ordered")}/subnets/one` }, { id: network("ordered") }],
  });
  expect(
    operations.map((one) => [one.properties?.provisioningOperation, one.properties?.targetResource?.resourceName]),
  ).toEqual([
    ["Create", "ordered"],
    ["Create", "ordered/one"],
    ["EvaluateDeploymentOutput", undefined],
  ]);
});

it("answers 201 and an operation URL of the deployment's own, and 200 at the same PUT again (REST API: Deployments - Create Or Update)", async () => {
  const body = { properties: propertiesOf({ template: { resources: [identityOf("again")] } }) };
  const first = await call(fixture, { method: "PUT", path: `${PATH}/again`, body });
  const url = new URL(String(first.headers["azure-asyncoperation"]));
  await eventually(async () => {
    const { body: state } = await call(fixture, { path: url.pathname });
    return (state as { status: string }).status === "Succeeded";
  });
  const second = await call(fixture, { method: "PUT", path: `${PATH}/again`, body });

  expect([first.status, second.status]).toEqual([201, 200]);
  expect(url.pathname).toMatch(/\/deployments\/again\/operationStatuses\/[0-9a-f-]+$/);
});

it("begins resources that do not depend on each other together (docs: Define the order for deploying resources)", async () => {
  const operation = "PUT Microsoft.Network/virtualNetworks$";
  const held = fixture.faults.arm(rule({ operation, stage: "before", times: 2, action: { kind: "hold" } }));
  const deployed = deployToGroup(fixture, {
    name: "parallel",
    template: { resources: [networkOf("p-1"), networkOf("p-2")] },
  });
  await fixture.faults.waitForHits(held, 2);
  const holding = fixture.faults.stateOf(held)?.holding;
  fixture.faults.disarm(held);
  await deployed;

  expect(holding).toBe(2);
});

it("fails with DeploymentFailed and details, and says in its operations which resource it was (docs: Troubleshoot common deployment errors)", async () => {
  const broken = networkOf("broken", { location: "mars" });
  const failure = await failureOf(
    deployToGroup(fixture, { name: "failing", template: { resources: [broken, networkOf("whole")] } }),
  );
  const shown = await deploymentsOf(fixture).deployments.get(GROUP, "failing");
  const operations = await operationsOf(fixture, "failing");

  expect(failure).toContain("DeploymentFailed");
  expect(shown.properties?.provisioningState).toBe("Failed");
  expect(shown.properties?.error).toMatchObject({
    code: "DeploymentFailed",
    details: [{ code: "LocationNotAvailableForResourceType" }],
  });
  const states = operations.map(({ properties }) => [
    properties?.targetResource?.resourceName,
    properties?.provisioningState,
  ]);
  expect(Object.fromEntries(states)).toEqual({ broken: "Failed", whole: "Succeeded" });
  expect(operations.find(({ properties }) => properties?.provisioningState === "Failed")?.properties).toMatchObject({
    statusCode: "BadRequest",
    statusMessage: { error: { code: "LocationNotAvailableForResourceType" } },
  });
});

it("does not begin what stands behind a failure (docs: Define the order for deploying resources)", async () => {
  const template = {
    resources: [networkOf("first", { location: "mars" }), identityOf("behind", { dependsOn: ["first"] })],
  };
  await failureOf(deployToGroup(fixture, { name: "behind", template }));
  const operations = await operationsOf(fixture, "behind");

  expect(operations).toHaveLength(1);
  expect(await isThere(`${GROUP_ID}/providers/Microsoft.ManagedIdentity/userAssignedIdentities/behind`)).toBe(false);
});

it("tells a resource whose long-running operation failed as ResourceDeploymentFailure (docs: Troubleshoot common deployment errors)", async () => {
  fixture.faults.arm(
    rule({
      operation: "PUT Microsoft.Compute/virtualMachines",
      stage: "operation",
      action: { kind: "fail", status: 200, code: "AllocationFailed", message: "no room" },
    }),
  );
  const failure = await failureOf(
    deployToGroup(fixture, { name: "vm-fails", template: { resources: [vmOf("vm-fails")] } }),
  );
  const shown = await deploymentsOf(fixture).deployments.get(GROUP, "vm-fails");

  expect(failure).toContain("DeploymentFailed");
  expect(shown.properties?.error?.details).toMatchObject([
    { code: "ResourceDeploymentFailure", details: [{ code: "AllocationFailed" }] },
  ]);
});

const vmOf = (name: string) => ({
  type: "Microsoft.Compute/virtualMachines",
  apiVersion: "2024-07-01",
  name,
  location: LOCATION,
  properties: {
    hardwareProfile: { vmSize: "Standard_NC4as_T4_v3" },
    storageProfile: {
      imageReference: { publisher: "microsoft-dsvm", offer: "ubuntu-hpc", sku: "2204", version: "latest" },
      osDisk: { createOption: "FromImage", deleteOption: "Delete" },
    },
    osProfile: {
      computerName: name,
      adminUsername: "corral",
      linuxConfiguration: {
        disablePasswordAuthentication: true,
        ssh: { publicKeys: [{ path: "/home/corral/.ssh/authorized_keys", keyData: "ssh-ed25519 AAAA" }] },
      },
    },
    networkProfile: {
      networkApiVersion: "2022-11-01",
      networkInterfaceConfigurations: [
        {
          name: `nic-${name}`,
          properties: {
            deleteOption: "Delete",
            ipConfigurations: [
              {
                name: "ipconfig1",
                properties: {
                  subnet: { id: "[resourceId('Microsoft.Network/virtualNetworks/subnets', 'vnet', 'machines')]" },
                },
              },
            ],
          },
        },
      ],
    },
  },
});

it("refuses a caller who may not write one of the resources before anything is begun (docs: Troubleshoot InvalidTemplateDeployment)", async () => {
  const operator = fixture.azure.addServicePrincipal({ displayName: "deployer" });
  const { permit } = createRoleGiver(fixture, operator);
  await permit(["Microsoft.Resources/deployments/*", "Microsoft.Network/virtualNetworks/*"]);
  const template = { resources: [networkOf("allowed"), identityOf("refused")] };
  const failure = await failureOf(deployToGroup(fixture, { name: "refused", template, as: operator }));

  expect(failure).toMatch(
    /^InvalidTemplateDeployment .*'refused'.*action 'Microsoft.ManagedIdentity\/userAssignedIdentities\/write' at scope/,
  );
  expect(await isThere(network("allowed"))).toBe(false);
});

it("checks linked permissions as the deploying caller: a VM needs its subnet's join action (docs: Azure permissions for Compute)", async () => {
  const operator = fixture.azure.addServicePrincipal({ displayName: "vm deployer" });
  const { permit } = createRoleGiver(fixture, operator);
  await permit(["Microsoft.Resources/deployments/*", "Microsoft.Compute/virtualMachines/*"]);
  await failureOf(deployToGroup(fixture, { name: "linked", template: { resources: [vmOf("linked")] }, as: operator }));
  const shown = await deploymentsOf(fixture).deployments.get(GROUP, "linked");

  expect(shown.properties?.error?.details).toMatchObject([{ code: "LinkedAuthorizationFailed" }]);
});

it("makes a group, what is in it and a role on it from a subscription's template (docs: Subscription deployments with ARM templates)", async () => {
  const name = newGuid();
  const template = {
    parameters: { group: { type: "string" } },
    resources: [
      {
        type: "Microsoft.Resources/resourceGroups",
        apiVersion: "2024-03-01",
        name: "[parameters('group')]",
        location: LOCATION,
      },
      {
        type: "Microsoft.Resources/deployments",
        apiVersion: "2024-03-01",
        name: "inside",
        resourceGroup: "[parameters('group')]",
        dependsOn: ["[subscriptionResourceId('Microsoft.Resources/resourceGroups', parameters('group'))]"],
        properties: {
          mode: "Incremental",
          expressionEvaluationOptions: { scope: "inner" },
          parameters: { principal: { value: fixture.owner.objectId } },
          template: templateOf({
            parameters: { principal: { type: "string" } },
            resources: [
              identityOf("made", { location: "[resourceGroup().location]" }),
              {
                type: "Microsoft.Authorization/roleAssignments",
                apiVersion: "2022-04-01",
                name,
                properties: {
                  roleDefinitionId: `[subscriptionResourceId('Microsoft.Authorization/roleDefinitions', '${READER}')]`,
                  principalId: "[parameters('principal')]",
                  principalType: "ServicePrincipal",
                },
              },
            ],
            outputs: { id: { type: "string", value: "[reference('made').clientId]" } },
          }),
        },
      },
    ],
    outputs: { client: { type: "string", value: "[reference('inside').outputs.id.value]" } },
  };
  const { properties } = await deployToSubscription(fixture, {
    name: "estate",
    template,
    parameters: { group: { value: "estate-group" } },
  });
  const scope = `/subscriptions/${SUBSCRIPTION}/resourceGroups/estate-group`;
  const assignment = await call(fixture, {
    path: `${scope}/providers/Microsoft.Authorization/roleAssignments/${name}`,
  });

  expect(properties?.outputs).toEqual({
    client: { type: "String", value: expect.stringMatching(/^[0-9a-f-]{36}$/) as string },
  });
  expect(assignment.body).toMatchObject({ properties: { scope, roleDefinitionId: definitionId(READER) } });
  expect(properties?.outputResources?.map(({ id }) => id)).toContain(
    `${scope}/providers/Microsoft.ManagedIdentity/userAssignedIdentities/made`,
  );
});

it("puts a role on one resource by `scope` (docs: Set scope for extension resources)", async () => {
  const name = newGuid();
  const template = {
    resources: [
      networkOf("guarded"),
      {
        type: "Microsoft.Authorization/roleAssignments",
        apiVersion: "2022-04-01",
        name,
        scope: "Microsoft.Network/virtualNetworks/guarded",
        dependsOn: ["guarded"],
        properties: { roleDefinitionId: definitionId(READER), principalId: fixture.owner.objectId },
      },
    ],
    outputs: {
      id: {
        type: "string",
        value: `[extensionResourceId(resourceId('Microsoft.Network/virtualNetworks', 'guarded'), 'Microsoft.Authorization/roleAssignments', '${name}')]`,
      },
    },
  };
  const { properties } = await deployToGroup(fixture, { name: "guarded", template });
  const { value } = (properties?.outputs as { id: { value: string } }).id;

  expect(await isThere(value)).toBe(true);
});

it("deletes in complete mode what the template does not have, and in incremental mode nothing (docs: Deployment modes)", async () => {
  await resourcesOf(fixture).resourceGroups.createOrUpdate("complete", { location: LOCATION });
  const both = { resources: [identityOf("kept"), networkOf("gone")] };
  const one = { resources: [identityOf("kept")] };
  const count = async (): Promise<number> => {
    const list = await call(fixture, { path: `/subscriptions/${SUBSCRIPTION}/resourceGroups/complete/resources` });
    return (list.body as { value: unknown[] }).value.length;
  };
  await deployToGroup(fixture, { name: "both", group: "complete", template: both });
  await deployToGroup(fixture, { name: "one", group: "complete", template: one });
  const afterIncremental = await count();
  await deployToGroup(fixture, { name: "one", group: "complete", template: one, mode: "Complete" });

  expect([afterIncremental, await count()]).toEqual([2, 1]);
  const operations = await operationsOf(fixture, "one", "complete");
  expect(operations.map(({ properties }) => properties?.provisioningOperation)).toEqual(["Create", "Delete"]);
});

it("refuses complete mode at the scope of a subscription (docs: Deployment modes)", async () => {
  const failure = await failureOf(deployToSubscription(fixture, { name: "all", template: {}, mode: "Complete" }));

  expect(failure).toMatch(/^InvalidRequestContent .*'Complete' is not supported/);
});

it("lists, finds, exports and deletes deployments, and leaves what they made (@azure/arm-resourcesdeployments 2.0.0)", async () => {
  const { deployments } = deploymentsOf(fixture);
  const template = { resources: [identityOf("stays")] };
  await deployToGroup(fixture, { name: "entry", template });
  const names: (string | undefined)[] = [];
  for await (const { name } of deployments.listByResourceGroup(GROUP, { filter: "provisioningState eq 'Succeeded'" }))
    names.push(name);
  const exported = await deployments.exportTemplate(GROUP, "entry");
  await deployments.delete(GROUP, "entry", fast);

  expect(names).toContain("entry");
  expect(exported.template).toEqual(templateOf(template));
  expect((await call(fixture, { method: "HEAD", path: `${PATH}/entry` })).status).toBe(404);
  expect(codeOf(await call(fixture, { path: `${PATH}/entry` }))).toBe("DeploymentNotFound");
  expect(await isThere(`${GROUP_ID}/providers/Microsoft.ManagedIdentity/userAssignedIdentities/stays`)).toBe(true);
});

it("refuses a second deployment of the name while the first is active, and cancels that (@azure/arm-resourcesdeployments 2.0.0)", async () => {
  const held = fixture.faults.arm(
    rule({
      operation: "PUT Microsoft.Network/virtualNetworks$",
      subject: "slow",
      stage: "before",
      action: { kind: "hold" },
    }),
  );
  const template = { resources: [networkOf("slow"), identityOf("never", { dependsOn: ["slow"] })] };
  const deployed = failureOf(deployToGroup(fixture, { name: "slow", template }));
  await fixture.faults.waitForHits(held, 1);
  const second = await failureOf(deployToGroup(fixture, { name: "slow", template }));
  await deploymentsOf(fixture).deployments.cancel(GROUP, "slow");
  fixture.faults.disarm(held);

  expect(second).toMatch(/^DeploymentActive/);
  expect(await deployed).toMatch(/cancel/i);
  const shown = await deploymentsOf(fixture).deployments.get(GROUP, "slow");
  expect(shown.properties?.provisioningState).toBe("Canceled");
  await eventually(() => isThere(network("slow")));
  expect(await isThere(`${GROUP_ID}/providers/Microsoft.ManagedIdentity/userAssignedIdentities/never`)).toBe(false);
});

it("validates without doing anything, and answers an invalid template with its reason (@azure/arm-resourcesdeployments 2.0.0)", async () => {
  const { deployments } = deploymentsOf(fixture);
  const good = propertiesOf({ template: { resources: [networkOf("validated")] } });
  const bad = propertiesOf({ template: { resources: [networkOf("[nonsense('x')]")] } });
  const fine = await deployments.validate(GROUP, "checked", { properties: good }, fast);
  // The client throws an error without its code away for a 400, so what ARM says is read from the wire.
  const refused = deployments.validate(GROUP, "checked", { properties: bad }, fast);
  await expect(refused).rejects.toThrow("failed");
  const wrong = await call(fixture, { method: "POST", path: `${PATH}/checked/validate`, body: { properties: bad } });

  expect(fine.properties?.validatedResources).toEqual([{ id: network("validated") }]);
  expect([wrong.status, codeOf(wrong)]).toEqual([400, "InvalidTemplate"]);
  expect(messageOf(wrong)).toMatch(/The template function 'nonsense' at position 1 is not valid/);
  expect(await isThere(network("validated"))).toBe(false);
});

it("keeps a deployment of a subscription in the location of its first time (docs: Subscription deployments with ARM templates)", async () => {
  const path = `/subscriptions/${SUBSCRIPTION}/providers/Microsoft.Resources/deployments/placed`;
  const body = (location: string) => ({ location, properties: propertiesOf({ template: {} }) });
  await call(fixture, { method: "PUT", path, body: body(LOCATION) });
  await eventually(async () => JSON.stringify((await call(fixture, { path })).body).includes('"Succeeded"'));
  const moved = await call(fixture, { method: "PUT", path, body: body("northeurope") });
  const homeless = await call(fixture, {
    method: "PUT",
    path: `${path}-2`,
    body: { properties: propertiesOf({ template: {} }) },
  });

  expect([codeOf(moved), codeOf(homeless)]).toEqual(["InvalidDeploymentLocation", "LocationRequired"]);
});

it("refuses linked templates with a sentence that says so (docs: Use linked and nested templates)", async () => {
  const properties = { mode: "Incremental", templateLink: { uri: "https://example.com/t.json" } };
  const reply = await call(fixture, { method: "PUT", path: `${PATH}/linked-template`, body: { properties } });

  expect([reply.status, codeOf(reply)]).toEqual([400, "InvalidTemplateDeployment"]);
  expect(messageOf(reply)).toMatch(/'templateLink'/);
});

it("tells events of the resources and of the deployment itself (docs: Azure subscription as an Event Grid source)", async () => {
  fixture.events.length = 0;
  await deployToGroup(fixture, { name: "told", template: { resources: [identityOf("told")] } });
  await eventually(() => fixture.events.length >= 2);

  expect(fixture.events.map(({ eventType, data }) => [eventType, data["operationName"]])).toEqual([
    ["Microsoft.Resources.ResourceWriteSuccess", "Microsoft.ManagedIdentity/userAssignedIdentities/write"],
    ["Microsoft.Resources.ResourceWriteSuccess", "Microsoft.Resources/deployments/write"],
  ]);
});

it("takes its deployments along when a group is deleted (docs: Azure Resource Manager resource group deletion)", async () => {
  const resources = resourcesOf(fixture);
  await resources.resourceGroups.createOrUpdate("short", { location: LOCATION });
  await deployToGroup(fixture, { name: "gone", group: "short", template: {} });
  await resources.resourceGroups.delete("short", fast);
  await resources.resourceGroups.createOrUpdate("short", { location: LOCATION });
  const path = `/subscriptions/${SUBSCRIPTION}/resourceGroups/short/providers/Microsoft.Resources/deployments`;

  expect((await call(fixture, { path })).body).toEqual({ value: [] });
});
/* eslint-enable max-lines -- end of the file */
