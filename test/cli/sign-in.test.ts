import { chmodSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { makeCertificate } from "../conformance/identity/certificates";
import { API } from "../conformance/identity/sign-in";
import { GROUP_ID } from "../local/azure/azure-fixture";
import { TENANT, tokenFor } from "../local/azure/wire";
import { type CliRun, corral, corralProcess } from "./corral";
import { approver, secretEnvironment, type SignInFixture, startSignIn, stopSignIn } from "./sign-in-fixture";

const ADA = "ada@local.onmicrosoft.com";
let fixture: SignInFixture;
let ada: string;
beforeAll(async () => {
  fixture = await startSignIn();
  ada = fixture.azure.azure.addPerson({ displayName: "Ada", type: "User", userPrincipalName: ADA });
});
afterAll(() => stopSignIn(fixture));

let homes = 0;
/** A user of this computer who has never signed in. */
function newUser(): Record<string, string> {
  const home = join(fixture.folder, `home${(homes += 1)}`);
  mkdirSync(home);
  return { CORRAL_CONFIG_DIR: join(home, "corral"), HOME: home };
}

const login = (way: string, run: CliRun & { onStderr?: (text: string) => void }) =>
  corralProcess(["login", ...fixture.where, "--sign-in", way, "--json"], run);
const idOf = ({ stdout }: { stdout: string }): unknown => (JSON.parse(stdout) as { objectId?: unknown }).objectId;

it("signs a person in by a browser, once for all commands after it", async () => {
  const env = { ...newUser(), SIGN_IN_AS: ADA, NODE_EXTRA_CA_CERTS: fixture.azure.azure.caFile };
  const browser = join(fixture.folder, "browser");
  const program = join(__dirname, "..", "conformance", "identity", "browser.cjs");
  writeFileSync(browser, `#!/bin/sh\nexec "${process.execPath}" "${program}" "$1"\n`);
  chmodSync(browser, 0o755);

  const signedIn = await login("browser", { env: { ...env, BROWSER: browser } });
  const later = await corral(["whoami", "--json"], { env });

  expect([signedIn.code, idOf(signedIn)]).toEqual([0, ada]);
  expect(JSON.parse(later.stdout)).toMatchObject({ name: ADA, kind: "user", way: "browser", tenantId: TENANT });
});

it("signs a person in on another device, and tells what to do there", async () => {
  const env = newUser();

  const signedIn = await login("device-code", { env, onStderr: approver(fixture, ADA) });
  const later = await corral(["whoami"], { env });

  expect([signedIn.code, idOf(signedIn)]).toEqual([0, ada]);
  expect(later.stdout).toContain(ADA);
});

it("keeps what it knows of a person where only he can read it, and forgets it at logout", async () => {
  const env = newUser();
  await login("device-code", { env, onStderr: approver(fixture, ADA) });
  const folder = env["CORRAL_CONFIG_DIR"] ?? "";
  const files = readdirSync(folder);
  const modes = [folder, ...files.map((file) => join(folder, file))].map((path) => statSync(path).mode & 0o777);

  const out = await corral(["logout"], { env });
  const after = await corral(["whoami"], { env });

  expect(files.sort()).toEqual(["connection.json", "tokens.cae.json"]);
  expect(modes).toEqual([0o700, 0o600, 0o600]);
  expect([out.code, readdirSync(folder), after.code]).toEqual([0, [], 3]);
  expect(after.stderr).toMatch(/^corral: .*corral login.*\n$/);
});

it("signs a service principal in by the secret of the environment, and keeps the secret nowhere", async () => {
  const { owner } = fixture.azure;
  const user = newUser();
  const env = { ...user, ...secretEnvironment(owner) };

  const signedIn = await login("service-principal", { env });
  const later = await corral(["whoami", "--json"], { env });
  const without = await corral(["whoami"], { env: user });

  const kept = readFileSync(join(user["CORRAL_CONFIG_DIR"] ?? "", "connection.json"), "utf8");
  expect([signedIn.code, idOf(signedIn), idOf(later)]).toEqual([0, owner.objectId, owner.objectId]);
  expect([kept, signedIn.stdout, signedIn.stderr].join("")).not.toContain(owner.clientSecret);
  expect([without.code, without.stderr]).toEqual([3, expect.stringContaining("AZURE_CLIENT_SECRET")]);
});

it("signs a service principal in by a certificate", async () => {
  const { certificatePem, privateKeyPem } = await makeCertificate();
  const { clientId, objectId } = fixture.azure.azure.addServicePrincipal({ displayName: "with a certificate" });
  fixture.azure.azure.registerCertificate(clientId, certificatePem);
  const file = join(fixture.folder, "certificate.pem");
  writeFileSync(file, `${certificatePem}${privateKeyPem}`);
  const env = { ...newUser(), AZURE_CLIENT_ID: clientId, AZURE_CLIENT_CERTIFICATE_PATH: file };

  const signedIn = await login("service-principal", { env });

  expect([signedIn.code, idOf(signedIn)]).toEqual([0, objectId]);
});

it("takes the session of Azure's command line", async () => {
  const { owner } = fixture.azure;
  const bin = join(fixture.folder, "bin");
  mkdirSync(bin);
  const accessToken = await tokenFor(fixture.azure, owner, `${API}/.default`);
  const answer = JSON.stringify({ accessToken, expires_on: Math.floor(Date.now() / 1000) + 3000 });
  // Stands for `az`: answers with the token of who is signed in there, if the right one is asked for.
  const asked = `account get-access-token --output json --resource ${API} --tenant ${TENANT}`;
  writeFileSync(join(bin, "az"), `#!/bin/sh\n[ "$*" = "${asked}" ] && echo '${answer}'\n`, { mode: 0o755 });
  const env = { ...newUser(), PATH: `${bin}:/bin:/usr/bin` };

  const signedIn = await login("azure-cli", { env });

  expect([signedIn.code, idOf(signedIn)]).toEqual([0, owner.objectId]);
});

it("takes the identity of the machine it runs on", async () => {
  const { azure } = fixture.azure;
  const id = `${GROUP_ID}/providers/Microsoft.ManagedIdentity/userAssignedIdentities/runner`;
  const { clientId, principalId } = azure.assignAppIdentity(id);
  const env = { ...newUser(), ...azure.identityEnvironment, AZURE_CLIENT_ID: clientId };

  const signedIn = await login("managed-identity", { env });

  expect([signedIn.code, idOf(signedIn)]).toEqual([0, principalId]);
});

it("needs no login before a command that names how", async () => {
  const { owner } = fixture.azure;
  const user = newUser();
  const args = ["whoami", "--json", ...fixture.where, "--sign-in", "service-principal"];

  const shown = await corral(args, { env: { ...user, ...secretEnvironment(owner) } });

  expect([shown.code, idOf(shown)]).toEqual([0, owner.objectId]);
  expect(() => readdirSync(user["CORRAL_CONFIG_DIR"] ?? "")).toThrow();
});

it.each([
  { what: "a secret that is wrong", env: { AZURE_CLIENT_SECRET: "wrong" }, code: 3, said: /AADSTS7000215/ },
  { what: "a tenant that is not the deployment's", env: { AZURE_TENANT_ID: API }, code: 1, said: /--tenant/ },
])("tells what is wrong with $what on one line, and keeps nothing", async ({ env, code, said }) => {
  const user = newUser();

  const end = await corral(["login", ...fixture.where, "--sign-in", "service-principal"], {
    env: { ...user, ...secretEnvironment(fixture.azure.owner), ...env },
  });

  expect([end.code, end.stderr.split("\n").length, end.stdout]).toEqual([code, 2, ""]);
  expect(end.stderr).toMatch(said);
  expect(() => readdirSync(user["CORRAL_CONFIG_DIR"] ?? "")).toThrow();
});

it("asks for tokens of the tenant that a user of several names", async () => {
  const tenant = "99999999-9999-4999-8999-999999999999";
  const env = { ...newUser(), ...secretEnvironment(fixture.azure.owner) };

  const end = await corral(["login", ...fixture.where, "--sign-in", "service-principal", "--tenant", tenant], { env });

  expect([end.code, end.stderr]).toEqual([3, expect.stringContaining(tenant)]);
});
