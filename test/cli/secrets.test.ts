import { mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { ServicePrincipal } from "../../local/azure/azure-options";
import { createGroup, createVault, secretsOf, type VaultUnderTest } from "../conformance/key-vault/vault-fixture";
import { rule } from "../local/azure/azure-fixture";
import { type CliRun, corral, corralProcess } from "./corral";
import { secretEnvironment, type SignInFixture, startSignIn, stopSignIn } from "./sign-in-fixture";

const CANARY = "canary-7d1f0a-never-shown";
let fixture: SignInFixture;
let vault: VaultUnderTest;
let reader: ServicePrincipal;
let configFolder: string;
let watchId: string;
beforeAll(async () => {
  fixture = await startSignIn();
  await createGroup(fixture.azure);
  vault = await createVault(fixture.azure);
  const { azure } = fixture.azure;
  reader = azure.addServicePrincipal({ displayName: "reader" });
  azure.grant({ principalId: reader.objectId, role: "Key Vault Reader", scope: vault.id });
  watchId = fixture.azure.faults.arm(
    rule({ service: "vault", stage: "before", times: 10_000, action: { kind: "watch" } }),
  );
  configFolder = join(fixture.folder, "config");
  mkdirSync(configFolder);
});
afterAll(() => stopSignIn(fixture));

const callOf = (args: readonly string[], principal = fixture.azure.owner, run: CliRun = {}) =>
  [
    ["secret", ...args, ...fixture.where, "--sign-in", "service-principal", "--vault", vault.url],
    { ...run, env: { CORRAL_CONFIG_DIR: configFolder, ...secretEnvironment(principal) } },
  ] as const;
const secret = (args: readonly string[], run: CliRun = {}, principal?: ServicePrincipal) =>
  corral(...callOf(args, principal, run));
const stored = async (name: string) => secretsOf(fixture.azure, vault).getSecret(name);
const vaultCalls = (): number => fixture.azure.faults.stateOf(watchId)?.hits ?? 0;

it("stores what comes by stdin, without the end of its last line, with all that is said of it", async () => {
  const options = [
    "--content-type",
    "text/plain",
    "--not-before",
    "2030-01-01T00:00:00Z",
    "--expires",
    "2031-01-01T01:00:00+01:00",
  ];

  const end = await secret(["set", "db-password", ...options, "--json"], { stdin: "one\ntwo\n" });
  const shown = await secret(["show", "db-password", "--json"]);

  const known = {
    name: "db-password",
    enabled: true,
    contentType: "text/plain",
    notBefore: "2030-01-01T00:00:00.000Z",
    expires: "2031-01-01T00:00:00.000Z",
  };
  expect(end.stderr).toBe("");
  expect(JSON.parse(end.stdout)).toMatchObject(known);
  expect(JSON.parse(shown.stdout)).toMatchObject(known);
  expect((await corral(...callOf(["list"]))).stdout).toMatch(/db-password +yes +text\/plain +2030-01-01/);
});

it("stores a file as it is", async () => {
  const file = join(fixture.folder, "key.pem");
  writeFileSync(file, "line\n\n");

  const end = await secret(["set", "key-file", "--file", file]);

  expect([end.code, (await stored("key-file")).value]).toEqual([0, "line\n\n"]);
});

it("takes exactly 25,600 bytes, counted as UTF-8", async () => {
  const value = "é".repeat(12_800);
  const before = vaultCalls();

  const end = await secret(["set", "longest"], { stdin: value });

  expect([end.code, vaultCalls() > before]).toEqual([0, true]);
  expect((await stored("longest")).value).toBe(value);
});

it.each([
  { what: "25,601 bytes", stdin: "x".repeat(25_601), said: "25600 bytes" },
  { what: "more letters than bytes allow", stdin: "é".repeat(12_801), said: "25600 bytes" },
  { what: "nothing", stdin: "\n", said: "empty" },
  { what: "bytes that are no text", stdin: Buffer.from([0xff, 0xfe, 0x00]), said: "UTF-8" },
])("refuses $what before anything is sent", async ({ stdin, said }) => {
  const before = vaultCalls();

  const end = await secret(["set", "refused"], { stdin });

  expect([end.code, end.stderr, vaultCalls() - before]).toEqual([2, expect.stringContaining(said), 0]);
});

it.each([
  { what: "a name with an upper case letter", args: ["set", "Db"] },
  { what: "a value on the command line", args: ["set", "name", "value"] },
  {
    what: "an end before the beginning",
    args: ["set", "name", "--not-before", "2031-01-01T00:00:00Z", "--expires", "2030-01-01T00:00:00Z"],
  },
  { what: "a day instead of a time", args: ["set", "name", "--expires", "2031-01-01"] },
])("refuses $what", async ({ args }) => {
  const end = await secret(args, { stdin: "x" });

  expect([end.code, end.stdout]).toEqual([2, ""]);
});

it("does not wait for a person to type a secret that everybody behind him can read", async () => {
  const end = await secret(["set", "typed"], { isTTY: true });

  expect([end.code, end.stderr]).toEqual([2, expect.stringContaining("--file")]);
});

it("shows a reader that a secret is there, and never its value", async () => {
  await secret(["set", "for-readers"], { stdin: CANARY });

  const list = await secret(["list"], {}, reader);
  const shown = await secret(["show", "for-readers"], {}, reader);
  const value = await secret(["show", "for-readers", "--value"], {}, reader);
  const set = await secret(["set", "for-readers"], { stdin: "other" }, reader);

  expect([list.code, shown.code, value.code, set.code]).toEqual([0, 0, 1, 1]);
  expect(list.stdout).toContain("for-readers");
  expect([list, shown, value].map(({ stdout, stderr }) => stdout + stderr).join("")).not.toContain(CANARY);
  expect(value.stderr).toMatch(/^corral: .*403.*Key Vault Reader.*\n$/);
});

it("prints the value when it is asked to, and nothing else", async () => {
  await secret(["set", "asked-for"], { stdin: CANARY });

  expect(await secret(["show", "asked-for", "--value"])).toEqual({ code: 0, stdout: CANARY, stderr: "" });
});

it("disables a secret so that nobody reads it, and a new value enables it again", async () => {
  await secret(["set", "switched"], { stdin: "one" });

  const disabled = await secret(["disable", "switched"]);
  const read = await secret(["show", "switched", "--value"]);
  const shown = await secret(["show", "switched"]);
  await secret(["set", "switched"], { stdin: "two" });

  expect([disabled.code, read.code]).toEqual([0, 1]);
  expect(shown.stdout).toMatch(/enabled +false/);
  expect((await stored("switched")).value).toBe("two");
});

it("deletes a secret, and tells that the second time there is none", async () => {
  await secret(["set", "short-lived"], { stdin: "x" });

  const first = await secret(["delete", "short-lived", "--json"]);
  const second = await secret(["delete", "short-lived"]);

  expect(JSON.parse(first.stdout)).toMatchObject({
    name: "short-lived",
    recoverableUntil: expect.any(String) as string,
  });
  expect([second.code, second.stderr]).toEqual([1, expect.stringContaining("SecretNotFound")]);
});

it("leaves nothing of the value in what it says, what it keeps, or its arguments", async () => {
  const [args, { env }] = callOf(["set", "canary", "--json"]);

  const end = await corralProcess(args, { env, stdin: `${CANARY}\n` });

  const kept = readdirSync(configFolder).map((file) => readFileSync(join(configFolder, file), "utf8"));
  expect([end.code, (await stored("canary")).value]).toEqual([0, CANARY]);
  expect([...args, end.stdout, end.stderr, ...kept].join("\n")).not.toContain(CANARY);
});

it("finds the organization's vault by itself", async () => {
  fixture.deployment.script(() => ({ body: { org: "demo", vaultUrl: vault.url } }));
  const args = ["secret", "list", "--org", "demo", ...fixture.where, "--sign-in", "service-principal"];

  const end = await corral(args, { env: { CORRAL_CONFIG_DIR: configFolder, ...secretEnvironment(reader) } });

  expect([end.code, fixture.deployment.requests.map(({ path }) => path)]).toEqual([0, ["/api/orgs/demo"]]);
});
