import { execFile } from "node:child_process";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { promisify } from "node:util";
import { decodeJwt } from "jose";
import {
  type AzureFixture,
  createEstate,
  GROUP,
  GROUP_ID,
  LOCATION,
  startFixture,
  stopFixture,
  SUBNET_ID,
  SUBSCRIPTION,
} from "../../local/azure/azure-fixture";
import { TENANT } from "../../local/azure/wire";
import { makeCertificate } from "../identity/certificates";
import { AzSession, CLOUD } from "./az-session";
import { findAz, itWith } from "./installed-clients";

const az = findAz();
const itAz = itWith(az, "the cases of Azure's command line need `apt-get install azure-cli` (Debian).");
const VM = ["-g", GROUP, "-n", "az1"];
const VM_ID = `${GROUP_ID}/providers/Microsoft.Compute/virtualMachines/az1`;
const READER = "acdd72a7-3385-48ef-bd42-f606fba81ae7";
let fixture: AzureFixture;
let session: AzSession;
let signedIn: unknown;

jest.setTimeout(180_000);
beforeAll(async () => {
  if (!az) return;
  fixture = await startFixture({ deviceCodeIntervalSeconds: 1, sendsRetryAfter: true });
  await createEstate(fixture);
  session = new AzSession(az, fixture.azure);
  await session.registerCloud();
  signedIn = await session.signIn(fixture.owner);
}, 180_000);
afterAll(async () => {
  if (!az) return;
  session.close();
  await stopFixture(fixture);
});

const vmBody = {
  location: LOCATION,
  properties: {
    hardwareProfile: { vmSize: "Standard_NC4as_T4_v3" },
    priority: "Spot",
    evictionPolicy: "Deallocate",
    billingProfile: { maxPrice: -1 },
    storageProfile: {
      imageReference: { publisher: "microsoft-dsvm", offer: "ubuntu-hpc", sku: "2204", version: "latest" },
      osDisk: { name: "osdisk-az1", createOption: "FromImage", deleteOption: "Delete" },
    },
    osProfile: { computerName: "az1", adminUsername: "corral", adminPassword: "Not-a-secret-1" },
    networkProfile: {
      networkApiVersion: "2020-11-01",
      networkInterfaceConfigurations: [
        {
          name: "nic-az1",
          properties: {
            primary: true,
            deleteOption: "Delete",
            ipConfigurations: [{ name: "ip1", properties: { subnet: { id: SUBNET_ID } } }],
          },
        },
      ],
    },
  },
};

const rest = (method: string, path: string, ...more: string[]): Promise<unknown> =>
  session.run("rest", "-m", method, "-u", `${fixture.azure.armUrl}${path}?api-version=2022-04-01`, ...more);
const powerState = (): Promise<unknown> => session.run("vm", "show", "-d", ...VM, "--query", "powerState");

itAz("keeps the endpoints of another cloud (az cloud register, set, show)", async () => {
  const shown = await session.run("cloud", "show");

  expect(shown).toMatchObject({
    name: CLOUD,
    isActive: true,
    endpoints: { activeDirectory: `${fixture.azure.armUrl}/adfs`, resourceManager: fixture.azure.armUrl },
  });
});

itAz("signs a service principal in, and shows its subscriptions (az login --service-principal)", () => {
  expect(signedIn).toEqual([
    expect.objectContaining({
      cloudName: CLOUD,
      id: SUBSCRIPTION,
      tenantId: TENANT,
      user: { name: fixture.owner.clientId, type: "servicePrincipal" },
    }),
  ]);
});

itAz("shows and lists the account (az account show, list)", async () => {
  const shown = await session.run("account", "show");
  const listed = await session.run("account", "list", "--refresh");

  expect([shown, listed]).toEqual([
    expect.objectContaining({ id: SUBSCRIPTION }),
    [expect.objectContaining({ id: SUBSCRIPTION })],
  ]);
});

itAz("tells a person why a secret is refused (az login: AADSTS7000215)", async () => {
  const who = ["--service-principal", "-u", fixture.owner.clientId, "-p", "wrong", "--tenant", TENANT];

  const { code, err } = await session.start(["login", ...who]);
  await session.signIn(fixture.owner);

  expect([code, err]).toEqual([1, expect.stringContaining("AADSTS7000215")]);
});

itAz("creates, shows and finds a resource group (az group create, show, exists)", async () => {
  const created = await session.run("group", "create", "-n", "az-group", "-l", LOCATION, "--tags", "made=here");
  const shown = await session.run("group", "show", "-n", "az-group", "--query", "tags.made");
  const found = await session.run("group", "exists", "-n", "az-group");

  expect([created, shown, found]).toEqual([
    expect.objectContaining({ name: "az-group", properties: { provisioningState: "Succeeded" } }),
    "here",
    true,
  ]);
});

itAz("tells a person that a group is not there (az group show: ResourceGroupNotFound)", async () => {
  const { code, err } = await session.start(["group", "show", "-n", "nobody"]);

  expect([code, err]).toEqual([3, expect.stringContaining("(ResourceGroupNotFound)")]);
});

itAz("creates a VM by its REST body, and waits for it (az rest -m put, az vm wait --created)", async () => {
  const file = join(session.folder, "vm.json");
  writeFileSync(file, JSON.stringify(vmBody));

  const created = await rest("put", VM_ID, "-b", `@${file}`, "--query", "properties.provisioningState");
  await session.run("vm", "wait", ...VM, "--created", "--interval", "1");
  const state = await session.run("vm", "show", ...VM, "--query", "provisioningState");

  expect([created, state]).toEqual(["Creating", "Succeeded"]);
});

