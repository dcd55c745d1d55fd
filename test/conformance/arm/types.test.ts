import {
  type AzureFixture,
  computeOf,
  createEstate,
  GROUP,
  GROUP_ID,
  LOCATION,
  newGuid,
  resourcesOf,
  startFixture,
  stopFixture,
  SUBNET_ID,
  SUBSCRIPTION,
  vmSpec,
} from "../../local/azure/azure-fixture";
import { definitionId, READER } from "../../local/azure/role-giver";
import { call, type RawReply } from "../../local/azure/wire";
import { armClients } from "./arm-clients";
import { missingMembers } from "./model-check";
import type { SdkModels } from "./sdk-models";
import { findings, findingsOf, typesWithSchema } from "./type-check";

let fixture: AzureFixture;
let clients: ReturnType<typeof armClients>;
beforeAll(async () => {
  fixture = await startFixture();
  clients = armClients(fixture);
  await createEstate(fixture);
});
afterAll(() => stopFixture(fixture));

const VM_ID = `${GROUP_ID}/providers/Microsoft.Compute/virtualMachines/vm`;
const CUSTOM_ROLE = newGuid();
const ASSIGNMENT = newGuid();

interface Case {
  readonly type: keyof SdkModels;
  readonly client: string;
  /** Absent where the path is that of an item in the group. */
  readonly path?: string;
  readonly list?: string;
  readonly name?: string;
  readonly body: () => object;
  /** Through the client, whose model then says what must be there. */
  readonly read: () => Promise<unknown>;
}

const located = (more: object = {}) => ({ location: LOCATION, tags: { "corral:organization": "acme" }, ...more });

const CASES: readonly Case[] = [
  {
    type: "Microsoft.Resources/resourceGroups",
    client: "@azure/arm-resources 8.0.0",
    path: `/subscriptions/${SUBSCRIPTION}/resourceGroups/typed`,
    body: () => located(),
    read: () => resourcesOf(fixture).resourceGroups.get("typed"),
  },
  {
    type: "Microsoft.Network/virtualNetworks",
    client: "@azure/arm-network 39.0.0",
    name: "typed",
    body: () =>
      located({
        properties: {
          addressSpace: { addressPrefixes: ["10.1.0.0/16"] },
          subnets: [{ name: "one", properties: { addressPrefix: "10.1.0.0/24" } }],
        },
      }),
    read: () => clients.network.virtualNetworks.get(GROUP, "typed"),
  },
  {
    type: "Microsoft.Network/virtualNetworks/subnets",
    client: "@azure/arm-network 39.0.0",
    path: `${GROUP_ID}/providers/Microsoft.Network/virtualNetworks/vnet/subnets/typed`,
    body: () => ({ properties: { addressPrefix: "10.64.32.0/24" } }),
    read: () => clients.network.subnets.get(GROUP, "vnet", "typed"),
  },
  {
    type: "Microsoft.Network/networkInterfaces",
    client: "@azure/arm-network 39.0.0",
    name: "typed",
    body: () =>
      located({
        properties: { ipConfigurations: [{ name: "ipconfig1", properties: { subnet: { id: SUBNET_ID } } }] },
      }),
    read: () => clients.network.networkInterfaces.get(GROUP, "typed"),
  },
  {
    type: "Microsoft.Compute/disks",
    client: "@azure/arm-compute 25.1.1",
    name: "typed",
    body: () =>
      located({
        sku: { name: "Premium_LRS" },
        properties: { creationData: { createOption: "Empty" }, diskSizeGB: 32 },
      }),
    read: () => computeOf(fixture).disks.get(GROUP, "typed"),
  },
  {
    type: "Microsoft.ManagedIdentity/userAssignedIdentities",
    client: "@azure/arm-msi 2.2.0",
    name: "typed",
    body: () => located(),
    read: () => clients.identities.userAssignedIdentities.get(GROUP, "typed"),
  },
  {
    type: "Microsoft.Storage/storageAccounts",
    client: "@azure/arm-storage 21.0.0",
    name: "typedaccount",
    body: () =>
      located({
        kind: "StorageV2",
        sku: { name: "Standard_LRS" },
        properties: { minimumTlsVersion: "TLS1_2", allowSharedKeyAccess: false },
      }),
    read: () => clients.storage.storageAccounts.getProperties(GROUP, "typedaccount"),
  },
  {
    type: "Microsoft.Authorization/roleDefinitions",
    client: "@azure/arm-authorization 9.0.0",
    path: definitionId(CUSTOM_ROLE),
    body: () => ({
      properties: {
        roleName: "Typed",
        description: "A role of one's own",
        type: "CustomRole",
        assignableScopes: [`/subscriptions/${SUBSCRIPTION}`],
        permissions: [{ actions: ["*/read"], notActions: [], dataActions: [], notDataActions: [] }],
      },
    }),
    read: () => clients.authorization.roleDefinitions.get(`/subscriptions/${SUBSCRIPTION}`, CUSTOM_ROLE),
  },
  {
    type: "Microsoft.Authorization/roleAssignments",
    client: "@azure/arm-authorization 9.0.0",
    path: `${GROUP_ID}/providers/Microsoft.Authorization/roleAssignments/${ASSIGNMENT}`,
    body: () => ({
      properties: {
        roleDefinitionId: definitionId(READER),
        principalId: fixture.owner.objectId,
        principalType: "ServicePrincipal",
        description: "For reading",
      },
    }),
    read: () => clients.authorization.roleAssignments.get(GROUP_ID, ASSIGNMENT),
  },
  {
    type: "Microsoft.Compute/virtualMachines",
    client: "@azure/arm-compute 25.1.1",
    path: VM_ID,
    body: () => wireVm(),
    read: () => computeOf(fixture).virtualMachines.get(GROUP, "vm"),
  },
];

