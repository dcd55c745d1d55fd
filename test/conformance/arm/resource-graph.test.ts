import { ResourceGraphClient } from "@azure/arm-resourcegraph";
import type { ServicePrincipal } from "../../../local/azure/azure-options";
import {
  type AzureFixture,
  computeOf,
  createEstate,
  credentialOf,
  eventually,
  fast,
  GROUP,
  GROUP_ID,
  resourcesOf,
  startFixture,
  stopFixture,
  SUBSCRIPTION,
  vmSpec,
} from "../../local/azure/azure-fixture";
import { call } from "../../local/azure/wire";
import { refusalOf } from "./rights-clients";

let fixture: AzureFixture;
beforeAll(async () => {
  fixture = await startFixture();
  await createEstate(fixture);
  await resourcesOf(fixture).resourceGroups.createOrUpdate("other", { location: "northeurope", tags: { team: "a b" } });
  for (const name of ["vm-a", "vm-b", "vm-c"]) {
    const priority = name === "vm-b" ? ({ priority: "Spot", evictionPolicy: "Delete" } as const) : {};
    const vm = {
      ...vmSpec(name),
      ...priority,
      tags: { "corral:machine": name, "corral:org": name === "vm-c" ? "beta" : "acme" },
    };
    await computeOf(fixture).virtualMachines.createOrUpdate(GROUP, name, vm, fast);
  }
});
afterAll(() => stopFixture(fixture));

interface Result {
  readonly data: unknown;
  readonly count: number;
  readonly totalRecords: number;
  readonly skipToken?: string;
}
type Options = NonNullable<Parameters<ResourceGraphClient["resources"]>[0]["options"]>;

function ask(query: string, options: Options = {}, as?: ServicePrincipal): Promise<Result> {
  const where = {
    endpoint: fixture.azure.armUrl,
    tlsOptions: { ca: fixture.azure.caPem },
    retryOptions: { maxRetries: 0 },
  };
  const client = new ResourceGraphClient(credentialOf(fixture, as), where);
  return client.resources({
    query,
    subscriptions: [SUBSCRIPTION],
    options: { resultFormat: "objectArray", ...options },
  });
}
const rowsOf = async (query: string): Promise<Record<string, unknown>[]> =>
  (await ask(query)).data as Record<string, unknown>[];
const VMS = "Resources | where type =~ 'Microsoft.Compute/virtualMachines'";

it("finds VMs by a tag with a colon in its name (docs: Resource Graph, starter queries, tags)", async () => {
  expect(await rowsOf(`${VMS} | where tags['corral:org'] == 'acme' | project name | order by name asc`)).toEqual([
    { name: "vm-a" },
    { name: "vm-b" },
  ]);
});

it("reads members of properties and compares without case (docs: Resource Graph, understanding the query language)", async () => {
  const found = await rowsOf(
    `${VMS} and properties.hardwareProfile.vmSize =~ 'standard_nc4as_t4_v3' | extend size = tostring(properties.hardwareProfile.vmSize), spot = properties.priority == "Spot" | project name, size, spot | sort by name desc | take 2`,
  );

  expect(found).toEqual([
    { name: "vm-c", size: "Standard_NC4as_T4_v3", spot: false },
    { name: "vm-b", size: "Standard_NC4as_T4_v3", spot: true },
  ]);
});

it("has type and group in lower case, and all members of a resource (docs: Resource Graph, resource table schema)", async () => {
  const [vm] = await rowsOf(`${VMS} | where name == 'vm-a'`);

  expect(vm).toMatchObject({
    id: `${GROUP_ID}/providers/Microsoft.Compute/virtualMachines/vm-a`,
    ...{ name: "vm-a", type: "microsoft.compute/virtualmachines", location: "westus3" },
    ...{ resourceGroup: GROUP.toLowerCase(), subscriptionId: SUBSCRIPTION, kind: "", sku: null },
    properties: { provisioningState: "Succeeded" },
  });
});

