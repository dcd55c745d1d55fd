import { spawn } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import {
  type AzureFixture,
  createEstate,
  GROUP,
  LOCATION,
  rule,
  startFixture,
  stopFixture,
  SUBNET_ID,
  SUBSCRIPTION,
} from "../../local/azure/azure-fixture";
import { call, TENANT } from "../../local/azure/wire";
import { makeCertificate } from "../identity/certificates";
import { findPython, itWith } from "./installed-clients";

const MODULES = ["azure.identity", "compute", "resource", "network", "authorization", "msi"].map((name) =>
  name.startsWith("azure.") ? name : `azure.mgmt.${name}`,
);
const python = findPython(MODULES);
const itPython = itWith(python, "the cases of Python's Azure clients need `apt-get install python3-azure` (Debian).");
const MANY = "many-machines";
const MANY_VMS = 501;
const SOLD_OUT = "Standard_NC24ads_A100_v4";

type Outcome = Readonly<Record<string, unknown>>;
let fixture: AzureFixture | undefined;
const outcomes = new Map<string, Outcome>();

/** The value of a case, or its error as the test's failure. */
function valueOf(name: string): unknown {
  const outcome = outcomes.get(name);
  if (!outcome) throw new Error(`The program said nothing about '${name}'.`);
  if ("error" in outcome) throw new Error(String(outcome["error"]));
  return outcome["value"];
}

beforeAll(async () => {
  if (!python) return;
  fixture = await startFixture({
    gpuFamilyCores: 10_000,
    quotas: [{ name: "cores", limit: 10_000 }],
    deviceCodeIntervalSeconds: 1,
  });
  await createEstate(fixture);
  await createMany(fixture);
  await fetch(`${fixture.azure.portalUrl}/sizes/${SOLD_OUT}`, { method: "PUT", body: '{"available":false}' });
  const failure = { code: "AllocationFailed", message: "Allocation failed." };
  fixture.faults.arm(
    rule({
      operation: "PUT Microsoft.Compute/virtualMachines",
      subject: "failing",
      stage: "operation",
      action: { kind: "fail", status: 200, ...failure },
    }),
  );
  await runProgram(fixture, python, await inputOf(fixture));
}, 120_000);
afterAll(async () => {
  if (fixture) await stopFixture(fixture);
});

/** More VMs than a page holds; they need no network to be listed. */
async function createMany(azure: AzureFixture): Promise<void> {
  const group = `/subscriptions/${SUBSCRIPTION}/resourceGroups/${MANY}`;
  await call(azure, { method: "PUT", path: group, body: { location: LOCATION } });
  const names = Array.from({ length: MANY_VMS }, (_, index) => `m${String(index)}`);
  const put = async (name: string): Promise<void> => {
    const path = `${group}/providers/Microsoft.Compute/virtualMachines/${name}`;
    const { status, body } = await call(azure, { method: "PUT", path, body: plainVm(name) });
    if (status !== 201) throw new Error(JSON.stringify(body));
  };
  while (names.length > 0) await Promise.all(names.splice(0, 50).map(put));
}

const plainVm = (name: string): object => ({
  location: LOCATION,
  properties: {
    hardwareProfile: { vmSize: "Standard_NC4as_T4_v3" },
    storageProfile: {
      imageReference: { publisher: "microsoft-dsvm", offer: "ubuntu-hpc", sku: "2204", version: "latest" },
      osDisk: { createOption: "FromImage", deleteOption: "Delete" },
    },
    osProfile: { computerName: name, adminUsername: "corral", adminPassword: "Not-a-secret-1" },
    networkProfile: {
      networkApiVersion: "2020-11-01",
      networkInterfaceConfigurations: [
        {
          name: `nic-${name}`,
          properties: { primary: true, ipConfigurations: [{ name: "ip1", properties: { subnet: { id: SUBNET_ID } } }] },
        },
      ],
    },
  },
});

async function inputOf({ azure, owner }: AzureFixture): Promise<object> {
  const { certificatePem, privateKeyPem } = await makeCertificate();
  azure.registerCertificate(owner.clientId, certificatePem);
  azure.addPerson({ displayName: "Ada", type: "User", userPrincipalName: "ada@local.onmicrosoft.com" });
  const identity = azure.assignAppIdentity(
    `/subscriptions/${SUBSCRIPTION}/resourceGroups/${GROUP}/providers/Microsoft.ManagedIdentity/userAssignedIdentities/app`,
  );
  return {
    url: azure.armUrl,
    portal: azure.portalUrl,
    tenant: TENANT,
    subscription: SUBSCRIPTION,
    group: GROUP,
    manyGroup: MANY,
    location: LOCATION,
    subnetId: SUBNET_ID,
    soldOut: SOLD_OUT,
    owner,
    stranger: azure.addServicePrincipal({ displayName: "stranger" }),
    certificate: `${certificatePem}${privateKeyPem}`,
    user: "ada@local.onmicrosoft.com",
    appClientId: identity.clientId,
  };
}

async function runProgram({ azure }: AzureFixture, command: string, input: object): Promise<void> {
  const program = spawn(command, [join(__dirname, "compute_client.py")], {
    env: { ...process.env, ...azure.identityEnvironment, REQUESTS_CA_BUNDLE: azure.caFile, PYTHONWARNINGS: "ignore" },
  });
  program.stdin.end(JSON.stringify(input));
  const [out, err] = await Promise.all([text(program.stdout), text(program.stderr)]);
  for (const line of out.split("\n").filter((one) => one !== "")) {
    const outcome = JSON.parse(line) as Outcome;
    outcomes.set(String(outcome["case"]), outcome);
  }
  if (outcomes.size === 0) throw new Error(`The program printed nothing: ${err}`);
}

