import { createHash } from "node:crypto";
import { machineTagsOf } from "../../../src/domain/estate-names";
import {
  ago,
  idleMachine,
  jobRow,
  machineRow,
  organizationRow,
  SUBSCRIPTION,
  T4_SPOT,
} from "../../support/sample-rows";
import { useWorld, type World } from "../../support/world";

const world = useWorld();
const ref = { org: "demo", machineId: "m000000001" };
const vmName = "vm-demo-m000000001";
const refusal = {
  kind: "refused",
  failure: { kind: "capacity", code: "SkuNotAvailable", message: "not here", blockSeconds: 300 },
} as const;

async function setUp(): Promise<World> {
  await world().organizations.insert(organizationRow());
  await world().machines.insert(machineRow());
  return world();
}

const create = (w: World) => w.machine.createVm(ref, w.instances);
const row = async (w: World) => (await w.machines.find("demo", ref.machineId))?.value;

/** SHA-256 of the nonce in the custom data of the VM that is there. */
function nonceHashOfVm(w: World): string {
  const script = w.vms.vms.get(vmName)?.spec?.customData ?? "";
  const json = script.split("\n").find((line) => line.startsWith("{")) ?? "{}";
  // The boot script's own line of settings.
  const { bootNonce } = JSON.parse(json) as { bootNonce: string };
  return createHash("sha256").update(bootNonce).digest("hex");
}

it("sends one PUT with names, tags and place of the machine, and remembers that it did", async () => {
  const w = await setUp();

  const progress = await create(w);

  const group = `/subscriptions/${SUBSCRIPTION}/resourceGroups/corral-demo`;
  expect(progress.state).toBe("Creating");
  expect(progress.checkInSeconds).toBeGreaterThan(480);
  expect(w.vms.sent).toMatchObject([
    {
      resourceGroup: "corral-demo",
      vmName,
      osDiskName: "osdisk-demo-m000000001",
      nicName: "nic-demo-m000000001",
      subnetId: `${group}/providers/Microsoft.Network/virtualNetworks/vnet-westeurope/subnets/machines`,
      identityIds: [`${group}/providers/Microsoft.ManagedIdentity/userAssignedIdentities/id-machines`],
      tags: machineTagsOf("test", "demo", ref.machineId),
      capacity: "spot",
    },
  ]);
  expect((await row(w))?.putSentAt).toBeDefined();
  expect((await row(w))?.nonceHash).toBe(nonceHashOfVm(w));
});

it("keeps the nonce out of the row (I9)", async () => {
  const w = await setUp();
  await create(w);
  const nonce = /"bootNonce":"([^"]+)"/.exec(w.vms.sent[0]?.customData ?? "")?.[1] ?? "none";

  expect(nonce.length).toBeGreaterThanOrEqual(32);
  expect(JSON.stringify(await row(w))).not.toContain(nonce);
});

it("sends nothing when it is run again (F12)", async () => {
  const w = await setUp();
  await create(w);
  await create(w);

  expect(w.vms.sent).toHaveLength(1);
});

it("adopts the VM of a run that died after the PUT, with that run's nonce (F12 F27)", async () => {
  const w = await setUp();
  w.vms.interfere = (stage) => {
    if (stage === "after") throw new Error("the reply was lost");
  };
  await expect(create(w)).rejects.toThrow("the reply was lost");
  w.vms.interfere = () => undefined;

  const progress = await create(w);

  expect(progress.state).toBe("Creating");
  expect(w.vms.sent).toHaveLength(1);
  expect(await row(w)).toMatchObject({ nonceHash: nonceHashOfVm(w), putSentAt: expect.any(String) as string });
});

it.each([0, 1, 2, 3, 4])(
  "makes one VM whose nonce is the row's when it dies at write %i and is run again (F11 F12)",
  async (passing) => {
    const w = await setUp();
    w.cut.arm(passing);
    const first = await create(w).catch((error: unknown) => error);
    w.cut.disarm();

    await create(w);

    expect(first instanceof Error).toBe(passing < 4);
    expect([...w.vms.vms.keys()]).toEqual([vmName]);
    expect(await row(w)).toMatchObject({ nonceHash: nonceHashOfVm(w), putSentAt: expect.any(String) as string });
  },
);

it("makes one VM whose nonce is the row's when it runs many times at once (F13)", async () => {
  const w = await setUp();

  await Promise.allSettled(Array.from({ length: 5 }, () => create(w)));
  await create(w);

  expect([...w.vms.vms.keys()]).toEqual([vmName]);
  expect((await row(w))?.nonceHash).toBe(nonceHashOfVm(w));
});

it.each(["before", "after"] as const)(
  "agrees with a second run that passes it while Azure holds its PUT %s it is done (F13)",
  async (stage) => {
    const w = await setUp();
    const arrived = Promise.withResolvers<undefined>();
    const released = Promise.withResolvers<undefined>();
    let isFirst = true;
    w.vms.interfere = async (at) => {
      if (at !== stage || !isFirst) return;
      isFirst = false;
      arrived.resolve(undefined);
      await released.promise;
    };
    const slow = create(w);
    await arrived.promise;
    await create(w);
    released.resolve(undefined);
    await slow;

    expect([...w.vms.vms.keys()]).toEqual([vmName]);
    expect(await row(w)).toMatchObject({ nonceHash: nonceHashOfVm(w), putSentAt: expect.any(String) as string });
  },
);

