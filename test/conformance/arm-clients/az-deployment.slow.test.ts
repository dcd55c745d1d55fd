import { writeFileSync } from "node:fs";
import { join } from "node:path";
import {
  type AzureFixture,
  createEstate,
  GROUP,
  GROUP_ID,
  startFixture,
  stopFixture,
} from "../../local/azure/azure-fixture";
import { AzSession } from "./az-session";
import { findAz, itWith } from "./installed-clients";

const az = findAz();
const itAz = itWith(az, "the cases of Azure's command line need `apt-get install azure-cli` (Debian).");
const IDENTITY = "Microsoft.ManagedIdentity/userAssignedIdentities";
let fixture: AzureFixture;
let session: AzSession;
let file: string;

jest.setTimeout(120_000);
beforeAll(async () => {
  if (!az) return;
  fixture = await startFixture({ sendsRetryAfter: true });
  await createEstate(fixture);
  session = new AzSession(az, fixture.azure);
  session.writeCloud();
  await session.signIn(fixture.owner);
  file = join(session.folder, "template.json");
  writeFileSync(file, TEMPLATE);
});
afterAll(async () => {
  if (!az) return;
  session.close();
  await stopFixture(fixture);
});

/** With a comment, which az sends along as it stands. */
const TEMPLATE = `{
  "$schema": "https://schema.management.azure.com/schemas/2019-04-01/deploymentTemplate.json#",
  "contentVersion": "1.0.0.0",
  "parameters": { "name": { "type": "string" }, "location": { "type": "string", "defaultValue": "[resourceGroup().location]" } },
  // The one resource.
  "resources": [
    {
      "type": "${IDENTITY}",
      "apiVersion": "2023-01-31",
      "name": "[parameters('name')]",
      "location": "[parameters('location')]"
    }
  ],
  "outputs": { "id": { "type": "string", "value": "[resourceId('${IDENTITY}', parameters('name'))]" } }
}`;

const deploy = (command: string, ...parameters: string[]): Promise<unknown> =>
  session.run("deployment", "group", command, "-g", GROUP, "-f", file, "--parameters", ...parameters);

itAz("deploys a template, and shows its outputs (az deployment group create, show)", async () => {
  const created = (await deploy("create", "name=fromaz", "-n", "d1")) as { properties: { outputs: unknown } };
  const state = await session.run(
    "deployment",
    "group",
    "show",
    "-g",
    GROUP,
    "-n",
    "d1",
    "--query",
    "properties.provisioningState",
  );

  expect(created.properties.outputs).toEqual({
    id: { type: "String", value: `${GROUP_ID}/providers/${IDENTITY}/fromaz` },
  });
  expect(state).toBe("Succeeded");
});

itAz("judges a template without deploying it (az deployment group validate)", async () => {
  const judged = (await deploy("validate", "name=unmade")) as { properties: { provisioningState: string } };
  const names = await session.run("identity", "list", "-g", GROUP, "--query", "[].name");

  expect(judged.properties.provisioningState).toBe("Succeeded");
  expect(names).not.toContain("unmade");
});

itAz("tells what a template would change (az deployment group what-if)", async () => {
  const told = (await deploy("what-if", "name=planned", "--no-pretty-print")) as {
    changes: { changeType: string; resourceId: string }[];
  };
  const planned = told.changes.filter(({ resourceId }) => resourceId.endsWith("/planned"));

  expect(planned.map(({ changeType }) => changeType)).toEqual(["Create"]);
});

itAz("tells a person why a deployment was refused (az deployment group create: location)", async () => {
  const args = ["deployment", "group", "create", "-g", GROUP, "-f", file, "-n", "d2"];

  const { code, err } = await session.start([...args, "--parameters", "name=x", "location=atlantis"]);

  expect([code, err]).toEqual([1, expect.stringContaining("LocationNotAvailableForResourceType")]);
});

itAz(
  "creates a VM in a network that is there (az vm create: a template with nulls and names in any case)",
  async () => {
    const key = join(session.folder, "key.pub");
    writeFileSync(key, "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIJx5f1H0p7Yk1m2a5bq2t0H9o6Z1bq2t0H9o6Z1bq2tA me\n");
    const machine = [
      "-g",
      GROUP,
      "-n",
      "made",
      "--image",
      "microsoft-dsvm:ubuntu-hpc:2204:latest",
      "--size",
      "Standard_D2s_v5",
    ];
    const access = ["--admin-username", "corral", "--ssh-key-values", key, "--public-ip-address", "", "--nsg", ""];

    // Else az looks every 30 seconds, as a deployment's answers name no time.
    await session.run(
      "vm",
      "create",
      ...machine,
      ...access,
      "--vnet-name",
      "vnet",
      "--subnet",
      "machines",
      "--no-wait",
    );
    await session.run("vm", "wait", "-g", GROUP, "-n", "made", "--created", "--interval", "1");
    const state = await session.run("vm", "show", "-d", "-g", GROUP, "-n", "made", "--query", "powerState");

    expect(state).toBe("VM running");
  },
);
