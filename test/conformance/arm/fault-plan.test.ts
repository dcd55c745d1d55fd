import {
  type AzureFixture,
  computeOf,
  createEstate,
  eventually,
  fast,
  GROUP,
  GROUP_ID,
  LOCATION,
  rule,
  SPOT,
  startFixture,
  stopFixture,
  SUBSCRIPTION,
  vmSpec,
} from "../../local/azure/azure-fixture";
import { call, codeOf, type RawReply } from "../../local/azure/wire";
import { pathTo, routesOf, wireVm } from "./route-paths";

let fixture: AzureFixture;
beforeAll(async () => {
  fixture = await startFixture();
  await createEstate(fixture);
});
afterAll(() => stopFixture(fixture));
afterEach(() => fixture.faults.disarmAll());

const exactly = (operation: string): string => `^${operation.replaceAll(/[.$]/g, "\\$&")}$`;

const INJECTED = { status: 503, code: "Injected", message: "As the plan has it." };

it.each(["before", "after"] as const)(
  "lets the plan fail every operation %s it is done, in Azure's error shape (faults-and-invariants F26-F28)",
  async (stage) => {
    const all = await routesOf(fixture);
    const missed: string[] = [];
    for (const route of all) {
      const operation = exactly(route.operation);
      const id = fixture.faults.arm(
        rule({ operation, stage, times: 1, action: { kind: "fail", ...INJECTED, headers: { "Retry-After": "7" } } }),
      );
      const { method } = route;
      const reply = await call(fixture, {
        method,
        path: pathTo(route, (index) => `n${index}`),
        ...(/P/.test(method) ? { body: {} } : {}),
      });
      fixture.faults.disarm(id);
      const isAsPlanned =
        reply.status === 503 &&
        reply.headers["retry-after"] === "7" &&
        (method === "HEAD" || codeOf(reply) === "Injected");
      if (!isAsPlanned) missed.push(`${route.operation} at ${route.level}: ${reply.status} ${codeOf(reply) ?? ""}`);
    }

    expect(missed).toEqual([]);
    expect(all.length).toBeGreaterThan(80);
    // Operations themselves have no route of their own.
    fixture.faults.arm(rule({ operation: "^GET operations$", stage, action: { kind: "fail", ...INJECTED } }));
    const poll = `/subscriptions/${SUBSCRIPTION}/providers/Microsoft.Compute/locations/${LOCATION}/operations/x`;
    expect(codeOf(await call(fixture, { path: poll }))).toBe("Injected");
  },
  120_000,
);

const VMS = `${GROUP_ID}/providers/Microsoft.Compute/virtualMachines`;
const put = (path: string, body: object): Promise<RawReply> => call(fixture, { method: "PUT", path, body });
const post = (path: string): Promise<RawReply> => call(fixture, { method: "POST", path });
const remove = (path: string): Promise<RawReply> => call(fixture, { method: "DELETE", path });

/** A VM that runs, or that does not where its start is to fail. */
async function makeVm(name: string, isRunning = true): Promise<string> {
  const { virtualMachines } = computeOf(fixture);
  await virtualMachines.createOrUpdate(GROUP, name, vmSpec(name, SPOT), fast);
  if (!isRunning) await virtualMachines.deallocate(GROUP, name, fast);
  return `${VMS}/${name}`;
}

interface LongRunning {
  readonly operation: string;
  /** Makes what is needed, and answers what to ask then. */
  readonly prepare: () => Promise<() => Promise<RawReply>>;
}

const VM_TYPE = "Microsoft.Compute/virtualMachines";
const SIMPLE = [
  ["Microsoft.Compute/disks", { creationData: { createOption: "Empty" }, diskSizeGB: 4 }],
  ["Microsoft.Network/networkInterfaces", { ipConfigurations: [{ name: "one" }] }],
  ["Microsoft.Network/virtualNetworks", { addressSpace: { addressPrefixes: ["10.9.0.0/16"] } }],
] as const;
const OTHER = `/subscriptions/${SUBSCRIPTION}/resourceGroups/other`;

/** Every operation that goes on after its answer. */
const LONG_RUNNING: readonly LongRunning[] = [
  {
    operation: `PUT ${VM_TYPE}`,
    prepare: () => Promise.resolve(() => put(`${VMS}/vm-put`, wireVm(vmSpec("vm-put", SPOT)))),
  },
  {
    operation: `PATCH ${VM_TYPE}`,
    prepare: async () => {
      const path = await makeVm("vm-patch");
      return () => call(fixture, { method: "PATCH", path, body: { tags: { a: "b" } } });
    },
  },
  ...["restart", "powerOff", "deallocate", "start"].map((name) => ({
    operation: `POST ${VM_TYPE}/${name}`,
    prepare: async () => {
      const path = await makeVm(`vm-${name}`, name !== "start");
      return () => post(`${path}/${name}`);
    },
  })),
  {
    operation: `DELETE ${VM_TYPE}`,
    prepare: async () => {
      const path = await makeVm("vm-delete");
      return () => remove(path);
    },
  },
  ...SIMPLE.map(([type, properties]) => ({
    operation: `DELETE ${type}`,
    prepare: async () => {
      const path = `${GROUP_ID}/providers/${type}/thing`;
      await put(path, { location: LOCATION, properties });
      return () => remove(path);
    },
  })),
  {
    operation: "DELETE Microsoft.Resources/subscriptions/resourceGroups",
    prepare: async () => {
      await put(OTHER, { location: LOCATION });
      return () => remove(OTHER);
    },
  },
];

describe("an operation that goes on after its answer", () => {
  it.each(LONG_RUNNING)("fails by the plan: $operation (faults-and-invariants F28)", async ({ operation, prepare }) => {
    const begin = await prepare();
    const action = { kind: "fail", status: 500, code: "AllocationFailed", message: "No room." } as const;
    const id = fixture.faults.arm(rule({ operation: exactly(operation), stage: "operation", action }));
    const { status, headers } = await begin();
    const url = new URL(String(headers["azure-asyncoperation"] ?? headers["location"]));
    const poll = () => call(fixture, { path: `${url.pathname}?${url.searchParams.toString()}` });
    await eventually(async () => {
      const { status: now, body } = await poll();
      return now !== 202 && (body as { status?: string } | undefined)?.status !== "InProgress";
    });

    expect(fixture.faults.stateOf(id)?.hits).toBe(1);
    expect(status).toBeLessThan(300);
    expect(codeOf(await poll())).toBe("AllocationFailed");
  });

  it("spares a VM whose eviction the plan lets fail (local: fault plan)", async () => {
    await makeVm("vm-spared");
    const { virtualMachines } = computeOf(fixture);
    const action = { kind: "fail", status: 500, code: "Spared", message: "Not today." } as const;
    const id = fixture.faults.arm(rule({ operation: "^evict ", stage: "operation", action }));
    await virtualMachines.simulateEviction(GROUP, "vm-spared");
    await fixture.faults.waitForHits(id, 1);

    expect((await virtualMachines.get(GROUP, "vm-spared")).provisioningState).toBe("Succeeded");
  });
});
