import {
  type AzureFixture,
  computeOf,
  createEstate,
  eventually,
  fast,
  GROUP,
  startFixture,
  stopFixture,
  vmSpec,
} from "./azure-fixture";

let fixture: AzureFixture;
beforeAll(async () => {
  fixture = await startFixture();
  await createEstate(fixture);
});
afterAll(() => stopFixture(fixture));

const ask = (method: string, path: string, body?: unknown): Promise<Response> =>
  fetch(`${fixture.azure.portalUrl}${path}`, { method, ...(body === undefined ? {} : { body: JSON.stringify(body) }) });

it.each([
  { method: "PUT", path: "/quota", body: { name: "cores" }, status: 400, target: "limit" },
  { method: "PUT", path: "/quota", body: { name: "cores", limit: 1, region: "x" }, status: 400, target: "region" },
  { method: "PUT", path: "/quota", body: { name: "bores", limit: 1 }, status: 400, target: "name" },
  { method: "PUT", path: "/sizes/Standard_None", body: { available: true }, status: 404, target: undefined },
  { method: "PUT", path: "/latency", body: { multiplier: "2" }, status: 400, target: "multiplier" },
  { method: "POST", path: "/vms/none/evict", body: undefined, status: 404, target: undefined },
  { method: "GET", path: "/nothing", body: undefined, status: 404, target: undefined },
])("refuses $method $path with $body", async ({ method, path, body, status, target }) => {
  const reply = await ask(method, path, body);

  expect(reply.status).toBe(status);
  expect(((await reply.json()) as { error: { target?: string } }).error.target).toBe(target);
});

it("slows operations down while the stack runs", async () => {
  await ask("PUT", "/latency", { multiplier: 10_000 });
  const poller = computeOf(fixture).virtualMachines.createOrUpdate(GROUP, "vm-slow", vmSpec("vm-slow"), fast);
  await poller.submitted();
  const state = await poller.poll();
  await ask("PUT", "/latency", { multiplier: 1 });
  await computeOf(fixture).virtualMachines.delete(GROUP, "vm-slow", fast);

  expect(state.status).toBe("running");
});

it("shows what there is, and lets a person delete a VM by hand", async () => {
  await computeOf(fixture).virtualMachines.createOrUpdate(GROUP, "vm-a", vmSpec("vm-a"), fast);
  const inventory = (await (await ask("GET", "/inventory")).json()) as { value: { name: string }[] };
  const removed = await ask("DELETE", "/vms/vm-a");
  await eventually(() =>
    fixture.events.some(({ eventType, subject }) => eventType.endsWith("DeleteSuccess") && subject.endsWith("vm-a")),
  );

  expect(inventory.value.find(({ name }) => name === "vm-a")).toMatchObject({
    type: "Microsoft.Compute/virtualMachines",
    powerState: "running",
    provisioningState: "Succeeded",
    tags: { "corral:machine": "vm-a" },
    vmSize: "Standard_NC4as_T4_v3",
  });
  expect(removed.status).toBe(202);
  const event = fixture.events.find(
    ({ eventType, subject }) => eventType.endsWith("DeleteSuccess") && subject.endsWith("vm-a"),
  );
  expect(JSON.stringify(event?.data["claims"])).not.toContain(fixture.owner.objectId);
  expect(fixture.azure.remainingByType()).not.toHaveProperty("Microsoft.Network/networkInterfaces");
});

it("evicts a spot VM by hand, and counts calls", async () => {
  const spot = vmSpec("vm-s", { priority: "Spot", evictionPolicy: "Delete" });
  await computeOf(fixture).virtualMachines.createOrUpdate(GROUP, "vm-s", spot, fast);
  const reply = await ask("POST", "/vms/vm-s/evict");
  await eventually(() => fixture.azure.remainingByType()["Microsoft.Compute/virtualMachines"] === undefined);
  const calls = (await (await ask("GET", "/calls")).json()) as Record<string, number>;

  expect(reply.status).toBe(204);
  expect(calls["PUT Microsoft.Compute/virtualMachines"]).toBeGreaterThan(0);
});
