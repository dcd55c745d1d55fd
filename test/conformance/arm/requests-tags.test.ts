import {
  type AzureFixture,
  createEstate,
  fast,
  GROUP_ID,
  LOCATION,
  resourcesOf,
  startFixture,
  stopFixture,
} from "../../local/azure/azure-fixture";
import { call, codeOf, messageOf } from "../../local/azure/wire";
import { armClients } from "./arm-clients";
import { createNetwork, SUBSCRIPTION_ID } from "./arm-fixture";
import { refusalOf } from "./rights-clients";

let fixture: AzureFixture;
beforeEach(async () => {
  fixture = await startFixture();
  await createEstate(fixture);
});
afterEach(() => stopFixture(fixture));

const NETWORK = `${GROUP_ID}/providers/Microsoft.Network/virtualNetworks/vnet`;
const tagsOf = async (scope: string) => (await resourcesOf(fixture).tagsOperations.getAtScope(scope)).properties.tags;
const set = (scope: string, tags: Record<string, string>) =>
  resourcesOf(fixture).tagsOperations.createOrUpdateAtScope(scope, { properties: { tags } }, fast);
const patch = async (operation: string, tags: Record<string, string>) =>
  await resourcesOf(fixture).tagsOperations.updateAtScope(NETWORK, { operation, properties: { tags } }, fast);

it.each([
  { what: "subscription", scope: SUBSCRIPTION_ID },
  { what: "group", scope: GROUP_ID },
  { what: "resource", scope: NETWORK },
])("writes, shows and deletes the tags of a $what (@azure/arm-resources 8, tagsOperations)", async ({ scope }) => {
  const written = await set(scope, { Team: "a", Cost: "1" });
  const shown = await tagsOf(scope);
  await resourcesOf(fixture).tagsOperations.deleteAtScope(scope, fast);

  expect(written).toMatchObject({
    id: `${scope}/providers/Microsoft.Resources/tags/default`,
    name: "default",
    type: "Microsoft.Resources/tags",
  });
  expect([written.properties.tags, shown]).toEqual([
    { Team: "a", Cost: "1" },
    { Team: "a", Cost: "1" },
  ]);
  expect(await tagsOf(scope)).toEqual({});
});

it("shows the tags where they belong: on the resource, the group and the subscription (@azure/arm-network 39)", async () => {
  for (const scope of [NETWORK, GROUP_ID, SUBSCRIPTION_ID]) await set(scope, { team: "a" });

  const network = await armClients(fixture).network.virtualNetworks.get("corral-acme-compute", "vnet");
  const group = await resourcesOf(fixture).resourceGroups.get("corral-acme-compute");
  const subscription = await call(fixture, { path: SUBSCRIPTION_ID });

  expect([network.tags, group.tags]).toEqual([{ team: "a" }, { team: "a" }]);
  expect(subscription.body).toMatchObject({ tags: { team: "a" } });
});

it.each([
  { operation: "Replace", given: { new: "1" }, then: { new: "1" } },
  { operation: "Merge", given: { TEAM: "b", new: "1" }, then: { cost: "1", TEAM: "b", new: "1" } },
  { operation: "Delete", given: { team: "a", Cost: "" }, then: {} },
  { operation: "Delete", given: { team: "other" }, then: { team: "a", cost: "1" } },
  { operation: "merge", given: {}, then: { team: "a", cost: "1" } },
])("patches tags: $operation $given (@azure/arm-resources 8, updateAtScope)", async ({ operation, given, then }) => {
  await set(NETWORK, { team: "a", cost: "1" });

  const patched = await patch(operation, given);

  expect([patched.properties.tags, await tagsOf(NETWORK)]).toEqual([then, then]);
});

const many = (count: number): Record<string, string> =>
  Object.fromEntries(Array.from({ length: count }, (_, index) => [`t${index}`, "v"]));

it.each([
  { what: "more than 50", tags: many(51), code: "InvalidTagCount" },
  { what: "a long name", tags: { ["n".repeat(513)]: "v" }, code: "InvalidTagName" },
  { what: "a long value", tags: { n: "v".repeat(257) }, code: "InvalidTagValueLength" },
  { what: "a slash in a name", tags: { "a/b": "v" }, code: "InvalidTagNameCharacters" },
])("refuses tags: $what (docs: tag-resources, limitations)", async ({ tags, code }) => {
  const refusal = await refusalOf(Promise.resolve(set(NETWORK, tags)));
  const onPut = await refusalOf(createNetwork(armClients(fixture).network, "other", tags));

  expect([refusal.status, refusal.code, onPut.code]).toEqual([400, code, code]);
});

it("takes tags at their limits, counted after a merge (docs: tag-resources, limitations)", async () => {
  const most = { ...many(49), ["n".repeat(512)]: "v".repeat(256) };
  const written = await set(NETWORK, most);
  const merged = await refusalOf(patch("Merge", { oneMore: "v" }));

  expect([written.properties.tags, merged.code]).toEqual([most, "InvalidTagCount"]);
});

it("takes names of 128 letters for storage accounts, and no longer ones (docs: tag-resources, limitations)", async () => {
  const account = `${GROUP_ID}/providers/Microsoft.Storage/storageAccounts/tagged`;
  const put = (tags: object) =>
    call(fixture, {
      method: "PUT",
      path: account,
      body: { location: LOCATION, sku: { name: "Standard_LRS" }, kind: "StorageV2", tags },
    });
  const made = await put({ ["n".repeat(128)]: "v" });
  const refused = await put({ ["n".repeat(129)]: "v" });
  const atScope = await refusalOf(Promise.resolve(set(account, { ["n".repeat(129)]: "v" })));

  expect([made.status, codeOf(refused), atScope.code]).toEqual([201, "InvalidTagName", "InvalidTagName"]);
  expect(messageOf(refused)).toMatch(/Maximum allowed length for tag name - '128' characters\.$/);
});

it("writes no tags on what is not there (docs: ResourceNotFound, ResourceGroupNotFound)", async () => {
  const resource = await refusalOf(Promise.resolve(set(`${NETWORK}x`, {})));
  const group = await refusalOf(tagsOf(`${GROUP_ID}x`));

  expect([resource.code, group.code]).toEqual(["ResourceNotFound", "ResourceGroupNotFound"]);
});

it("keeps a subscription's tags over a restart (@azure/arm-resources 8, getAtScope)", async () => {
  await set(SUBSCRIPTION_ID, { team: "a" });
  const { azure, folder } = fixture;
  await azure.close();
  fixture = await startFixture({ dataFolder: folder });

  expect(await tagsOf(SUBSCRIPTION_ID)).toEqual({ team: "a" });
});

it("asks for the right to read tags, and for the one to write them (docs: tag-resources, required access)", async () => {
  const tagger = fixture.azure.addServicePrincipal({ displayName: "tagger" });
  fixture.azure.grant({ principalId: tagger.objectId, role: "Reader", scope: GROUP_ID });
  const path = `${NETWORK}/providers/Microsoft.Resources/tags/default`;

  const read = await call(fixture, { path, as: tagger });
  const written = await call(fixture, { method: "PUT", path, as: tagger, body: { properties: { tags: {} } } });

  expect([read.status, codeOf(written), messageOf(written)]).toEqual([
    200,
    "AuthorizationFailed",
    expect.stringContaining("'Microsoft.Resources/tags/write'"),
  ]);
});
