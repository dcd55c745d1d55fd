import type { VmStatus } from "../../../src/azure/vm-client";
import {
  ago,
  attemptRow,
  idleMachine,
  jobRow,
  machineRow,
  organizationRow,
  SUBSCRIPTION,
  T4_SPOT,
} from "../../support/sample-rows";
import { useWorld, type World } from "../../support/world";

const world = useWorld();
const ref = { subscriptionId: SUBSCRIPTION };

async function setUp(
  status: Partial<VmStatus> | undefined,
  machine = machineRow({ putSentAt: ago(30) }),
): Promise<World> {
  const w = world();
  await w.organizations.insert(organizationRow());
  await w.machines.insert(machine);
  await w.jobs.insert(jobRow({ state: "Placing", attempt: 1, machineId: "m000000001" }));
  await w.attempts.insert(attemptRow());
  if (status) w.vms.vms.set("vm-demo-m000000001", { tags: {}, resourceGroup: "CORRAL-DEMO", status });
  await w.placement.observeMachines(ref, w.instances);
  return w;
}

const row = async (w: World) => (await w.machines.find("demo", "m000000001"))?.value;

it("notes when Azure called the creation done", async () => {
  const w = await setUp({ provisioning: "succeeded", provisionedAt: "2030-01-01T00:00:00.000Z" });

  expect(await row(w)).toMatchObject({ state: "Booting", vmSucceededAt: "2030-01-01T00:00:00.000Z" });
  expect(w.instances.woken).toEqual([]);
});

it("does not turn back a machine whose agent was faster", async () => {
  const w = await setUp({ provisioning: "succeeded" }, idleMachine());

  expect(await row(w)).toMatchObject({ state: "Idle", vmSucceededAt: expect.any(String) as string });
});

it.each<[string, Partial<VmStatus> | undefined]>([
  ["is being created", { provisioning: "creating" }],
  ["is not in the list yet", undefined],
  ["is in a state that is not known", { provisioning: "unknown" }],
])("waits for a VM that %s", async (_what, status) => {
  const w = await setUp(status);

  expect((await row(w))?.state).toBe("Creating");
});

it.each([
  ["AllocationFailed", "capacity"],
  ["OSProvisioningTimedOut", "boot"],
  [undefined, "boot"],
] as const)("gives up a VM that failed late with %s: a failure of %s (F28)", async (failureCode, kind) => {
  const w = await setUp({ provisioning: "failed", ...(failureCode !== undefined && { failureCode }) });

  expect(await row(w)).toMatchObject({ state: "Failed", failure: { kind } });
  expect(w.instances.woken).toEqual(["job-demo-j1", "machine-demo-m000000001"]);
});

it("does not buy again at once what Azure could not allocate (F32 I10)", async () => {
  const w = await setUp({ provisioning: "failed", failureCode: "AllocationFailed" });
  await w.job.advanceJob({ org: "demo", jobId: "j1" }, w.instances);
  await w.placement.takeScheduler({ ...ref, holder: "h1" });
  const { machines } = await w.placement.placeJobs({ ...ref, epoch: 1 });
  const bought = (await w.machines.find("demo", machines[0]?.machineId ?? ""))?.value.offering;

  expect(await w.offerings.listBlocked(SUBSCRIPTION, "westeurope", new Date())).toHaveLength(1);
  expect(bought).toBeDefined();
  expect(bought).not.toEqual(T4_SPOT);
});

it("leaves alone what failed once it had been up", async () => {
  const w = await setUp({ provisioning: "failed" }, idleMachine());

  expect((await row(w))?.state).toBe("Idle");
});

it("knows machines by their resource group too: a VM of that name elsewhere says nothing", async () => {
  const w = world();
  await w.organizations.insert(organizationRow());
  await w.machines.insert(machineRow({ putSentAt: ago(30) }));
  w.vms.vms.set("vm-demo-m000000001", { tags: {}, resourceGroup: "other", status: { provisioning: "failed" } });
  await w.placement.observeMachines(ref, w.instances);

  expect((await row(w))?.state).toBe("Creating");
});
