import { parseArmPath } from "../../../local/azure/arm/arm-path";
import { Throttle } from "../../../local/azure/arm/throttle";
import { TokenBuckets } from "../../../local/azure/arm/token-buckets";
import {
  type AzureFixture,
  computeOf,
  createEstate,
  GROUP,
  GROUP_ID,
  LOCATION,
  newGuid,
  resourcesOf,
  startFixture,
  stopFixture,
  SUBSCRIPTION,
} from "../../local/azure/azure-fixture";
import { call, codeOf, messageOf } from "../../local/azure/wire";
import { createGroups, GROUPS, patientResourcesOf, remaining, SUBSCRIPTION_ID, watchHeaders } from "./arm-fixture";
import { refusalOf } from "./rights-clients";

let fixture: AzureFixture;
/** So slow that no bucket gains a token while a test runs. */
const still = { throttling: true, speed: 0.001 };
beforeEach(async () => {
  fixture = await startFixture(still);
  await createEstate(fixture);
});
afterEach(() => stopFixture(fixture));

function reader(name: string, scope = SUBSCRIPTION_ID): AzureFixture["owner"] {
  const principal = fixture.azure.addServicePrincipal({ displayName: name });
  fixture.azure.grant({ principalId: principal.objectId, role: "Reader", scope });
  return principal;
}

async function exhaustReads(path: string): Promise<void> {
  for (let at = 0; at < 250; at += 1) await call(fixture, { path });
}

it("says what is left of a principal's reads and of all principals' (recorded: 249 and 3749)", async () => {
  const { headers, onResponse } = watchHeaders();

  await resourcesOf(fixture).resourceGroups.get(GROUP, { onResponse });

  expect(headers["x-ms-ratelimit-remaining-subscription-reads"]).toBe("249");
  expect(headers["x-ms-ratelimit-remaining-subscription-global-reads"]).toBe("3749");
});

it("counts reads, writes and deletes apart (docs: request-limits-and-throttling)", async () => {
  const [first, second] = ["PUT", "PUT"].map((method) => ({
    method,
    path: `${GROUPS}/g1`,
    body: { location: LOCATION },
  }));
  const writes = [
    await remaining(fixture, first ?? { path: "" }, "subscription-writes"),
    await remaining(fixture, second ?? { path: "" }, "subscription-writes"),
  ].map(Number);
  const gone = { method: "DELETE", path: `${GROUP_ID}/providers/Microsoft.Compute/disks/none` };

  expect((writes[0] ?? 0) - (writes[1] ?? 0)).toBe(1);
  expect(await remaining(fixture, gone, "subscription-deletes")).toBe("199");
  expect(await remaining(fixture, gone, "subscription-global-deletes")).toBe("2998");
});

it("counts each principal by itself, and all together (docs: 15 times the limit of one)", async () => {
  const path = GROUP_ID;
  const mine = await remaining(fixture, { path }, "subscription-reads");
  const other = reader("other");

  expect([mine, await remaining(fixture, { path, as: other }, "subscription-reads")]).toEqual(["249", "249"]);
  expect(await remaining(fixture, { path, as: other }, "subscription-global-reads")).toBe("3747");
});

it("counts each region by itself: of the resource, of a location in the path, else at home (docs: limits per region)", async () => {
  await createGroups(fixture, ["elsewhere"], { location: "northeurope" });
  const usages = (location: string) => `${SUBSCRIPTION_ID}/providers/Microsoft.Compute/locations/${location}/usages`;

  const left: unknown[] = [];
  for (const path of [GROUP_ID, GROUPS, usages(LOCATION), `${GROUPS}/elsewhere`, usages("northeurope")])
    left.push(await remaining(fixture, { path }, "subscription-reads"));

  expect(left).toEqual(["249", "248", "247", "249", "248"]);
});

it("counts what belongs to no subscription at the tenant (docs: x-ms-ratelimit-remaining-tenant-reads)", async () => {
  const { headers } = await call(fixture, { path: "/subscriptions" });

  expect(headers["x-ms-ratelimit-remaining-tenant-reads"]).toBe("249");
  expect(Object.keys(headers).filter((name) => name.includes("remaining-subscription"))).toEqual([]);
});

it("refuses who has used up a bucket, there and nowhere else (recorded: SubscriptionRequestsThrottled)", async () => {
  await createGroups(fixture, ["elsewhere"], { location: "northeurope" });
  await exhaustReads(GROUP_ID);
  const other = reader("other");

  const refused = await call(fixture, { path: GROUP_ID });
  const byClient = await refusalOf(resourcesOf(fixture).resourceGroups.get(GROUP));

  expect([refused.status, codeOf(refused)]).toEqual([429, "SubscriptionRequestsThrottled"]);
  expect(messageOf(refused)).toBe(
    `Number of 'read' requests for subscription '${SUBSCRIPTION}' actor '${fixture.owner.objectId}' exceeded. Please try again after '40' seconds after additional tokens are available. Refer to https://aka.ms/arm-throttling for additional information.`,
  );
  expect(refused.headers).toMatchObject({
    "retry-after": "40",
    "x-ms-ratelimit-remaining-subscription-reads": "0",
    "x-ms-ratelimit-remaining-subscription-global-reads": "3500",
  });
  expect([byClient.status, byClient.code]).toEqual([429, "SubscriptionRequestsThrottled"]);
  expect((await call(fixture, { path: `${GROUPS}/elsewhere` })).status).toBe(200);
  expect((await call(fixture, { path: GROUP_ID, as: other })).status).toBe(200);
});

