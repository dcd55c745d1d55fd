import reader from "../../../src/domain/capacity-reader.json";
import appender from "../../../src/domain/audit-appender.json";
import operator from "../../../src/domain/machine-operator.json";

/** The table of who may do what in Azure, written down by hand: a right that is added here has to be added on purpose. */
const OPERATOR = [
  "Microsoft.Compute/virtualMachines/read",
  "Microsoft.Compute/virtualMachines/instanceView/read",
  "Microsoft.Compute/virtualMachines/write",
  "Microsoft.Compute/virtualMachines/start/action",
  "Microsoft.Compute/virtualMachines/powerOff/action",
  "Microsoft.Compute/virtualMachines/deallocate/action",
  "Microsoft.Compute/virtualMachines/delete",
  "Microsoft.Compute/virtualMachines/simulateEviction/action",
  "Microsoft.Network/networkInterfaces/read",
  "Microsoft.Network/networkInterfaces/write",
  "Microsoft.Network/networkInterfaces/delete",
  "Microsoft.Network/networkInterfaces/join/action",
  "Microsoft.Compute/disks/read",
  "Microsoft.Compute/disks/write",
  "Microsoft.Compute/disks/delete",
  "Microsoft.Network/virtualNetworks/subnets/read",
  "Microsoft.Network/virtualNetworks/subnets/join/action",
  "Microsoft.ManagedIdentity/userAssignedIdentities/read",
  "Microsoft.ManagedIdentity/userAssignedIdentities/assign/action",
  "Microsoft.Compute/images/read",
  "Microsoft.Compute/galleries/images/versions/read",
  "Microsoft.Resources/subscriptions/resourceGroups/read",
  "Microsoft.Resources/subscriptions/resourceGroups/resources/read",
];
const READER = [
  "Microsoft.Compute/skus/read",
  "Microsoft.Compute/locations/usages/read",
  "Microsoft.Compute/virtualMachines/read",
  "Microsoft.Resources/subscriptions/resourceGroups/read",
  "Microsoft.ResourceGraph/resources/read",
];

it.each([
  ["machine operator", operator, OPERATOR],
  ["capacity reader", reader, READER],
])("gives the %s exactly the rights of the table (I7)", (_name, role, actions) => {
  expect([...role.Actions].sort()).toEqual([...actions].sort());
  expect([role.NotActions, role.DataActions, role.NotDataActions]).toEqual([[], [], []]);
});

it.each([operator, reader])("has no wildcard, and nothing of vaults, storage or roles in $Name (I5)", ({ Actions }) => {
  expect(Actions.filter((action) => /[*]|KeyVault|Storage|Authorization|ContainerRegistry/.test(action))).toEqual([]);
});

it("gives the audit's keeper the right to add and to read, and no other (T27)", () => {
  expect([appender.Actions, appender.NotActions, appender.NotDataActions]).toEqual([[], [], []]);
  expect(appender.DataActions.map((action) => action.split("/").slice(-2).join("/"))).toEqual([
    "add/action",
    "add/action",
    "entities/read",
  ]);
});
