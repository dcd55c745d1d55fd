import type { VirtualMachine } from "@azure/arm-compute";
import {
  type AzureFixture,
  computeOf,
  createEstate,
  fast,
  GROUP,
  LOCATION,
  SPOT,
  startFixture,
  stopFixture,
  vmSpec,
} from "./azure-fixture";

let fixture: AzureFixture;
beforeEach(async () => {
  fixture = await startFixture();
  await createEstate(fixture);
});
afterEach(() => stopFixture(fixture));

const create = (name: string, more: Partial<VirtualMachine> = {}) =>
  computeOf(fixture).virtualMachines.createOrUpdate(GROUP, name, vmSpec(name, more), fast);
const errorOf = (work: PromiseLike<unknown>): Promise<{ statusCode: number; code: string; message: string }> =>
  Promise.resolve(work).then(
    () => {
      throw new Error("It was not refused.");
    },
    (error: unknown) => error as { statusCode: number; code: string; message: string },
  );
const powerStates = async (name: string): Promise<(string | undefined)[]> =>
  (await computeOf(fixture).virtualMachines.instanceView(GROUP, name)).statuses?.map(({ code }) => code) ?? [];

const SIZE = (vmSize: string) => ({ hardwareProfile: { vmSize } });
const portal = (method: string, path: string, body?: unknown): Promise<Response> =>
  fetch(`${fixture.azure.portalUrl}${path}`, { method, ...(body === undefined ? {} : { body: JSON.stringify(body) }) });

it.each([
  {
    quota: "StandardNCASv3_T4Family",
    more: SIZE("Standard_NC4as_T4_v3"),
    sentence: "approved StandardNCASv3_T4Family Cores quota",
  },
  { quota: "cores", more: SIZE("Standard_NC4as_T4_v3"), sentence: "approved Total Regional Cores quota" },
  {
    quota: "lowPriorityCores",
    more: { ...SIZE("Standard_NC4as_T4_v3"), ...SPOT },
    sentence: "approved LowPriorityCores quota",
  },
])("holds the quota $quota at once, in Azure's words", async ({ quota, more, sentence }) => {
  await portal("PUT", "/quota", { location: LOCATION, name: quota, limit: 6 });
  await create("vm-a", more);

  const error = await errorOf(create("vm-b", more).submitted());

  expect(error).toMatchObject({ statusCode: 409, code: "OperationNotAllowed" });
  expect(error.message).toContain(sentence);
  expect(error.message).toContain(
    "Current Limit: 6, Current Usage: 4, Additional Required: 4, (Minimum) New Limit Required: 8",
  );
});

it("counts deallocated VMs in the usages, and spot cores in their own row", async () => {
  const compute = computeOf(fixture);
  await create("vm-a");
  await create("vm-b", SPOT);
  await compute.virtualMachines.deallocate(GROUP, "vm-a", fast);

  const rows: [string | undefined, number][] = [];
  for await (const { name, currentValue } of compute.usage.list(LOCATION)) rows.push([name.value, currentValue]);

  expect(Object.fromEntries(rows)).toMatchObject({
    cores: 4,
    lowPriorityCores: 4,
    virtualMachines: 2,
    StandardNCASv3_T4Family: 4,
  });
});

it("has no size that is sold out", async () => {
  await portal("PUT", "/sizes/Standard_NC4as_T4_v3", { available: false });
  const soldOut = await errorOf(create("vm-a").submitted());
  await portal("PUT", "/sizes/Standard_NC4as_T4_v3", { available: true });
  const created = await create("vm-a");

  expect(soldOut).toMatchObject({ statusCode: 409, code: "SkuNotAvailable" });
  expect(created.provisioningState).toBe("Succeeded");
});

it("deallocates, starts, stops and restarts a VM, twice each", async () => {
  const { virtualMachines } = computeOf(fixture);
  await create("vm-a");
  const seen: string[] = [];
  const note = async (): Promise<void> => void seen.push((await powerStates("vm-a")).at(-1) ?? "");

  for (const act of ["deallocate", "deallocate", "start", "start", "powerOff", "restart"] as const) {
    if (act === "restart") await virtualMachines.start(GROUP, "vm-a", fast);
    await virtualMachines[act](GROUP, "vm-a", fast);
    await note();
  }

  expect(seen.map((state) => state.replace("PowerState/", ""))).toEqual([
    "deallocated",
    "deallocated",
    "running",
    "running",
    "stopped",
    "running",
  ]);
  expect(fixture.hypervisor.running.size).toBe(1);
});

it("restarts no VM that is stopped", async () => {
  await create("vm-a");
  await computeOf(fixture).virtualMachines.deallocate(GROUP, "vm-a", fast);

  expect(await errorOf(computeOf(fixture).virtualMachines.restart(GROUP, "vm-a", fast).submitted())).toMatchObject({
    statusCode: 409,
    code: "OperationNotAllowed",
  });
});

it("shows a VM whose guest shut itself down as stopped", async () => {
  const { id = "" } = await create("vm-a");

  fixture.azure.guestStopped(id);

  expect(await powerStates("vm-a")).toEqual(["ProvisioningState/succeeded", "PowerState/stopped"]);
});
