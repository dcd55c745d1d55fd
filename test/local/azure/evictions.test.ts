import {
  type AzureFixture,
  computeOf,
  createEstate,
  eventually,
  fast,
  GROUP,
  GROUP_ID,
  rule,
  SPOT,
  startFixture,
  stopFixture,
  vmSpec,
} from "./azure-fixture";
import { call, codeOf } from "./wire";

let fixture: AzureFixture;
beforeEach(async () => {
  fixture = await startFixture();
  await createEstate(fixture);
});
afterEach(() => stopFixture(fixture));

const VM = `${GROUP_ID}/providers/Microsoft.Compute/virtualMachines/vm-a`;
const create = (more = SPOT) =>
  computeOf(fixture).virtualMachines.createOrUpdate(GROUP, "vm-a", vmSpec("vm-a", more), fast);
const healthEvents = () => fixture.events.filter(({ eventType }) => eventType.endsWith("ResourceAnnotated"));

it("gives notice, pulls the plug and deletes a spot VM, with its parts and without a resource event of its own", async () => {
  await create();
  await computeOf(fixture).virtualMachines.simulateEviction(GROUP, "vm-a");
  await eventually(() => fixture.azure.remainingByType()["Microsoft.Compute/virtualMachines"] === undefined);
  await eventually(() => healthEvents().length > 0);

  expect(fixture.hypervisor.log).toEqual(["on vm-a", "notice vm-a 0.05", "off vm-a discard"]);
  expect(fixture.azure.remainingByType()).not.toHaveProperty("Microsoft.Compute/disks");
  expect(fixture.events.some(({ eventType }) => eventType.includes("ResourceDelete"))).toBe(false);
  expect(healthEvents()[0]?.data).toMatchObject({
    resourceInfo: { properties: { annotationName: "VirtualMachinePreempted", targetResourceId: VM } },
  });
});

it("deallocates where the policy says so, and never starts the VM again", async () => {
  await create({ ...SPOT, evictionPolicy: "Deallocate" });
  await computeOf(fixture).virtualMachines.simulateEviction(GROUP, "vm-a");
  await eventually(() => healthEvents().length > 0);

  const { statuses } = await computeOf(fixture).virtualMachines.instanceView(GROUP, "vm-a");

  expect(statuses?.map(({ code }) => code)).toEqual(["ProvisioningState/succeeded", "PowerState/deallocated"]);
  expect(fixture.hypervisor.running.size).toBe(0);
});

it("evicts a VM once when asked twice", async () => {
  await create();
  const { virtualMachines } = computeOf(fixture);
  await virtualMachines.simulateEviction(GROUP, "vm-a");
  await virtualMachines.simulateEviction(GROUP, "vm-a");
  await eventually(() => fixture.hypervisor.running.size === 0);

  expect(fixture.hypervisor.log.filter((line) => line.startsWith("notice"))).toHaveLength(1);
});

it("evicts no regular VM", async () => {
  await create({});
  const reply = await call(fixture, { method: "POST", path: `${VM}/simulateEviction` });

  expect([reply.status, codeOf(reply)]).toEqual([409, "OperationNotAllowed"]);
});

it("lets a VM vanish that is evicted while it is being made", async () => {
  const id = fixture.faults.arm(
    rule({ operation: "^PUT Microsoft.Compute/virtualMachines$", stage: "operation", action: { kind: "hold" } }),
  );
  await create().submitted();
  await fixture.faults.waitForHits(id, 1);
  await fetch(`${fixture.azure.portalUrl}/vms/vm-a/evict`, { method: "POST" });
  await eventually(() => fixture.azure.remainingByType()["Microsoft.Compute/virtualMachines"] === undefined);
  fixture.faults.disarm(id);

  expect(codeOf(await call(fixture, { path: VM }))).toBe("ResourceNotFound");
});

it("finishes an eviction that a restart of the cloud interrupted", async () => {
  await create();
  const id = fixture.faults.arm(rule({ operation: "^evict ", stage: "operation", action: { kind: "hold" } }));
  await computeOf(fixture).virtualMachines.simulateEviction(GROUP, "vm-a");
  await fixture.faults.waitForHits(id, 1);
  const { azure, folder, faults } = fixture;
  await azure.close();
  faults.disarm(id);

  fixture = await startFixture({ dataFolder: folder, faults });
  await eventually(() => fixture.azure.remainingByType()["Microsoft.Compute/virtualMachines"] === undefined);

  expect(fixture.hypervisor.log.at(-1)).toBe("off vm-a discard");
});
