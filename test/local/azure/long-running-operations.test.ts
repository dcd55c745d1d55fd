import { type ComputeManagementClient, restorePoller } from "@azure/arm-compute";
import {
  startFixture as start,
  type AzureFixture,
  computeOf,
  createEstate,
  eventually,
  fast,
  GROUP,
  GROUP_ID,
  rule,
  stopFixture,
  vmSpec,
} from "./azure-fixture";
import { call } from "./wire";

let fixture: AzureFixture;
beforeEach(async () => {
  fixture = await start();
  await createEstate(fixture);
});
afterEach(() => stopFixture(fixture));

const VM = `${GROUP_ID}/providers/Microsoft.Compute/virtualMachines/vm-a`;
const HOLD = rule({
  operation: "^PUT Microsoft.Compute/virtualMachines$",
  stage: "operation",
  action: { kind: "hold" },
});
const ALLOCATION = { kind: "fail", status: 409, code: "AllocationFailed", message: "Allocation failed." } as const;

async function submit(compute: ComputeManagementClient = computeOf(fixture)): Promise<string> {
  const poller = compute.virtualMachines.createOrUpdate(GROUP, "vm-a", vmSpec("vm-a"), fast);
  await poller.submitted();
  return poller.serialize();
}

/** Stops the cloud as it is and starts it on the same port and folder. */
async function restart(speed = 10_000): Promise<void> {
  const { azure, folder, faults } = fixture;
  const https = Number(new URL(azure.armUrl).port);
  await azure.close();
  fixture = await start({ dataFolder: folder, ports: { https, identity: 0, portal: 0 }, faults, speed });
}

const operationUrl = (state: string): URL =>
  new URL((JSON.parse(state) as { state: { config: { operationLocation: string } } }).state.config.operationLocation);
const statusOf = async (state: string): Promise<unknown> => {
  const url = operationUrl(state);
  return (await call(fixture, { path: `${url.pathname}?s=${url.searchParams.get("s") ?? ""}` })).body;
};

it("answers a create with the headers that Azure's has, and a deletion with a Location besides", async () => {
  let created: Record<string, string> = {};
  const onResponse = ({ status, headers }: { status: number; headers: { toJSON(): Record<string, string> } }): void => {
    if (status === 201) created = headers.toJSON();
  };
  await computeOf(fixture).virtualMachines.createOrUpdate(GROUP, "vm-a", vmSpec("vm-a"), { ...fast, onResponse });
  const removed = await call(fixture, { method: "DELETE", path: VM });

  expect(created["azure-asyncoperation"]).toMatch(
    /^https:\/\/localhost:\d+\/subscriptions\/[^/]+\/providers\/Microsoft.Compute\/locations\/westus3\/operations\/[^?]+\?p=.*api-version=2026-04-01$/,
  );
  expect(created["location"]).toBeUndefined();
  expect(created["x-ms-ratelimit-remaining-resource"]).toBe(
    "Microsoft.Compute/PutVMResource;11,Microsoft.Compute/PutVMSubscriptionMaximum;1499",
  );
  expect(removed.headers["location"]).toBe(`${String(removed.headers["azure-asyncoperation"])}&monitor=true`);
  expect(removed.body).toBeUndefined();
});

it("shows an operation with the members that Azure's has", async () => {
  const id = fixture.faults.arm(HOLD);
  const state = await submit();
  await fixture.faults.waitForHits(id, 1);

  const during = await statusOf(state);
  fixture.faults.disarm(id);
  await computeOf(fixture).virtualMachines.createOrUpdate(GROUP, "vm-a", vmSpec("vm-a"), fast);
  const after = await statusOf(state);

  expect(Object.keys(during as object)).toEqual(["startTime", "status", "name"]);
  expect(Object.keys(after as object)).toEqual(["startTime", "endTime", "status", "name"]);
});

it("goes on with a create after a restart of the cloud, and with its poller", async () => {
  const id = fixture.faults.arm(HOLD);
  const state = await submit();
  await fixture.faults.waitForHits(id, 1);
  await restart();
  fixture.faults.disarm(id);

  const compute = computeOf(fixture);
  const vm = await restorePoller(compute, state, compute.virtualMachines.createOrUpdate, fast);

  expect(vm).toMatchObject({ name: "vm-a", provisioningState: "Succeeded" });
  expect(fixture.hypervisor.log).toEqual(["on vm-a"]);
});

it("switches running machines on again after a restart, and deallocated ones not", async () => {
  const { virtualMachines } = computeOf(fixture);
  await Promise.all(["vm-a", "vm-b"].map((name) => virtualMachines.createOrUpdate(GROUP, name, vmSpec(name), fast)));
  await virtualMachines.deallocate(GROUP, "vm-b", fast);

  await restart();
  await eventually(() => fixture.hypervisor.log.length > 0);

  expect(fixture.hypervisor.log).toEqual(["on vm-a"]);
});