/** The fixture's VM as the client would send it: with the property bag. */
function wireVm(): object {
  const { location, tags, networkProfile, ...properties } = vmSpec("vm");
  const configurations = (networkProfile?.networkInterfaceConfigurations ?? []).map(
    ({ name, tags: own, ipConfigurations, ...more }) => ({
      name,
      tags: own,
      properties: {
        ...more,
        ipConfigurations: (ipConfigurations ?? []).map((one) => ({
          name: one.name,
          properties: { subnet: one.subnet },
        })),
      },
    }),
  );
  return {
    location,
    tags,
    identity: { type: "SystemAssigned" },
    properties: {
      ...properties,
      networkProfile: { networkApiVersion: "2022-11-01", networkInterfaceConfigurations: configurations },
    },
  };
}

const pathOf = ({ path, type, name = "" }: Case): string => path ?? `${GROUP_ID}/providers/${type}/${name}`;
const listOf = (one: Case): string => one.list ?? pathOf(one).slice(0, pathOf(one).lastIndexOf("/"));

async function finished(put: RawReply): Promise<void> {
  const url = put.headers["azure-asyncoperation"];
  if (typeof url !== "string") return;
  const { pathname, search } = new URL(url);
  const state = await call(fixture, { path: `${pathname}${search}` });
  if ((state.body as { status: string }).status === "InProgress") await finished(put);
}

it.each(CASES)(
  "answers PUT, GET and LIST of $type with nothing that Azure's schema lacks, and all that the client's model requires (@azure/mcp 2.0.5: bicepschema; $client)",
  async (one) => {
    const put = await call(fixture, { method: "PUT", path: pathOf(one), body: one.body() });
    await finished(put);
    const got = await call(fixture, { path: pathOf(one) });
    const listed = await call(fixture, { path: listOf(one) });
    const answer = await one.read();

    const { value } = listed.body as { value: unknown[] };
    expect([put.status, got.status, listed.status, value.length > 0]).toEqual([201, 200, 200, true]);
    expect([put.body, got.body, ...value].flatMap((body) => findings(one.type, body))).toEqual([]);
    expect(missingMembers(one.type, answer)).toEqual([]);
  },
);

it("answers a VM's instance view, and the disks and interfaces that its PUT made, as Azure's schema has them (@azure/mcp 2.0.5: bicepschema; @azure/arm-compute 25.1.1)", async () => {
  const expanded = await call(fixture, { path: `${VM_ID}?$expand=instanceView` });
  const view = await call(fixture, { path: `${VM_ID}/instanceView` });
  const statuses = await call(fixture, {
    path: `/subscriptions/${SUBSCRIPTION}/providers/Microsoft.Compute/virtualMachines?statusOnly=true`,
  });
  const answer = await computeOf(fixture).virtualMachines.get(GROUP, "vm", { expand: "instanceView" });

  const { value } = statuses.body as { value: unknown[] };
  const vm = "Microsoft.Compute/virtualMachines";
  expect([expanded.body, ...value].flatMap((body) => findings(vm, body))).toEqual([]);
  expect(findingsOf(vm, "VirtualMachineInstanceView", view.body)).toEqual([]);
  expect(missingMembers(vm, answer)).toEqual([]);
});

it("finds a member that the schema lacks, a wrong type, and a member that a model requires (the checker itself)", () => {
  const type = "Microsoft.ManagedIdentity/userAssignedIdentities";
  const body = { id: 1, location: LOCATION, nickname: "x", properties: { clientID: "x", clientId: true } };

  expect(findings(type, body)).toEqual([
    "id: no string, but 1",
    "nickname: not in Microsoft.ManagedIdentity/userAssignedIdentities@2024-11-30",
    "properties.clientID: not in Microsoft.ManagedIdentity/userAssignedIdentities@2024-11-30",
    "properties.clientId: no string, but true",
  ]);
  expect(missingMembers(type, { id: "x" })).toEqual(["location: required by the client's model"]);
  expect(typesWithSchema()).toContain("Microsoft.Storage/storageAccounts/blobServices/containers");
});