it("lets the client wait as long as it says, and then through (@azure/arm-resources 8, retry policy)", async () => {
  const fast = await startFixture({ throttling: true, speed: 1 });
  await createEstate(fast);
  let isRefused = false;
  for (let at = 0; !isRefused && at < 2000; at += 1)
    isRefused = (await call(fast, { path: GROUP_ID })).headers["retry-after"] === "1";
  const group = await patientResourcesOf(fast).resourceGroups.get(GROUP);
  await stopFixture(fast);

  expect([isRefused, group.name]).toEqual([true, GROUP]);
});

it("counts VM calls per subscription and region, lists by a limit of their own (docs: compute-throttling-limits)", async () => {
  await createGroups(fixture, ["elsewhere"], { location: "northeurope" });
  const vm = (group: string) => `${GROUPS}/${group}/providers/Microsoft.Compute/virtualMachines/vm`;
  const left = async (group: string) => await remaining(fixture, { method: "DELETE", path: vm(group) }, "resource");
  const { headers, onResponse } = watchHeaders();
  for await (const _vm of computeOf(fixture).virtualMachines.listAll({ onResponse })) break;

  expect([await left(GROUP), await left(GROUP), await left("elsewhere")]).toEqual([
    "Microsoft.Compute/DeleteVMResource;11,Microsoft.Compute/DeleteVMSubscriptionMaximum;1499",
    "Microsoft.Compute/DeleteVMResource;10,Microsoft.Compute/DeleteVMSubscriptionMaximum;1498",
    "Microsoft.Compute/DeleteVMResource;11,Microsoft.Compute/DeleteVMSubscriptionMaximum;1499",
  ]);
  expect(headers["x-ms-ratelimit-remaining-resource"]).toBe("Microsoft.Compute/HighCostGetSubscriptionMaximum;899");
});

it("says which of Compute's limits was met, since when, and what is left of ARM's (docs: troubleshooting-throttling-errors)", async () => {
  const request = { method: "DELETE", path: `${GROUP_ID}/providers/Microsoft.Compute/virtualMachines/vm` };
  for (let at = 0; at < 12; at += 1) await call(fixture, request);

  const refused = await call(fixture, request);
  const { details } = (refused.body as { error: { details: { code: string; target: string; message: string }[] } })
    .error;

  expect([refused.status, codeOf(refused), refused.headers["retry-after"]]).toEqual([
    429,
    "OperationNotAllowed",
    "15000",
  ]);
  expect(details).toMatchObject([{ code: "TooManyRequests", target: "DeleteVM" }]);
  expect(JSON.parse(details[0]?.message ?? "")).toMatchObject({
    operationGroup: "DeleteVM",
    startTime: expect.stringMatching(/Z$/) as string,
    allowedRequestCount: 12,
    measuredRequestCount: 13,
  });
  expect(refused.headers).toMatchObject({
    "x-ms-ratelimit-remaining-resource":
      "Microsoft.Compute/DeleteVMResource;0,Microsoft.Compute/DeleteVMSubscriptionMaximum;1488",
    "x-ms-ratelimit-remaining-subscription-deletes": "187",
  });
});

it("refuses everybody once a subscription's principals have sent fifteen times the limit of one (docs: global limits)", () => {
  const throttle = new Throttle({ speed: 1, isEnforced: true, now: () => 0 });
  const path = parseArmPath(GROUP_ID);
  const take = (objectId: string) => {
    if (!path) throw new Error("no path");
    const query = new URLSearchParams();
    const caller = { objectId, appId: "", claims: {} };
    const request = {
      method: "GET",
      path,
      query,
      headers: {},
      body: undefined,
      apiVersion: "",
      caller,
      label: "GET x",
    };
    return throttle.take(request, { resourceId: GROUP_ID, region: LOCATION });
  };
  for (let at = 0; at < 15 * 250; at += 1) take(`principal ${at % 15}`);

  expect(() => take("one more")).toThrow(/^Number of 'read' requests for subscription/);
});

it("keeps no bucket that is full again, and only so many of the others (robustness: strangers make up names)", () => {
  let now = 0;
  const buckets = new TokenBuckets({ speed: 1, isEnforced: true, now: () => now });
  const limit = { name: "reads", capacity: 10, perSecond: 1 };
  const used = { key: "used", limit };
  for (let at = 0; at < 10; at += 1) buckets.take([used]);

  let most = 0;
  for (let at = 0; at < 50_000; at += 1) {
    now += 1;
    buckets.take([{ key: newGuid(), limit }]);
    most = Math.max(most, buckets.size);
    if (at === 100) expect(buckets.take([used]).refused).toMatchObject({ retryAfterSeconds: 1 });
  }

  expect(most).toBeLessThan(5000);
  expect(buckets.take([used]).left).toEqual([9]);
});

it("forgets the bucket that was longest not used before it keeps too many (robustness)", () => {
  const buckets = new TokenBuckets({ speed: 1, isEnforced: true, now: () => 0 });
  const limit = { name: "reads", capacity: 10, perSecond: 1 };
  for (let at = 0; at < 100_000; at += 1) buckets.take([{ key: `key ${at}`, limit }]);

  expect(buckets.size).toBeLessThanOrEqual(20_000);
});
