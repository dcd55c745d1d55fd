/* Run as a process of its own: Node reads NODE_EXTRA_CA_CERTS when it starts, and the credential looks at its source once. */
const { ComputeManagementClient } = require("@azure/arm-compute");
const { ManagedIdentityCredential } = require("@azure/identity");

const { endpoint, subscriptionId, group, clientId, vm, vmName } = JSON.parse(process.argv[2]);
const compute = new ComputeManagementClient(new ManagedIdentityCredential({ clientId }), subscriptionId, { endpoint });
const fast = { updateIntervalInMs: 20 };

async function main() {
  const created = await compute.virtualMachines.createOrUpdate(group, vmName, vm, fast);
  const shown = await compute.virtualMachines.get(group, vmName, { expand: "instanceView" });
  await compute.virtualMachines.delete(group, vmName, fast);
  const gone = await compute.virtualMachines.get(group, vmName).catch((error) => error.code);
  const power = shown.instanceView.statuses.map(({ code }) => code);
  process.stdout.write(JSON.stringify({ state: created.provisioningState, power, gone }));
}

main().catch((error) => {
  process.stderr.write(`${error.stack}\n`);
  process.exitCode = 1;
});