itPython(
  "gives an application a token that says what its client can do (azure-identity, ClientSecretCredential)",
  () => {
    expect(valueOf("secret")).toEqual({
      appid: fixture?.owner.clientId,
      idtyp: "app",
      xms_cc: ["CP1"],
      ver: "1.0",
    });
  },
);

itPython("refuses a wrong secret by number (azure-identity, ClientAuthenticationError)", () => {
  const { class: kind, text: said } = valueOf("wrongSecret") as { class: string; text: string };

  expect([kind, said]).toEqual(["ClientAuthenticationError", expect.stringContaining("AADSTS7000215")]);
});

itPython("signs an application in with a certificate (azure-identity, CertificateCredential)", () => {
  expect(valueOf("certificate")).toBe("2");
});

itPython("signs a person in on another device (azure-identity, DeviceCodeCredential)", () => {
  expect(valueOf("deviceCode")).toEqual({
    upn: "ada@local.onmicrosoft.com",
    scp: "user_impersonation",
    idtyp: "user",
  });
});

itPython("hands out the app's identity (azure-identity, ManagedIdentityCredential on App Service)", () => {
  expect(valueOf("managedIdentity")).toMatch(/userAssignedIdentities\/app$/);
});

itPython("creates a VM and tells when it is done (azure-mgmt-compute, begin_create_or_update)", () => {
  expect(valueOf("create")).toEqual({ state: "Succeeded", size: "Standard_NC4as_T4_v3", tags: { made: "here" } });
});

itPython("lets another client wait for the same operation (azure-core, LROPoller continuation_token)", () => {
  expect(valueOf("resume")).toEqual({ state: "Succeeded", status: "Succeeded" });
});

itPython("shows what a VM is up to (azure-mgmt-compute, instance_view)", () => {
  expect(valueOf("view")).toEqual(["ProvisioningState/succeeded", "PowerState/running"]);
});

itPython("lists the VMs of a group (azure-mgmt-compute, virtual_machines.list)", () => {
  expect(valueOf("list")).toEqual(["py1", "py2"]);
});

itPython("takes a VM's machine away (azure-mgmt-compute, begin_deallocate)", () => {
  expect(valueOf("deallocate")).toEqual(["PowerState/deallocated"]);
});

itPython("gives it a machine again (azure-mgmt-compute, begin_start)", () => {
  expect(valueOf("start")).toEqual(["PowerState/running"]);
});

itPython("stops a VM that goes on to be billed (azure-mgmt-compute, begin_power_off)", () => {
  expect(valueOf("powerOff")).toEqual(["PowerState/stopped"]);
});

itPython("evicts a spot VM when asked to (azure-mgmt-compute, simulate_eviction)", () => {
  expect(valueOf("evict")).toEqual(["PowerState/deallocated"]);
});

itPython("answers for an absent VM with the error of its class (azure-core, ResourceNotFoundError)", () => {
  expect(valueOf("notFound")).toMatchObject({ class: "ResourceNotFoundError", code: "ResourceNotFound", status: 404 });
});

itPython("refuses a sold out size at once (azure-core, HttpResponseError with ODataV4 code)", () => {
  expect(valueOf("soldOut")).toMatchObject({ code: "SkuNotAvailable", status: 409 });
});

itPython("tells why an operation failed after it was accepted (azure-core, AzureAsyncOperation)", () => {
  const { class: kind, text: said } = valueOf("allocation") as { class: string; text: string };

  expect([kind, said]).toEqual(["HttpResponseError", expect.stringContaining("AllocationFailed")]);
});

itPython("pages long lists (azure-core, ItemPaged.by_page)", () => {
  expect(valueOf("pages")).toEqual({ pages: 2, vms: MANY_VMS });
});

itPython("deletes a VM, also one that is gone (azure-mgmt-compute, begin_delete)", () => {
  expect(valueOf("delete")).toEqual({ vms: expect.not.arrayContaining(["py1"]) as unknown, again: null });
});

itPython("keeps resource groups, generic lists and providers (azure-mgmt-resource)", () => {
  expect(valueOf("groups")).toEqual({
    name: "py-group",
    found: true,
    resources: ["vnet"],
    after: false,
    provider: "Registered",
  });
});

itPython("keeps networks, subnets and the VMs' interfaces (azure-mgmt-network)", () => {
  expect(valueOf("networks")).toEqual({ names: ["vnet"], subnet: "10.64.0.0/20", made: "Succeeded", nics: true });
});

itPython("lets a role decide what an application may do (azure-mgmt-authorization)", () => {
  expect(valueOf("roles")).toEqual({ role: "Reader", before: "AuthorizationFailed", scope: true, seen: true });
});

itPython("keeps user-assigned identities (azure-mgmt-msi)", () => {
  expect(valueOf("identities")).toEqual({ names: expect.arrayContaining(["pyid"]) as unknown, hasIds: true });
});

itPython("lists sizes and quotas (azure-mgmt-compute, resource_skus and usage)", () => {
  expect(valueOf("skus")).toEqual({ t4: true, cores: true });
});

itPython("lists the subscriptions of the caller (azure-mgmt-resource, SubscriptionClient)", () => {
  expect(valueOf("subscriptions")).toEqual([SUBSCRIPTION]);
});

it("tells about each case of its program once (compute_client.py)", () => {
  const source = readFileSync(join(__dirname, "compute_client.py"), "utf8");
  const cases = [...source.slice(source.indexOf("CASES = {")).matchAll(/^ {4}"(\w+)":/gm)].map(([, name]) => name);

  expect(cases).toHaveLength(24);
});