it.each([
  [0, 1],
  [1, 0],
])(
  "keeps the nonce of the PUT that Azure took, of two that arrive before either is done: first %i (F13)",
  async (...order) => {
    const w = await setUp();
    const arrivals = [Promise.withResolvers<undefined>(), Promise.withResolvers<undefined>()];
    const releases = [Promise.withResolvers<undefined>(), Promise.withResolvers<undefined>()];
    let count = 0;
    w.vms.interfere = async (stage) => {
      if (stage !== "before") return;
      const mine = (count += 1) - 1;
      arrivals[mine]?.resolve(undefined);
      await releases[mine]?.promise;
    };
    const runs: Promise<unknown>[] = [];
    for (const arrival of arrivals) {
      runs.push(create(w));
      await arrival.promise;
    }
    for (const next of order) {
      releases[next]?.resolve(undefined);
      await runs[next];
    }

    expect(w.vms.sent).toHaveLength(2);
    expect([...w.vms.vms.keys()]).toEqual([vmName]);
    expect((await row(w))?.nonceHash).toBe(nonceHashOfVm(w));
  },
);

it("gives a refused machine up, blocks the offering and wakes who waits for it (F32)", async () => {
  const w = await setUp();
  await w.jobs.insert(jobRow({ state: "Placing", attempt: 1, machineId: ref.machineId }));
  await w.jobs.insert(jobRow({ jobId: "j2", state: "Placing", attempt: 1, machineId: "m000000002" }));
  w.vms.refusal = refusal;

  const progress = await create(w);

  expect(progress.state).toBe("Failed");
  expect(await row(w)).toMatchObject({
    state: "Failed",
    failure: { kind: "capacity", reason: "SkuNotAvailable: not here" },
  });
  expect((await row(w))?.putSentAt).toBeUndefined();
  expect(await w.offerings.listBlocked(SUBSCRIPTION, "westeurope", new Date())).toMatchObject([
    { vmSize: T4_SPOT.vmSize, capacity: "spot", reason: "SkuNotAvailable: not here" },
  ]);
  expect(w.instances.woken).toEqual(["job-demo-j1", "machine-demo-m000000001", `scheduler-${SUBSCRIPTION}`]);
});

it("never adopts a VM of that name that is not Corral's (F31)", async () => {
  const w = await setUp();
  const foreign = { tags: { owner: "someone" }, resourceGroup: "corral-demo", status: {} };
  w.vms.vms.set(vmName, foreign);

  const progress = await create(w);

  expect(progress.state).toBe("Failed");
  expect(w.vms.vms.get(vmName)).toBe(foreign);
  expect(w.vms.deletions).toEqual([]);
});

it.each(["Idle", "Leased", "Draining", "Failed"] as const)("sends no PUT for a machine that is %s", async (state) => {
  const w = await setUp();
  await w.machines.insert(idleMachine({ machineId: "m000000002", state }));

  await w.machine.createVm({ org: "demo", machineId: "m000000002" }, w.instances);

  expect(w.vms.sent).toEqual([]);
});

it("gives up a machine that did not come up, once", async () => {
  const w = await setUp();
  const fail = () => w.machine.failMachine({ ...ref, reason: "too late" }, w.instances);
  const first = await fail();
  const failed = await row(w);
  const second = await fail();

  expect([first.state, second.state]).toEqual(["Failed", "Failed"]);
  expect(failed).toMatchObject({ failure: { kind: "boot", reason: "too late" } });
  expect(await row(w)).toEqual(failed);
});

it.each(["Idle", "Leased"] as const)("does not give up a machine that came up in the meantime: %s", async (state) => {
  const w = await setUp();
  const before = await w.machines.find("demo", ref.machineId);
  if (before) await w.machines.replace(before, idleMachine({ state }));

  const progress = await w.machine.failMachine({ ...ref, reason: "too late" }, w.instances);

  expect(progress.state).toBe(state);
  expect((await row(w))?.failure).toBeUndefined();
});

it.each([
  [() => machineRow({ createdAt: ago(500) }), 100],
  [() => machineRow({ createdAt: ago(700) }), 0],
  [() => machineRow({ state: "Booting", createdAt: ago(700) }), 800],
  [() => idleMachine(), 900],
  [() => idleMachine({ state: "Deleting" }), 10],
])("says when to look again: case %#", async (newRow, seconds) => {
  const w = await setUp();
  const before = await w.machines.find("demo", ref.machineId);
  const machine = newRow();
  if (before) await w.machines.replace(before, machine);

  const progress = await w.machine.readMachine(ref);

  expect(progress.state).toBe(machine.state);
  expect(progress.checkInSeconds).toBeGreaterThan(seconds - 60);
  expect(progress.checkInSeconds).toBeLessThanOrEqual(seconds);
});

it("takes a machine without a row for deleted", async () => {
  const w = await setUp();

  expect(await w.machine.readMachine({ org: "demo", machineId: "m999999999" })).toEqual({
    state: "Deleted",
    checkInSeconds: 0,
  });
});