it("leaves a VM whose allocation failed behind, to be deleted", async () => {
  fixture.faults.arm(
    rule({ operation: "^PUT Microsoft.Compute/virtualMachines$", stage: "operation", action: ALLOCATION }),
  );
  const { virtualMachines } = computeOf(fixture);
  const state = await submit();
  await eventually(async () => ((await statusOf(state)) as { status: string }).status !== "InProgress");

  const operation = await statusOf(state);
  const left = await virtualMachines.get(GROUP, "vm-a", { expand: "instanceView" });
  await virtualMachines.delete(GROUP, "vm-a", fast);

  expect(operation).toMatchObject({
    status: "Failed",
    error: { code: "AllocationFailed", message: "Allocation failed." },
  });
  expect(left.provisioningState).toBe("Failed");
  expect(left.instanceView?.statuses?.map(({ code }) => code)).toEqual(["ProvisioningState/failed/AllocationFailed"]);
  expect(fixture.hypervisor.log).toEqual(["off vm-a", "off vm-a discard"]);
  expect(fixture.azure.remainingByType()["Microsoft.Network/networkInterfaces"]).toBeUndefined();
});

it("fails a create whose machine cannot be switched on, and tells of it", async () => {
  fixture.hypervisor.powerOn = () => Promise.reject(new Error("no room"));

  await expect(
    Promise.resolve(computeOf(fixture).virtualMachines.createOrUpdate(GROUP, "vm-a", vmSpec("vm-a"), fast)),
  ).rejects.toThrow(/InternalExecutionError/);

  await eventually(() =>
    fixture.events.some(({ eventType }) => eventType === "Microsoft.Resources.ResourceWriteFailure"),
  );
});

it("lets a deletion take the VM away from a create that is under way", async () => {
  const id = fixture.faults.arm(HOLD);
  const state = await submit();
  await fixture.faults.waitForHits(id, 1);

  await computeOf(fixture).virtualMachines.delete(GROUP, "vm-a", fast);
  fixture.faults.disarm(id);

  expect(await statusOf(state)).toMatchObject({ status: "Canceled", error: { code: "OperationPreempted" } });
  expect(fixture.hypervisor.running.size).toBe(0);
});

it("refuses other operations while a VM is being made or deleted, and joins the same", async () => {
  const { virtualMachines } = computeOf(fixture);
  const creating = fixture.faults.arm(HOLD);
  await submit();
  await fixture.faults.waitForHits(creating, 1);
  const early = await call(fixture, { method: "POST", path: `${VM}/deallocate` });
  fixture.faults.disarm(creating);
  await virtualMachines.createOrUpdate(GROUP, "vm-a", vmSpec("vm-a"), fast);

  const deleting = fixture.faults.arm({ ...HOLD, operation: "^DELETE Microsoft.Compute/virtualMachines$" });
  const [first, second] = [
    await call(fixture, { method: "DELETE", path: VM }),
    await call(fixture, { method: "DELETE", path: VM }),
  ];
  const late = await call(fixture, { method: "POST", path: `${VM}/start` });
  fixture.faults.disarm(deleting);

  const idOf = (reply: { headers: Record<string, unknown> }): string =>
    new URL(String(reply.headers["azure-asyncoperation"])).pathname;
  expect(early).toMatchObject({ status: 409, body: { error: { code: "Conflict" } } });
  expect(idOf(second)).toBe(idOf(first));
  expect(late).toMatchObject({
    status: 409,
    body: { error: { code: "OperationNotAllowed", message: expect.stringContaining("marked for deletion") as string } },
  });
});

it("answers the Location of a deallocation with 202 until it is done", async () => {
  await computeOf(fixture).virtualMachines.createOrUpdate(GROUP, "vm-a", vmSpec("vm-a"), fast);
  const id = fixture.faults.arm({ ...HOLD, operation: "deallocate" });
  const { headers, status } = await call(fixture, { method: "POST", path: `${VM}/deallocate` });
  const location = new URL(String(headers["location"]));
  const read = async (): Promise<number> =>
    (await call(fixture, { path: `${location.pathname}?monitor=true&s=${location.searchParams.get("s") ?? ""}` }))
      .status;

  const during = await read();
  fixture.faults.disarm(id);
  await eventually(async () => (await read()) !== 202);

  expect([status, during, await read()]).toEqual([202, 202, 200]);
});

it("sends Retry-After in whole seconds where it is not switched off", async () => {
  const slow = await start({ sendsRetryAfter: true, speed: 5 });
  await createEstate(slow);
  const reply = await call(slow, { method: "DELETE", path: GROUP_ID });
  await stopFixture(slow);

  expect(reply.headers["retry-after"]).toBe("2");
});
