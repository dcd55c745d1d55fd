import { execFile } from "node:child_process";
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { decodeJwt } from "jose";
import { startMetadataService } from "../../../local/vm/metadata-service";
import { type AzureFixture, GROUP_ID, startFixture, stopFixture } from "../../local/azure/azure-fixture";
import { TENANT } from "../../local/azure/wire";
import { makeCertificate } from "./certificates";
import { ARM_SCOPE, AZURE_CLI } from "./sign-in";

let fixture: AzureFixture;
let folder: string;
beforeAll(async () => {
  fixture = await startFixture();
  folder = mkdtempSync(join(tmpdir(), "corral-credentials-"));
});
afterAll(async () => {
  rmSync(folder, { recursive: true, force: true });
  await stopFixture(fixture);
});

interface Run {
  readonly kind: string;
  readonly options?: object;
  readonly environment?: Readonly<Record<string, string>>;
}

/** The claims of the token that a credential gets in a process with just this environment. */
async function tokenIn({ kind, options = {}, environment = {} }: Run): Promise<Record<string, unknown>> {
  const { PATH = "" } = process.env;
  const program = join(__dirname, "credential-process.cjs");
  const input = JSON.stringify({ kind, options, scope: ARM_SCOPE });
  const env = { PATH, HOME: folder, NODE_EXTRA_CA_CERTS: fixture.azure.caFile, ...environment };
  const { stdout } = await promisify(execFile)(process.execPath, [program, input], { env, cwd: folder });
  return decodeJwt(stdout);
}

const servicePrincipal = (): Record<string, string> => ({
  AZURE_AUTHORITY_HOST: fixture.azure.authorityUrl,
  AZURE_TENANT_ID: TENANT,
  AZURE_CLIENT_ID: fixture.owner.clientId,
});

it("signs a person in by a browser (@azure/identity 4.14.1, InteractiveBrowserCredential: code, PKCE, form_post)", async () => {
  const userPrincipalName = "grace@local.onmicrosoft.com";
  const oid = fixture.azure.addPerson({ displayName: "Grace", type: "User", userPrincipalName });
  const browser = join(folder, "browser");
  writeFileSync(browser, `#!/bin/sh\nexec "${process.execPath}" "${join(__dirname, "browser.cjs")}" "$1"\n`);
  chmodSync(browser, 0o755);

  const claims = await tokenIn({
    kind: "InteractiveBrowserCredential",
    options: { tenantId: TENANT, authorityHost: fixture.azure.authorityUrl, disableInstanceDiscovery: true },
    environment: { BROWSER: browser, SIGN_IN_AS: userPrincipalName },
  });

  expect(claims).toMatchObject({ oid, upn: userPrincipalName, appid: AZURE_CLI, scp: "user_impersonation" });
});

it("takes a secret from the environment (@azure/identity 4.14.1, DefaultAzureCredential)", async () => {
  const claims = await tokenIn({
    kind: "DefaultAzureCredential",
    options: { disableInstanceDiscovery: true },
    environment: { ...servicePrincipal(), AZURE_CLIENT_SECRET: fixture.owner.clientSecret },
  });

  expect(claims).toMatchObject({ appid: fixture.owner.clientId, appidacr: "1" });
});

it("takes a certificate from the environment (@azure/identity 4.14.1, EnvironmentCredential)", async () => {
  const { certificatePem, privateKeyPem } = await makeCertificate();
  fixture.azure.registerCertificate(fixture.owner.clientId, certificatePem);
  const file = join(folder, "certificate.pem");
  writeFileSync(file, `${certificatePem}${privateKeyPem}`);

  const claims = await tokenIn({
    kind: "EnvironmentCredential",
    options: { disableInstanceDiscovery: true },
    environment: { ...servicePrincipal(), AZURE_CLIENT_CERTIFICATE_PATH: file },
  });

  expect(claims).toMatchObject({ appid: fixture.owner.clientId, appidacr: "2" });
});

const newIdentity = (name: string) =>
  fixture.azure.assignAppIdentity(`${GROUP_ID}/providers/Microsoft.ManagedIdentity/userAssignedIdentities/${name}`);

it.each(["ManagedIdentityCredential", "DefaultAzureCredential"])(
  "hands out the function app's identity (@azure/identity 4.14.1, %s on App Service)",
  async (kind) => {
    const { clientId, principalId } = newIdentity("app");
    const options = { clientId, managedIdentityClientId: clientId };

    const claims = await tokenIn({ kind, options, environment: fixture.azure.identityEnvironment });

    expect(claims).toMatchObject({ oid: principalId, idtyp: "app", appidacr: "2" });
  },
);

it("tells a program that its identity is not there (@azure/identity 4.14.1, ManagedIdentityCredential)", async () => {
  const absent = { clientId: "99999999-9999-4999-8999-999999999999" };

  const failed = tokenIn({
    kind: "ManagedIdentityCredential",
    options: absent,
    environment: fixture.azure.identityEnvironment,
  });

  await expect(failed).rejects.toThrow(/CredentialUnavailableError|AuthenticationError/);
});

it("hands out a VM's identity by the metadata service (@azure/identity 4.14.1, ManagedIdentityCredential on IMDS)", async () => {
  const identity = newIdentity("machine");
  const vm = {
    resourceId: `${GROUP_ID}/providers/Microsoft.Compute/virtualMachines/vm1`,
    name: "vm1",
    identities: [identity],
  } as unknown as Parameters<typeof startMetadataService>[0]; // what the identity endpoint reads of a machine
  const service = await startMetadataService(vm, fixture.azure.tokens);

  try {
    const claims = await tokenIn({
      kind: "ManagedIdentityCredential",
      options: { clientId: identity.clientId },
      environment: { AZURE_POD_IDENTITY_AUTHORITY_HOST: service.url },
    });

    expect(claims).toMatchObject({ oid: identity.principalId, xms_mirid: identity.resourceId });
  } finally {
    await service.close();
  }
});
