import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { type CliEnd, corral, corralProcess } from "./corral";
import { approver, secretEnvironment, type SignInFixture, startSignIn, stopSignIn } from "./sign-in-fixture";

const ADA = "ada@local.onmicrosoft.com";
let fixture: SignInFixture;
let env: Record<string, string>;
let signedIn: CliEnd;
beforeAll(async () => {
  // MSAL renews what is good for less than five minutes, so that each token here is an expired one to it.
  fixture = await startSignIn({ clientTokenSeconds: 60 });
  fixture.azure.azure.addPerson({ displayName: "Ada", type: "User", userPrincipalName: ADA });
  const home = join(fixture.folder, "home");
  mkdirSync(home);
  env = { CORRAL_CONFIG_DIR: join(home, "corral"), HOME: home };
  const onStderr = approver(fixture, ADA);
  signedIn = await corralProcess(["login", ...fixture.where, "--sign-in", "device-code", "--org", "demo"], {
    env,
    onStderr,
  });
});
afterAll(() => stopSignIn(fixture));

const jobs = { value: [] };
const tokens = (): string[] => fixture.deployment.requests.map(({ token }) => token);

it("renews an expired token without the user, in a process of its own", async () => {
  fixture.deployment.script(() => ({ body: jobs }));

  const ends = [await corral(["jobs"], { env }), await corral(["jobs"], { env })];

  expect(signedIn.code).toBe(0);
  expect(ends.map(({ code, stderr }) => [code, stderr])).toEqual([
    [0, ""],
    [0, ""],
  ]);
  expect(new Set(tokens()).size).toBe(2);
});

it("says that signing in is needed when nothing is left to renew from", async () => {
  const folder = env["CORRAL_CONFIG_DIR"] ?? "";
  const file = join(folder, "tokens.cae.json");
  const kept = readFileSync(file, "utf8");
  const cache = JSON.parse(kept) as Record<string, unknown>;
  writeFileSync(file, JSON.stringify({ ...cache, RefreshToken: {}, AccessToken: {} }));

  const end = await corral(["jobs"], { env });
  writeFileSync(file, kept);

  expect(end).toEqual({ code: 3, stdout: "", stderr: "corral: your sign-in has ended: corral login\n" });
});

const CLAIMS = Buffer.from(JSON.stringify({ access_token: { acrs: { essential: true, value: "c1" } } })).toString(
  "base64",
);
const challenge = {
  status: 401,
  headers: { "www-authenticate": `Bearer realm="", error="insufficient_claims", claims="${CLAIMS}"` },
  body: { error: { code: "InsufficientClaims", message: "needs the authentication context c1" } },
};

it("answers a claims challenge with a token that has the claims, and repeats the call", async () => {
  fixture.deployment.script(({ claims }) => ([claims["acrs"]].flat().includes("c1") ? { body: jobs } : challenge));

  const end = await corral(["jobs"], { env });

  expect([end.code, end.stderr]).toEqual([0, ""]);
  expect(fixture.deployment.requests.map(({ path, claims }) => [path, claims["acrs"]])).toEqual([
    ["/api/orgs/demo/jobs", undefined],
    ["/api/orgs/demo/jobs", ["c1"]],
  ]);
});

it("answers a challenge once: a second is a refusal", async () => {
  fixture.deployment.script(() => challenge);

  const end = await corral(["jobs"], { env });

  expect([end.code, fixture.deployment.requests.length]).toEqual([1, 2]);
  expect(end.stderr).toMatch(/InsufficientClaims/);
});

it("answers a challenge for a service principal too", async () => {
  fixture.deployment.script(({ claims }) => ([claims["acrs"]].flat().includes("c1") ? { body: jobs } : challenge));

  const end = await corral(["jobs", ...fixture.where, "--org", "demo", "--sign-in", "service-principal"], {
    env: { CORRAL_CONFIG_DIR: join(fixture.folder, "nobody"), ...secretEnvironment(fixture.azure.owner) },
  });

  expect([end.code, fixture.deployment.requests.length]).toEqual([0, 2]);
});

it("takes no other 401 for a challenge", async () => {
  fixture.deployment.script(() => ({ ...challenge, headers: { "www-authenticate": 'Bearer error="invalid_token"' } }));

  const end = await corral(["jobs"], { env });

  expect([end.code, fixture.deployment.requests.length]).toEqual([1, 1]);
  expect(end.stderr).toMatch(/corral login/);
});

it("sends no token in clear text to another computer", async () => {
  const { owner } = fixture.azure;
  const folder = join(fixture.folder, "elsewhere");
  mkdirSync(folder);
  const connection = JSON.parse(
    readFileSync(join(env["CORRAL_CONFIG_DIR"] ?? "", "connection.json"), "utf8"),
  ) as object;
  const away = { ...connection, apiUrl: "http://corral.invalid", way: "service-principal" };
  writeFileSync(join(folder, "connection.json"), JSON.stringify(away));

  const end = await corral(["jobs"], { env: { CORRAL_CONFIG_DIR: folder, ...secretEnvironment(owner) } });

  expect([end.code, end.stderr]).toEqual([1, expect.stringContaining("not https")]);
});
