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
} from "../../local/azure/azure-fixture";
import { refusalOf } from "./rights-clients";

let fixture: AzureFixture;
beforeEach(async () => {
  fixture = await startFixture();
  await createEstate(fixture);
});
afterEach(() => stopFixture(fixture));

const VM = `${GROUP_ID}/providers/Microsoft.Compute/virtualMachines/vm-a`;
const vms = () => computeOf(fixture).virtualMachines;
const make = (more: object) => vms().createOrUpdate(GROUP, "vm-a", vmSpec("vm-a", more), fast);
const annotations = () =>
  fixture.events.filter(({ eventType }) => eventType.endsWith("HealthResources.ResourceAnnotated"));
const isThere = () => fixture.azure.remainingByType()["Microsoft.Compute/virtualMachines"] !== undefined;

it("evicts by the policy Delete: notice, plug, annotation, and nothing of the VM is left (@azure/arm-compute 25.1.1 simulateEviction; docs: spot-vms)", async () => {
  await make(SPOT);
  await vms().simulateEviction(GROUP, "vm-a");
  await eventually(() => !isThere());
  await eventually(() => annotations().length > 0);

  expect(await refusalOf(vms().get(GROUP, "vm-a"))).toMatchObject({ status: 404, code: "ResourceNotFound" });
  expect(fixture.hypervisor.log).toEqual(["on vm-a", "notice vm-a 0.05", "off vm-a discard"]);
  expect(fixture.azure.remainingByType()).not.toHaveProperty("Microsoft.Network/networkInterfaces");
});

it("evicts by the policy Deallocate: the VM stays with its disk and can be started again (@azure/arm-compute 25.1.1 simulateEviction; docs: spot-vms)", async () => {
  await make({ ...SPOT, evictionPolicy: "Deallocate" });
  await vms().simulateEviction(GROUP, "vm-a");
  await eventually(() => annotations().length > 0);
  const { statuses } = await vms().instanceView(GROUP, "vm-a");
  await vms().start(GROUP, "vm-a", fast);

  expect(statuses?.map(({ code }) => code)).toContain("PowerState/deallocated");
  expect(fixture.azure.remainingByType()).toMatchObject({ "Microsoft.Compute/disks": 1 });
  expect(fixture.hypervisor.log).toEqual(["on vm-a", "notice vm-a 0.05", "off vm-a", "on vm-a"]);
});

it.each(["Delete", "Deallocate"])(
  "annotates the health of a VM that was evicted by %s, as the platform's doing (docs: event-schema-health-resources)",
  async (evictionPolicy) => {
    await make({ ...SPOT, evictionPolicy });
    await vms().simulateEviction(GROUP, "vm-a");
    await eventually(() => annotations().length > 0);
    const { resourceInfo } = annotations()[0]?.data as {
      resourceInfo: { id: string; type: string; properties: object };
    };

    expect(resourceInfo.id.startsWith(`${VM}/providers/Microsoft.ResourceHealth/resourceAnnotations/`)).toBe(true);
    expect(resourceInfo.type).toBe("Microsoft.ResourceHealth/resourceAnnotations");
    expect(resourceInfo.properties).toMatchObject({
      targetResourceId: VM,
      targetResourceType: "Microsoft.Compute/virtualMachines",
      annotationName: "VirtualMachinePreempted",
      context: "Platform Initiated",
      category: "Unplanned",
    });
  },
);

it("refuses to evict a VM that is no spot VM, and one that is being deleted (facts: azure-gpu-and-spot)", async () => {
  await make({});
  const regular = await refusalOf(vms().simulateEviction(GROUP, "vm-a"));
  await vms().delete(GROUP, "vm-a", fast);
  await make(SPOT);
  const id = fixture.faults.arm(
    rule({ operation: "^DELETE Microsoft.Compute/virtualMachines$", stage: "operation", action: { kind: "hold" } }),
  );
  await vms().delete(GROUP, "vm-a", fast).submitted();
  const going = await refusalOf(vms().simulateEviction(GROUP, "vm-a"));
  fixture.faults.disarm(id);

  expect([regular, going].map(({ status, code }) => `${status} ${code}`)).toEqual([
    "409 OperationNotAllowed",
    "409 OperationNotAllowed",
  ]);
  expect(going.message).toContain("since the VM is marked for deletion");
});

it("takes nothing from a spot VM that is deallocated: it holds no capacity (docs: spot-vms, eviction)", async () => {
  await make(SPOT);
  await vms().deallocate(GROUP, "vm-a", fast);
  await vms().simulateEviction(GROUP, "vm-a");
  await vms().start(GROUP, "vm-a", fast);

  expect([isThere(), annotations().length]).toEqual([true, 0]);
  expect(fixture.hypervisor.log.some((line) => line.startsWith("notice"))).toBe(false);
});

it("needs its own permission, and shares the bucket of deletions (docs: permissions/compute; compute-throttling-limits)", async () => {
  await make(SPOT);
  const reader = fixture.azure.addServicePrincipal({ displayName: "reader" });
  fixture.azure.grant({ principalId: reader.objectId, role: "Reader", scope: GROUP_ID });
  const { virtualMachines } = computeOf(fixture, reader);

  const refusal = await refusalOf(virtualMachines.simulateEviction(GROUP, "vm-a"));
  let remaining = "";
  const onResponse = ({ headers }: { headers: { get(name: string): string | undefined } }): void => {
    remaining = headers.get("x-ms-ratelimit-remaining-resource") ?? "";
  };
  await vms().simulateEviction(GROUP, "vm-a", { onResponse });

  expect(refusal.message).toContain("Microsoft.Compute/virtualMachines/simulateEviction/action");
  expect(remaining).toContain("Microsoft.Compute/DeleteVMResource;");
});
