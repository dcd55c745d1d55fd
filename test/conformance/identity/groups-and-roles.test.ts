import { ComputeManagementClient } from "@azure/arm-compute";
import type { TokenCredential } from "@azure/identity";
import {
  type AzureFixture,
  createEstate,
  GROUP,
  GROUP_ID,
  newGuid,
  startFixture,
  stopFixture,
  SUBSCRIPTION,
} from "../../local/azure/azure-fixture";
import { call, codeOf, messageOf, send } from "../../local/azure/wire";
import { ARM_SCOPE, AZURE_CLI, claimsOf, tokensOf } from "./sign-in";

const READER = "acdd72a7-3385-48ef-bd42-f606fba81ae7";
const GROUPED = {
  appId: "66666666-6666-4666-8666-666666666666",
  identifierUri: "api://grouped",
  displayName: "Grouped",
};
let fixture: AzureFixture;
beforeAll(async () => {
  fixture = await startFixture({
    apis: [{ ...GROUPED, groupMembershipClaims: "SecurityGroup", scopes: ["Jobs.Read"] }],
  });
  await createEstate(fixture);
});
afterAll(() => stopFixture(fixture));

const newUser = (name: string, roles?: readonly string[]) => {
  const userPrincipalName = `${name}@local.onmicrosoft.com`;
  const { azure } = fixture;
  return {
    name: userPrincipalName,
    id: azure.addPerson({ displayName: name, type: "User", userPrincipalName, roles }),
  };
};
const newGroup = (displayName: string, roles?: readonly string[]): string =>
  fixture.azure.addPerson({ displayName, type: "Group", roles });
const claimsFor = async (user: string, scope = "api://grouped/.default") =>
  claimsOf((await tokensOf(fixture, user, { scope: `${scope} openid` })).access_token);

it("names a person's groups, through all levels, in tokens for an API that wants them (docs: groups claim)", async () => {
  const { name, id } = newUser("grace");
  const [inner, outer] = [newGroup("inner"), newGroup("outer")];
  fixture.azure.addGroupMember(inner, id);
  fixture.azure.addGroupMember(outer, inner);

  const [wanted, unwanted] = [await claimsFor(name), await claimsFor(name, ARM_SCOPE)];

  expect([...(wanted["groups"] as string[])].sort()).toEqual([inner, outer].sort());
  expect(unwanted["groups"]).toBeUndefined();
});

it("says where groups are to be read when they are too many for a token (docs: groups overage, 200)", async () => {
  const { name, id } = newUser("edsger");
  const { azure } = fixture;
  for (let index = 0; index < 200; index += 1) azure.addGroupMember(newGroup(`g${String(index)}`), id);

  const full = await claimsFor(name);
  azure.addGroupMember(newGroup("one too many"), id);
  const over = await claimsFor(name);

  expect(full["groups"]).toHaveLength(200);
  expect(over).toMatchObject({
    _claim_names: { groups: "src1" },
    _claim_sources: { src1: { endpoint: expect.stringContaining(`/users/${id}/getMemberObjects`) as unknown } },
  });
  expect(over["groups"]).toBeUndefined();
});

it("shows app roles of a person, and of the groups that the person is in (docs: app roles, roles claim)", async () => {
  const { name, id } = newUser("alan", ["Job.Submitter"]);
  fixture.azure.addGroupMember(newGroup("admins", ["Admin"]), id);

  const claims = await claimsFor(name);

  expect([claims["roles"], claims["scp"]]).toEqual([["Job.Submitter", "Admin"], "Jobs.Read"]);
});

it("tells applications apart by the subject of a person's token (docs: pairwise sub)", async () => {
  const { name, id } = newUser("barbara");

  const [own, arm] = [await claimsFor(name), await claimsFor(name, ARM_SCOPE)];

  expect(own.sub).not.toBe(arm.sub);
  expect([own["oid"], arm["oid"]]).toEqual([id, id]);
});

const compute = async (user: string): Promise<ComputeManagementClient> => {
  const { access_token: token } = await tokensOf(fixture, user);
  const credential: TokenCredential = {
    getToken: () => Promise.resolve({ token, expiresOnTimestamp: Date.now() + 60_000 }),
  };
  const { armUrl: endpoint, caPem: ca } = fixture.azure;
  return new ComputeManagementClient(credential, SUBSCRIPTION, { endpoint, tlsOptions: { ca } });
};

const give = (principalId: string, principalType: string) =>
  call(fixture, {
    method: "PUT",
    path: `${GROUP_ID}/providers/Microsoft.Authorization/roleAssignments/${newGuid()}`,
    body: {
      properties: {
        roleDefinitionId: `/providers/Microsoft.Authorization/roleDefinitions/${READER}`,
        principalId,
        principalType,
      },
    },
  });

it("lets a group's role count for its members, and for theirs (@azure/arm-compute 25, docs: role assignments)", async () => {
  const { name, id } = newUser("tony");
  const [team, department] = [newGroup("team"), newGroup("department")];
  const client = await compute(name);
  const list = async (): Promise<unknown> => {
    const names = [];
    for await (const { name: vm } of client.virtualMachines.list(GROUP)) names.push(vm);
    return names;
  };

  const before = await list().catch((error: unknown) => (error as { code: string }).code);
  fixture.azure.addGroupMember(team, id);
  fixture.azure.addGroupMember(department, team);
  await give(department, "Group");

  expect([before, await list()]).toEqual(["AuthorizationFailed", []]);
});

it("lists what a person holds through groups too (docs: role assignments, assignedTo)", async () => {
  const { id } = newUser("niklaus");
  const crew = newGroup("crew");
  fixture.azure.addGroupMember(crew, id);
  await give(crew, "Group");
  const list = (filter: string) =>
    call(fixture, {
      path: `${GROUP_ID}/providers/Microsoft.Authorization/roleAssignments?$filter=${encodeURIComponent(filter)}`,
    });
  const count = (reply: { body: unknown }): number => (reply.body as { value: unknown[] }).value.length;

  const [through, direct] = [await list(`assignedTo('${id}')`), await list(`principalId eq '${id}'`)];

  expect([count(through), count(direct)]).toEqual([1, 0]);
});

it("shows a member the subscription in which only the group holds a role (docs: subscriptions, list)", async () => {
  const { name, id } = newUser("john");
  const club = newGroup("club");
  fixture.azure.addGroupMember(club, id);
  await give(club, "Group");
  const { access_token: token } = await tokensOf(fixture, name);

  const { body } = await send(fixture, {
    path: "/subscriptions?api-version=2022-12-01",
    headers: { Authorization: `Bearer ${token}` },
  });

  expect((body as { value: { subscriptionId: string }[] }).value.map((one) => one.subscriptionId)).toEqual([
    SUBSCRIPTION,
  ]);
});

it("refuses a person without roles as it refuses an application (docs: AuthorizationFailed)", async () => {
  const { name } = newUser("donald");
  const { access_token: token } = await tokensOf(fixture, name, { client_id: AZURE_CLI });

  const reply = await send(fixture, {
    path: `${GROUP_ID}?api-version=2022-12-01`,
    headers: { Authorization: `Bearer ${token}` },
  });

  expect([reply.status, codeOf(reply)]).toEqual([403, "AuthorizationFailed"]);
  expect(messageOf(reply)).toContain(`The client '${name}' with object id`);
});
