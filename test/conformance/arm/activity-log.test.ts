import { DatabaseSync } from "node:sqlite";
import { type EventData, MonitorClient } from "@azure/arm-monitor";
import { ActivityLog } from "../../../local/azure/arm/activity-log/activity-log";
import {
  type AzureFixture,
  computeOf,
  createEstate,
  credentialOf,
  fast,
  GROUP,
  GROUP_ID,
  resourcesOf,
  startFixture,
  stopFixture,
  SUBSCRIPTION,
  vmSpec,
} from "../../local/azure/azure-fixture";
import { call, codeOf } from "../../local/azure/wire";
import { all } from "./rights-clients";

let fixture: AzureFixture;
beforeAll(async () => {
  fixture = await startFixture();
  await createEstate(fixture);
});
afterAll(() => stopFixture(fixture));

const VALUES = `/subscriptions/${SUBSCRIPTION}/providers/Microsoft.Insights/eventtypes/management/values`;
const since = new Date(Date.now() - 3_600_000).toISOString();
const SINCE = `eventTimestamp ge '${since}'`;
const logOf = (more = "", select?: string): Promise<EventData[]> => {
  const options = { endpoint: fixture.azure.armUrl, tlsOptions: { ca: fixture.azure.caPem } };
  const { activityLogs } = new MonitorClient(credentialOf(fixture), SUBSCRIPTION, options);
  return all(activityLogs.list(`${SINCE}${more}`, select === undefined ? {} : { select }));
};
const vmIdOf = (name: string): string => `${GROUP_ID}/providers/Microsoft.Compute/virtualMachines/${name}`;

it("tells who wrote which resource by which right, under the caller's correlation id (@azure/arm-monitor 8.0.0)", async () => {
  const correlationId = "c0000000-0000-4000-8000-000000000001";
  await computeOf(fixture).virtualMachines.createOrUpdate(GROUP, "vm-log", vmSpec("vm-log"), {
    ...fast,
    requestOptions: { headers: { "x-ms-correlation-request-id": correlationId } },
  });
  const [line, ...more] = await logOf(` and correlationId eq '${correlationId}'`);

  expect(more).toEqual([]);
  expect(line).toMatchObject({
    ...{ caller: fixture.owner.objectId, correlationId, resourceGroupName: GROUP, resourceId: vmIdOf("vm-log") },
    authorization: { action: "Microsoft.Compute/virtualMachines/write", role: "Owner", scope: vmIdOf("vm-log") },
    operationName: { value: "Microsoft.Compute/virtualMachines/write" },
    resourceType: { value: "Microsoft.Compute/virtualMachines" },
    resourceProviderName: { value: "Microsoft.Compute" },
    ...{ status: { value: "Succeeded" }, level: "Informational", category: { value: "Administrative" } },
    subscriptionId: SUBSCRIPTION,
  });
  expect(line?.eventTimestamp?.getTime()).toBeGreaterThan(Date.parse(since));
});

it("tells a failure as such (docs: Azure activity log event schema)", async () => {
  fixture.faults.arm({
    ...{ service: "arm", operation: "PUT Microsoft.Compute/virtualMachines", stage: "operation", skip: 0, times: 1 },
    action: { kind: "fail", status: 200, code: "AllocationFailed", message: "no room" },
  });
  await computeOf(fixture)
    .virtualMachines.createOrUpdate(GROUP, "vm-fails", vmSpec("vm-fails"), fast)
    .catch(() => undefined);

  expect(await logOf(` and resourceUri eq '${vmIdOf("vm-fails")}'`)).toMatchObject([
    { status: { value: "Failed" }, level: "Error" },
  ]);
});

