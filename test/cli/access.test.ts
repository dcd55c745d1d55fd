import { join } from "node:path";
import { AuthorizationManagementClient } from "@azure/arm-authorization";
import { createGroup, vaultsOf } from "../conformance/key-vault/vault-fixture";
import { credentialOf, resourcesOf, SUBSCRIPTION } from "../local/azure/azure-fixture";
import { call } from "../local/azure/wire";
import { corral } from "./corral";
import type { ApiReply, ApiRequest } from "./scripted-deployment";
import { secretEnvironment, type SignInFixture, startSignIn, stopSignIn } from "./sign-in-fixture";

const GROUP = `/subscriptions/${SUBSCRIPTION}/resourceGroups/corral-demo`;
const ROLE_FILE = join(__dirname, "data", "data-scientist-custom.json");
let fixture: SignInFixture;
let friend: string;
beforeAll(async () => {
  fixture = await startSignIn();
  friend = fixture.azure.azure.addPerson({ displayName: "Friend", type: "User" });
});
afterAll(() => stopSignIn(fixture));

const run = (...args: readonly string[]) =>
  corral([...args, ...fixture.where, "--sign-in", "service-principal"], {
    env: { CORRAL_CONFIG_DIR: join(fixture.folder, "none"), ...secretEnvironment(fixture.azure.owner) },
  });
const script = (answers: Readonly<Record<string, ApiReply | ((request: ApiRequest) => ApiReply)>>) =>
  fixture.deployment.script((request) => {
    const found = Object.entries(answers).find(([start]) => `${request.method} ${request.path}`.startsWith(start))?.[1];
    if (found === undefined) return { status: 404, body: { error: { code: "NotFound", message: "not there" } } };
    return typeof found === "function" ? found(request) : found;
  });
const echo = ({ body }: ApiRequest): ApiReply => ({ status: 201, body });
const sent = () => fixture.deployment.requests.map(({ method, path, body }) => ({ method, path, body }));

it("shares an organization in one command, with the least that shows anything", async () => {
  script({ "PUT /api/orgs/demo/roleAssignments/": echo });

  const first = await run("share", "demo", "--principal", friend);
  const [put] = sent();
  await run("share", "demo", "--principal", friend.toUpperCase());

  expect(first).toEqual({ code: 0, stdout: `${friend} has Reader at /orgs/demo\n`, stderr: "" });
  expect(put?.body).toEqual({ principalId: friend, principalType: "User", role: "Reader", scope: "/orgs/demo" });
  expect(sent().map(({ path }) => path)).toEqual([put?.path, put?.path]);
});