itAz("lists VMs of a group and of the subscription (az vm list)", async () => {
  const inGroup = await session.run("vm", "list", "-g", GROUP, "--query", "[].name");
  const everywhere = await session.run("vm", "list", "--query", "[].name");

  expect([inGroup, everywhere]).toEqual([["az1"], ["az1"]]);
});

itAz("shows what a VM is up to (az vm get-instance-view)", async () => {
  const query = ["--query", "instanceView.statuses[].code"];

  const codes = await session.run("vm", "get-instance-view", ...VM, ...query);

  expect(codes).toEqual(["ProvisioningState/succeeded", "PowerState/running"]);
});

itAz("takes a VM's machine away and gives it one again (az vm deallocate, start)", async () => {
  await session.run("vm", "deallocate", ...VM);
  const without = await powerState();
  await session.run("vm", "start", ...VM);
  const again = await powerState();

  expect([without, again]).toEqual(["VM deallocated", "VM running"]);
});

itAz("changes a VM by reading and writing it whole (az vm update --set)", async () => {
  const tags = await session.run("vm", "update", ...VM, "--set", "tags.changed=yes", "--query", "tags");

  expect(tags).toEqual({ changed: "yes" });
});

itAz("evicts a spot VM (az vm simulate-eviction)", async () => {
  await session.run("vm", "simulate-eviction", ...VM);
  // Until the CLI itself sees it.
  await session.run(
    "vm",
    "wait",
    ...VM,
    "--custom",
    "instanceView.statuses[?code=='PowerState/deallocated']",
    "--interval",
    "1",
  );

  expect(await powerState()).toBe("VM deallocated");
});

itAz("shows resources of any type by their ids (az resource list, show)", async () => {
  const listed = await session.run("resource", "list", "-g", GROUP, "--query", "[].type");
  const shown = await session.run("resource", "show", "--ids", VM_ID, "--query", "name");

  expect([listed, shown]).toEqual([expect.arrayContaining(["Microsoft.Compute/virtualMachines"]), "az1"]);
});

itAz("tags a resource of any type (az resource tag)", async () => {
  const id = `${GROUP_ID}/providers/Microsoft.Network/virtualNetworks/vnet`;

  const tags = await session.run("resource", "tag", "--ids", id, "--tags", "by=az", "--query", "tags");

  expect(tags).toEqual({ by: "az" });
});

itAz("registers a resource provider (az provider register, show)", async () => {
  await session.run("provider", "register", "-n", "Microsoft.Compute");
  const state = await session.run("provider", "show", "-n", "Microsoft.Compute", "--query", "registrationState");

  expect(state).toBe("Registered");
});

itAz("gives a role and reads it back (az rest, Microsoft.Authorization 2022-04-01)", async () => {
  const other = fixture.azure.addServicePrincipal({ displayName: "other" });
  const path = `${GROUP_ID}/providers/Microsoft.Authorization/roleAssignments/5d3a6f0e-0a1a-4f6c-8d0a-2f5a31a3a001`;
  const roleDefinitionId = `/providers/Microsoft.Authorization/roleDefinitions/${READER}`;
  const body = { properties: { roleDefinitionId, principalId: other.objectId, principalType: "ServicePrincipal" } };

  await rest("put", path, "-b", JSON.stringify(body));
  const given = await rest("get", path, "--query", "properties.principalId");

  expect(given).toBe(other.objectId);
});

itAz("deletes a VM, and says so when it is asked for again (az vm delete, show: ResourceNotFound)", async () => {
  await session.run("vm", "delete", ...VM, "-y");
  const { code, err } = await session.start(["vm", "show", ...VM]);

  expect([code, err]).toEqual([3, expect.stringContaining("(ResourceNotFound)")]);
});

itAz("deletes a resource group and waits for it (az group delete)", async () => {
  await session.run("group", "delete", "-n", "az-group", "-y");
  const found = await session.run("group", "exists", "-n", "az-group");

  expect(found).toBe(false);
});

itAz("lends its sign-in to a program (@azure/identity 4.14.1, AzureCliCredential)", async () => {
  const program = join(__dirname, "azure-cli-credential.cjs");

  const { stdout } = await promisify(execFile)(process.execPath, [program], { env: session.environment });

  expect(decodeJwt(stdout)).toMatchObject({ appid: fixture.owner.clientId, tid: TENANT });
});

itAz("signs a person in on another device (az login --use-device-code)", async () => {
  const { azure } = fixture;
  const ada = azure.addPerson({ displayName: "Ada", type: "User" });
  azure.grant({ principalId: ada, role: "Reader", scope: GROUP_ID });
  let isApproved = false;
  const approve = (said: string): void => {
    const code = /enter the code (\w+) to authenticate/.exec(said)?.[1];
    if (!code || isApproved) return;
    isApproved = true;
    const body = JSON.stringify({ user: "ada@local.onmicrosoft.com", decision: "approve" });
    void fetch(`${azure.portalUrl}/entra/devices/${code}`, { method: "POST", body });
  };

  const { json } = await session.start(["login", "--use-device-code"], approve);

  expect(json).toEqual([expect.objectContaining({ user: { name: "ada@local.onmicrosoft.com", type: "user" } })]);
});

itAz("signs an application in with a certificate (az login --service-principal -p FILE)", async () => {
  const { certificatePem, privateKeyPem } = await makeCertificate();
  fixture.azure.registerCertificate(fixture.owner.clientId, certificatePem);
  const file = join(session.folder, "certificate.pem");
  writeFileSync(file, `${privateKeyPem}${certificatePem}`);

  const accounts = await session.signIn({ clientId: fixture.owner.clientId, clientSecret: file });
  const group = await session.run("group", "show", "-n", GROUP, "--query", "name");

  expect([accounts, group]).toEqual([[expect.objectContaining({ id: SUBSCRIPTION })], GROUP]);
});