it("counts by group, and names the columns as Kusto does (docs: Resource Graph, starter queries, count)", async () => {
  expect(
    await rowsOf(
      `${VMS} | summarize count(), machines = make_set(name) by org = tostring(tags['corral:org']) | order by count_ desc`,
    ),
  ).toEqual([
    { org: "acme", count_: 2, machines: ["vm-a", "vm-b"] },
    { org: "beta", count_: 1, machines: ["vm-c"] },
  ]);
  expect(await rowsOf(`${VMS} | count`)).toEqual([{ Count: 3 }]);
});

it("finds groups and subscriptions among the containers (docs: Resource Graph, supported tables)", async () => {
  const found = await rowsOf(
    "ResourceContainers | where type == 'microsoft.resources/subscriptions/resourcegroups' | where tags.team contains 'A' | project name",
  );
  const all = await rowsOf(
    "resourcecontainers | summarize groups = countif(type endswith 'resourcegroups'), all = count()",
  );

  expect(found).toEqual([{ name: "other" }]);
  expect(all).toEqual([{ groups: 2, all: 3 }]);
});

it("finds role assignments (docs: Resource Graph, authorizationresources)", async () => {
  const found = await rowsOf(
    `AuthorizationResources | where type =~ 'microsoft.authorization/roleassignments' and properties.principalId == '${fixture.owner.objectId}' | project scope = properties.scope`,
  );

  expect(found).toEqual([{ scope: `/subscriptions/${SUBSCRIPTION}` }]);
});

it.each([
  ["name in ('vm-a', 'vm-c')", ["vm-a", "vm-c"]],
  ["name in~ ('VM-A')", ["vm-a"]],
  ["name !in ('vm-a')", ["vm-b", "vm-c"]],
  ["name has 'a'", ["vm-a"]],
  ["name !startswith 'vm-a' and not(name endswith 'c')", ["vm-b"]],
  ["isnotempty(tags['corral:org']) and (name == 'vm-a' or name == 'vm-b')", ["vm-a", "vm-b"]],
  ["isnull(properties.nothing.here) and name != 'vm-a'", ["vm-b", "vm-c"]],
  ["strcat(tolower('VM'), '-', 'b') == name", ["vm-b"]],
  ["todatetime(properties.timeCreated) > ago(1h) and now() < datetime(2999-01-01)", ["vm-a", "vm-b", "vm-c"]],
  ["array_length(properties.networkProfile.networkInterfaces) == 1 and name contains_cs 'VM'", []],
])("understands where %s (docs: Kusto, string operators and scalar functions)", async (condition, names) => {
  expect(
    (await rowsOf(`${VMS} | where ${condition} | project name | order by name asc`)).map(({ name }) => name),
  ).toEqual(names);
});

it("takes the top, distinct and chosen columns (docs: Kusto, tabular operators)", async () => {
  expect(await rowsOf(`${VMS} | top 1 by name desc | project-keep name`)).toEqual([{ name: "vm-c" }]);
  expect(await rowsOf(`${VMS} | distinct location`)).toEqual([{ location: "westus3" }]);
  expect(Object.keys((await rowsOf(`${VMS} | project id, name, tags | project-away tags | limit 1`))[0] ?? {})).toEqual(
    ["id", "name"],
  );
});

it("leads on by a skip token, each row once (@azure/arm-resourcegraph 5.0.0)", async () => {
  const names: unknown[] = [];
  let page = await ask(`${VMS} | project id, name`, { top: 2 });
  expect([page.count, page.totalRecords]).toEqual([2, 3]);
  names.push(...(page.data as { name: string }[]).map(({ name }) => name));
  while (page.skipToken !== undefined) {
    page = await ask(`${VMS} | project id, name`, { top: 2, skipToken: page.skipToken });
    names.push(...(page.data as { name: string }[]).map(({ name }) => name));
  }

  expect(names).toEqual(["vm-a", "vm-b", "vm-c"]);
});