it("has one line for each write and deletion, newest first, and none for reads (@azure/arm-monitor 8.0.0)", async () => {
  const name = "corral-logged";
  await resourcesOf(fixture).resourceGroups.createOrUpdate(name, { location: "westus3" });
  await resourcesOf(fixture).resourceGroups.get(name);
  await resourcesOf(fixture).resourceGroups.delete(name, fast);

  expect((await logOf(` and resourceGroupName eq '${name}'`)).map(({ operationName }) => operationName?.value)).toEqual(
    [
      "Microsoft.Resources/subscriptions/resourceGroups/delete",
      "Microsoft.Resources/subscriptions/resourceGroups/write",
    ],
  );
});

it("filters by provider and by time, whatever the case (REST API: Activity Logs - List)", async () => {
  const network = await logOf(" and resourceProvider eq 'microsoft.network'");
  const ended = await logOf(` and eventTimestamp le '${new Date(Date.parse(since) + 1000).toISOString()}'`);

  expect(new Set(network.map(({ resourceProviderName }) => resourceProviderName?.value))).toEqual(
    new Set(["Microsoft.Network"]),
  );
  expect(ended).toEqual([]);
});

it("answers the selected members alone (REST API: Activity Logs - List, $select)", async () => {
  const { body } = await call(fixture, {
    path: `${VALUES}?$filter=${encodeURIComponent(SINCE)}&$select=caller,eventTimestamp`,
  });
  const [line] = (body as { value: object[] }).value;

  expect(Object.keys(line ?? {}).sort()).toEqual(["caller", "eventTimestamp"]);
});

it("goes through many lines by pages, each once (@azure/arm-monitor 8.0.0)", async () => {
  for (let index = 0; index < 230; index += 1)
    await call(fixture, { method: "PATCH", path: GROUP_ID, body: { tags: { index: String(index) } } });
  const lines = await logOf(` and resourceUri eq '${GROUP_ID}'`);

  expect(lines.length).toBeGreaterThanOrEqual(231);
  expect(new Set(lines.map(({ eventDataId }) => eventDataId)).size).toBe(lines.length);
});

it.each([
  ["no filter", ""],
  ["no start", "resourceGroupName eq 'x'"],
  ["a time that is none", "eventTimestamp ge 'yesterday'"],
  ["a start more than 90 days ago", "eventTimestamp ge '2020-01-01T00:00:00Z'"],
  ["an end before its start", `${SINCE} and eventTimestamp le '2026-01-01T00:00:00Z'`],
  ["a name that is not known", `${SINCE} and colour eq 'red'`],
  ["a name twice", `${SINCE} and caller eq 'a' and caller eq 'b'`],
])("refuses %s with 400 (REST API: Activity Logs - List)", async (_what, filter) => {
  const reply = await call(fixture, { path: `${VALUES}?$filter=${encodeURIComponent(filter)}` });

  expect([reply.status, codeOf(reply)]).toEqual([400, "BadRequest"]);
});

it("shows nothing to who may not read it (docs: Azure built-in roles, Microsoft.Insights/eventtypes/values/Read)", async () => {
  const stranger = fixture.azure.addServicePrincipal({ displayName: "stranger" });
  const reply = await call(fixture, { path: `${VALUES}?$filter=${encodeURIComponent(SINCE)}`, as: stranger });

  expect([reply.status, codeOf(reply)]).toEqual([403, "AuthorizationFailed"]);
});

it("keeps the newest lines and forgets the oldest (docs: Azure activity log, retention)", () => {
  const log = new ActivityLog(new DatabaseSync(":memory:"), 50);
  const row = (index: number) => ({
    ...{ at: since, subscriptionId: "s", resourceGroup: "g", resourceId: "r", provider: "p", correlationId: "c" },
    ...{ caller: "x", status: "Succeeded", view: { index } },
  });
  for (let index = 0; index < 120; index += 1) log.add(row(index));
  const { rows } = log.page("s", { from: since, to: undefined }, { size: 1000 });

  expect(rows.map((one) => one["index"])).toEqual(Array.from({ length: 50 }, (_, index) => 119 - index));
});