it("gives data access in Azure by the caller's own right, once however often it is asked", async () => {
  await prepareEstate();
  script({
    "PUT /api/orgs/demo/roleAssignments/": echo,
    "GET /api/orgs/demo": { body: { org: "demo", subscriptionId: SUBSCRIPTION } },
  });
  const args = ["share", "demo", "--principal", friend, "--role", "Job Submitter", "--data"];

  const ends = [await run(...args), await run(...args)];
  const given = await assignmentsOf(friend);
  script({
    "GET /api/orgs/demo/roleAssignments": { body: { value: [] } },
    "GET /api/orgs/demo": { body: { subscriptionId: SUBSCRIPTION } },
  });
  const taken = await run("unshare", "demo", "--principal", friend, "--data");

  expect(ends.map(({ code, stderr }) => [code, stderr])).toEqual([
    [0, ""],
    [0, ""],
  ]);
  expect(given).toEqual([
    ["containers/artifacts", "2a2b9908-6ea1-4ae2-8e65-a410df84e7d1"],
    [expect.stringMatching(/^vaults\//), "21090545-7ca7-4776-b22c-e363652d74d2"],
  ]);
  expect([taken.code, await assignmentsOf(friend)]).toEqual([0, []]);
});

/** What an estate has of data: an account with the default volume, and a vault. */
async function prepareEstate(): Promise<void> {
  await createGroup(fixture.azure);
  const groups = resourcesOf(fixture.azure).resourceGroups;
  for (const name of ["corral-demo", "corral-demo-storage"]) await groups.createOrUpdate(name, { location: "westus3" });
  const account = `${GROUP}-storage/providers/Microsoft.Storage/storageAccounts/stdemodata`;
  await call(fixture.azure, {
    method: "PUT",
    path: account,
    body: { location: "westus3", kind: "StorageV2", sku: { name: "Standard_LRS" } },
  });
  await call(fixture.azure, { method: "PUT", path: `${account}/blobServices/default/containers/artifacts`, body: {} });
  const { properties } = await createVaultIn("corral-demo");
  expect(properties.provisioningState).toBe("Succeeded");
}

const createVaultIn = (group: string) =>
  vaultsOf(fixture.azure).vaults.createOrUpdate(group, `kv-${friend.slice(0, 8)}`, {
    location: "westus3",
    properties: {
      tenantId: fixture.azure.azure.tenantId,
      sku: { family: "A", name: "standard" },
      enableRbacAuthorization: true,
    },
  });

async function assignmentsOf(principalId: string): Promise<[string, string][]> {
  const client = new AuthorizationManagementClient(credentialOf(fixture.azure), SUBSCRIPTION, {
    endpoint: fixture.azure.azure.armUrl,
    tlsOptions: { ca: fixture.azure.azure.caPem },
  });
  const found: [string, string][] = [];
  for await (const { scope = "", roleDefinitionId = "" } of client.roleAssignments.listForSubscription({
    filter: `principalId eq '${principalId}'`,
  }))
    found.push([scope.split("/").slice(-2).join("/"), roleDefinitionId.slice(roleDefinitionId.lastIndexOf("/") + 1)]);
  return found.toSorted();
}

it("takes away what was given here, and nothing that counts elsewhere too", async () => {
  const principalId = friend;
  const assignments = [
    { id: "here", principalId, role: "Reader", scope: "/orgs/demo" },
    { id: "volume", principalId, role: "Contributor", scope: "/orgs/demo/volumes/data" },
    { id: "wide", principalId, role: "Reader", scope: "/" },
    { id: "neighbour", principalId, role: "Reader", scope: "/orgs/demo-lab" },
    { id: "other", principalId: fixture.azure.owner.objectId, role: "Reader", scope: "/orgs/demo" },
  ];
  script({ "GET /api/orgs/demo/roleAssignments": { body: { value: assignments } }, DELETE: { status: 204 } });

  const end = await run("unshare", "demo", "--principal", friend);

  const deleted = sent().flatMap(({ method, path }) => (method === "DELETE" ? [path] : []));
  expect([end.code, deleted]).toEqual([0, ["here", "volume"].map((id) => `/api/orgs/demo/roleAssignments/${id}`)]);
});

it("says where a role comes from that it cannot take away", async () => {
  const value = [{ id: "settings:x", principalId: friend, role: "Owner", scope: "/orgs/demo", fromSettings: true }];
  script({ "GET /api/orgs/demo/roleAssignments": { body: { value } } });

  const end = await run("unshare", "demo", "--principal", friend);

  expect([end.code, end.stderr]).toEqual([1, expect.stringContaining("administrators")]);
});

it("tells who is signed in with his roles, read or asked for", async () => {
  const { objectId } = fixture.azure.owner;
  const assignment = { id: "a", principalId: objectId, role: "Contributor", scope: "/orgs/demo" };
  script({
    "GET /api/orgs/demo/roleAssignments": {
      body: { value: [assignment, { ...assignment, principalId: friend, role: "Owner" }] },
    },
  });
  const read = await run("whoami", "--org", "demo", "--json");
  const forbidden = { status: 403, body: { error: { code: "Forbidden", message: "no" } } };
  const because = {
    assignmentId: "b",
    role: "Job Submitter",
    pattern: "Corral/organizations/jobs/*",
    scope: "/orgs/demo",
  };
  script({
    "GET /api/orgs/demo/roleAssignments": forbidden,
    "POST /api/orgs/demo/access:check": { body: { allowed: true, because } },
  });
  const asked = await run("whoami", "--org", "demo");

  expect(JSON.parse(read.stdout)).toMatchObject({ objectId, roles: [{ role: "Contributor", scope: "/orgs/demo" }] });
  expect(asked.stdout).toMatch(/roles +Job Submitter at \/orgs\/demo\n/);
});

it.each([
  { allowed: true, code: 0, said: "allowed: Reader at / permits */read (assignment a1)\n" },
  { allowed: false, code: 1, said: "not allowed: no assignment of" },
])("checks access, and its exit code says what came of it: $allowed", async ({ allowed, code, said }) => {
  const because = allowed ? { assignmentId: "a1", role: "Reader", pattern: "*/read", scope: "/" } : null;
  script({ "POST /api/orgs/demo/access:check": { body: { allowed, because } } });

  const end = await run("access", "check", "--org", "demo", "--principal", friend, "--operation", "Corral/audit/read");

  expect([end.code, end.stdout]).toEqual([code, expect.stringContaining(said)]);
  expect(sent()[0]?.body).toEqual({ principalId: friend, operation: "Corral/audit/read" });
});

it("imports the documents' role for data scientists: jobs yes, machines and the organization itself no", async () => {
  script({ "PUT /api/orgs/demo/roleDefinitions/data-scientist-custom": echo });

  const end = await run("roles", "import", ROLE_FILE, "--org", "demo");

  const [{ body } = { body: undefined }] = sent();
  expect(end.code).toBe(0);
  expect(body).toMatchObject({ Name: "Data Scientist Custom", IsCustom: true, AssignableScopes: ["/orgs/demo"] });
  const { Actions } = body as { Actions: string[] };
  expect(Actions).toContain("Corral/organizations/jobs/write");
  expect(Actions.filter((each) => /machines\/delete|organizations\/(write|delete)$|authorization/.test(each))).toEqual(
    [],
  );
  expect(end.stdout).toMatch(/^LIST +OPERATION OF AZURE +OPERATION OF CORRAL\n/);
  expect(end.stdout).toMatch(
    /without a counterpart in Corral:\n(.*\n)* +Microsoft\.MachineLearningServices\/workspaces\/listKeys/,
  );
});

it("writes nothing with --dry-run, and needs no deployment for it", async () => {
  const env = { CORRAL_CONFIG_DIR: join(fixture.folder, "none") };

  const end = await corral(["roles", "import", ROLE_FILE, "--org", "demo", "--dry-run", "--json"], { env });

  expect(end.code).toBe(0);
  expect(JSON.parse(end.stdout)).toMatchObject({ written: false, role: { Name: "Data Scientist Custom" } });
});

it("goes through lists by pages, and never to another host", async () => {
  const role = (id: string) => ({ id, Name: id, IsCustom: true, Description: "" });
  script({
    "GET /api/orgs/demo/roleDefinitions?": { body: { value: [role("second")] } },
    "GET /api/orgs/demo/roleDefinitions": {
      body: { value: [role("first")], nextLink: "http://evil.invalid/api/orgs/demo/roleDefinitions?$skiptoken=p2" },
    },
  });

  const end = await run("roles", "list", "--org", "demo", "--json");

  expect((JSON.parse(end.stdout) as { value: { id: string }[] }).value.map(({ id }) => id)).toEqual([
    "first",
    "second",
  ]);
  expect(sent()[1]?.path).toBe("/api/orgs/demo/roleDefinitions?%24skiptoken=p2");
});
