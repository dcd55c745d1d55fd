import {
  type AzureFixture,
  createEstate,
  fast,
  GROUP,
  GROUP_ID,
  newGuid,
  resourcesOf,
  startFixture,
  stopFixture,
  SUBSCRIPTION,
} from "../../local/azure/azure-fixture";
import { call, codeOf, messageOf, send, tokenFor } from "../../local/azure/wire";
import { definitionId } from "../../local/azure/role-giver";
import { GROUPS, networkBody } from "./arm-fixture";
import { authorizationOf, ROLES } from "./rights-clients";

let fixture: AzureFixture;
beforeAll(async () => {
  fixture = await startFixture();
  await createEstate(fixture);
});
afterAll(() => stopFixture(fixture));

const NETWORK = `${GROUP_ID}/providers/Microsoft.Network/virtualNetworks/vnet`;
/** With a token, and no api-version but the one in the path. */
const ask = async (path: string) =>
  send(fixture, { path, headers: { Authorization: `Bearer ${await tokenFor(fixture, fixture.owner)}` } });

it.each(["2014-04-01-preview", "2016-09-01", "2026-04-01", "2099-12-31-privatepreview", "2024-03-01-ALPHA"])(
  "serves any api-version that could be one: %s (clients of any age)",
  async (version) => {
    expect((await ask(`${NETWORK}?api-version=${version}`)).status).toBe(200);
  },
);

it.each(["", "?api-version=", "?$filter=api-version"])(
  "asks for an api-version before it asks who calls: '%s' (docs: MissingApiVersionParameter)",
  async (query) => {
    const refused = await send(fixture, { path: `${NETWORK}${query}` });

    expect([refused.status, codeOf(refused), messageOf(refused)]).toEqual([
      400,
      "MissingApiVersionParameter",
      "The api-version query parameter (?api-version=) is required for all requests.",
    ]);
  },
);

it.each(["latest", "2024-13-01", "2024-02-32", "2024-3-1", "20240301", "2024-03-01-x"])(
  "refuses an api-version that is none: %s (docs: InvalidApiVersionParameter)",
  async (version) => {
    const refused = await ask(`${NETWORK}?api-version=${version}`);

    expect([refused.status, codeOf(refused)]).toEqual([400, "InvalidApiVersionParameter"]);
    expect(messageOf(refused)).toMatch(
      new RegExp(`^The api-version '${version}' is invalid\\. The supported versions are '\\d{4}-.*'\\.$`),
    );
  },
);

it.each(["api%2Dversion=2025-04-01", "API-Version=2025-04-01", "%61pi-version=2025-04-01"])(
  "reads the names of a query decoded and without case: %s (@azure/arm-resources 8)",
  async (query) => {
    expect((await ask(`${NETWORK}?${query}`)).status).toBe(200);
  },
);

it.each([
  { what: "an item", path: NETWORK },
  { what: "a list of a group", path: `${GROUP_ID}/providers/Microsoft.Network/virtualNetworks` },
  { what: "a list of a subscription", path: `/subscriptions/${SUBSCRIPTION}/providers/Microsoft.Compute/disks` },
  { what: "the groups", path: GROUPS },
  { what: "the resources", path: `/subscriptions/${SUBSCRIPTION}/resources` },
  { what: "the subscriptions", path: "/subscriptions" },
])(
  "finds $what under doubled slashes, a slash at the end, and in any case (docs: ids have no case)",
  async ({ path }) => {
    const paths = [`${path}/`, `/${path}`, path.replaceAll("/", "//"), path.toUpperCase(), path.toLowerCase()];

    const statuses = [];
    for (const one of paths) statuses.push((await call(fixture, { path: one })).status);

    expect(statuses).toEqual([200, 200, 200, 200, 200]);
  },
);

it("finds an action under doubled slashes, a slash at the end, and in any case (docs: ids have no case)", async () => {
  const vm = `${GROUP_ID}/providers/Microsoft.Compute/virtualMachines/none`;

  const codes = [];
  for (const path of [`${vm}/deallocate/`, `/${vm}//deallocate`, `${vm}/DEALLOCATE`])
    codes.push(codeOf(await call(fixture, { method: "POST", path })));

  expect(codes).toEqual(["ResourceNotFound", "ResourceNotFound", "ResourceNotFound"]);
});

it("takes an id that begins with a slash after the slash of the address (@azure/arm-resources 8, resources.createOrUpdateById)", async () => {
  const { resources } = resourcesOf(fixture);
  const id = `/${GROUP_ID}/providers/Microsoft.Network/virtualNetworks/slashed`;
  const { location, addressSpace } = networkBody();

  const made = await resources.createOrUpdateById(
    id,
    "2024-05-01",
    { location: location ?? "", properties: { addressSpace } },
    fast,
  );
  const found = await resources.getById(id, "2024-05-01");

  expect([made.id, found.id]).toEqual([id.slice(1), id.slice(1)]);
});

it("takes a scope that begins with a slash (@azure/arm-authorization 9, roleAssignments.create)", async () => {
  const reader = fixture.azure.addServicePrincipal({ displayName: "reader" });

  const made = await authorizationOf(fixture).roleAssignments.create(GROUP_ID, newGuid(), {
    roleDefinitionId: definitionId(ROLES.reader),
    principalId: reader.objectId,
    principalType: "ServicePrincipal",
  });

  expect(made.scope).toBe(GROUP_ID);
});

it("reads a path decoded (@azure/arm-resources 8, resourceGroups.get)", async () => {
  const encoded = await call(fixture, { path: `${GROUPS}/${GROUP.replaceAll("c", "%63")}` });
  const broken = await call(fixture, { path: `${GROUPS}/%zz` });

  expect([encoded.status, codeOf(broken)]).toEqual([200, "InvalidRequestUri"]);
});
