import {
  type AzureFixture,
  createEstate,
  GROUP,
  GROUP_ID,
  rule,
  startFixture,
  stopFixture,
  vmSpec,
} from "../../local/azure/azure-fixture";
import { call, type RawRequest, type RawReply } from "../../local/azure/wire";
import { deploymentsOf } from "./arm-clients";
import { createGroups, GROUPS, pathOf } from "./arm-fixture";
import { templateOf } from "./deploy";
import { wireVm } from "./route-paths";

let fixture: AzureFixture;
beforeEach(async () => {
  fixture = await startFixture({ sendsRetryAfter: true, speed: 5 });
  await createEstate(fixture);
});
afterEach(() => stopFixture(fixture));

const TEMPLATE = { properties: { mode: "Incremental" as const, template: templateOf({ resources: [] }) } };
const NETWORK = `${GROUP_ID}/providers/Microsoft.Network/virtualNetworks/vnet`;

/** Begins, and polls while the operation is held: at `Azure-AsyncOperation`, else at `Location`. */
async function beginHeld(request: RawRequest, operation: string): Promise<{ begun: RawReply; polls: RawReply[] }> {
  const id = fixture.faults.arm(rule({ operation, stage: "operation", action: { kind: "hold" } }));
  const begun = await call(fixture, request);
  const { "azure-asyncoperation": status, location } = begun.headers;
  const polls: RawReply[] = [];
  for (const link of [status, location])
    if (typeof link === "string") polls.push(await call(fixture, { path: pathOf(link) }));
  fixture.faults.disarm(id);
  return { begun, polls };
}

it.each([
  {
    what: "a VM's create",
    request: {
      method: "PUT",
      path: `${GROUP_ID}/providers/Microsoft.Compute/virtualMachines/vm-a`,
      body: wireVm(vmSpec("vm-a")),
    },
    operation: "^PUT Microsoft.Compute/virtualMachines$",
    statuses: [201, 200],
  },
  {
    what: "a network's deletion",
    request: { method: "DELETE", path: NETWORK },
    operation: "^DELETE Microsoft.Network/virtualNetworks$",
    statuses: [202, 200, 202],
  },
  {
    what: "a deployment",
    request: { method: "PUT", path: `${GROUP_ID}/providers/Microsoft.Resources/deployments/d`, body: TEMPLATE },
    operation: "^PUT Microsoft.Resources/deployments$",
    statuses: [201, 200],
  },
  {
    what: "a what-if",
    request: { method: "POST", path: `${GROUP_ID}/providers/Microsoft.Resources/deployments/d/whatIf`, body: TEMPLATE },
    operation: "whatIf$",
    statuses: [202, 202],
  },
])("tells at the begin and at every poll how long to wait: $what (docs: Retry-After)", async (given) => {
  const { begun, polls } = await beginHeld(given.request, given.operation);

  expect([begun, ...polls].map(({ status }) => status)).toEqual(given.statuses);
  expect([begun, ...polls].map(({ headers }) => headers["retry-after"])).toEqual(given.statuses.map(() => "2"));
});

it("tells it at a group's deletion and at each poll of it too (@azure/arm-resources 8, resourceGroups.delete)", async () => {
  await createGroups(fixture, ["g1"]);

  const { begun, polls } = await beginHeld(
    { method: "DELETE", path: `${GROUPS}/g1` },
    "^DELETE Microsoft.Resources/subscriptions/resourceGroups$",
  );

  expect([begun, ...polls].map(({ status, headers }) => [status, headers["retry-after"]])).toEqual([
    [202, "2"],
    [202, "2"],
  ]);
});

it("tells nothing any more once an operation has ended (@azure/arm-resourcesdeployments 2)", async () => {
  const { begun } = await beginHeld(
    { method: "PUT", path: `${GROUP_ID}/providers/Microsoft.Resources/deployments/d`, body: TEMPLATE },
    "none",
  );
  await deploymentsOf(fixture).deployments.createOrUpdate(GROUP, "other", TEMPLATE, { updateIntervalInMs: 10 });
  const ended = await call(fixture, { path: pathOf(String(begun.headers["azure-asyncoperation"])) });

  expect([ended.body, ended.headers["retry-after"]]).toEqual([{ status: "Succeeded" }, undefined]);
});