it("answers as a table when asked to (REST API: Resource Graph, resultFormat)", async () => {
  const { data } = await ask(`${VMS} | project name, n = array_length(zones) | order by name asc | take 1`, {
    resultFormat: "table",
  });

  expect(data).toMatchObject({ columns: [{ name: "name", type: "string" }, { name: "n" }], rows: [["vm-a", null]] });
});

it("shows each caller what he may read, and no row more (docs: Resource Graph, permissions)", async () => {
  const { azure } = fixture;
  const reader = azure.addServicePrincipal({ displayName: "reader of one" });
  const stranger = azure.addServicePrincipal({ displayName: "stranger" });
  azure.grant({
    principalId: reader.objectId,
    role: "Reader",
    scope: `${GROUP_ID}/providers/Microsoft.Compute/virtualMachines/vm-b`,
  });

  expect((await ask("Resources | project name", {}, reader)).data).toEqual([{ name: "vm-b" }]);
  expect((await ask("Resources", {}, stranger)).totalRecords).toBe(0);
});

it("follows what is made and deleted (docs: Resource Graph, data freshness)", async () => {
  const id = `${GROUP_ID}/providers/Microsoft.Compute/disks/passing`;
  await call(fixture, {
    method: "PUT",
    path: id,
    body: { location: "westus3", properties: { creationData: { createOption: "Empty" }, diskSizeGB: 4 } },
  });
  const made = await rowsOf(`resources | where id =~ '${id}' | project name`);
  await call(fixture, { method: "DELETE", path: id });
  await eventually(async () => (await rowsOf(`resources | where id =~ '${id}'`)).length === 0);

  expect(made).toEqual([{ name: "passing" }]);
});

it.each([
  ["", "a name"],
  ["Resources |", "is no operator"],
  ["Resources | where", "an expression"],
  ["Resources | where name ==", "an expression"],
  ["Resources | evaluate x", "is no operator"],
  ["Nothing | count", "no table"],
  ["Resources | where constructor('x')", "no function"],
  ["Resources | summarize toString() by name", "no aggregate"],
  ["Resources | where name == 'x' extra", "'|' is expected"],
  ["Resources | where name == 'open", "not expected"],
  [`Resources | where ${"(".repeat(50)}`, "nested too deeply"],
])("refuses %j with the place where it goes wrong (REST API: Resource Graph, errors)", async (query, words) => {
  const refusal = await refusalOf(ask(query));
  const reply = await call(fixture, {
    method: "POST",
    path: "/providers/Microsoft.ResourceGraph/resources",
    body: { query },
  });
  const { error } = reply.body as { error: { details: { code: string; message: string }[] } };

  expect(refusal).toMatchObject({ status: 400, code: "BadRequest" });
  expect(error.details.map(({ code }) => code)).toEqual(["InvalidQuery", "ParserFailure"]);
  expect(error.details[1]?.message).toContain(words);
});

it("says how many queries are left, and throttles who asks too often (docs: Resource Graph, guidance for throttled requests)", async () => {
  const strict = await startFixture({ throttling: true });
  try {
    const send = () =>
      call(strict, {
        method: "POST",
        path: "/providers/Microsoft.ResourceGraph/resources",
        body: { query: "Resources | count" },
      });
    const replies = [];
    for (let index = 0; index < 16; index += 1) replies.push(await send());
    const [first, last] = [replies[0], replies.at(-1)];

    expect([first?.status, first?.headers["x-ms-user-quota-remaining"]]).toEqual([200, "14"]);
    expect([last?.status, last?.headers["x-ms-user-quota-remaining"]]).toEqual([429, "0"]);
    expect(Number(last?.headers["retry-after"])).toBeGreaterThan(0);
  } finally {
    await stopFixture(strict);
  }
});
