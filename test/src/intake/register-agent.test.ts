import type { RegisterRequest } from "../../../src/contract/agent";
import {
  AgentRegistry,
  hashOfSecret,
  matchesHash,
  type Registration,
  useSession,
} from "../../../src/intake/register-agent";
import { AgentSessionTable } from "../../../src/state/agent-session-table";
import { type MachineRow, MachineTable } from "../../../src/state/machine-table";
import { useTable } from "../../support/azurite";
import { idleMachine, machineRow } from "../../support/sample-rows";

const machinesTable = useTable("Machines");
const sessionsTable = useTable("AgentSessions");
const ref = { org: "demo", machineId: "m000000001" };
const nonceHash = hashOfSecret("the-nonce");

async function setUp(machine: Partial<MachineRow> = {}) {
  const machines = new MachineTable(machinesTable());
  const sessions = new AgentSessionTable(sessionsTable());
  await machines.insert(machineRow({ nonceHash, ...machine }));
  const registry = new AgentRegistry(machines, sessions);
  const register = (fields: Partial<RegisterRequest>) =>
    registry.register({ ...ref, vmId: "vm", agentVersion: "1", ...fields });
  const machineNow = async () => (await machines.find(ref.org, ref.machineId))?.value;
  return { machines, sessions, register, machineNow };
}

/** The registration that was granted; a refusal fails the test. */
function granted(registration: Registration) {
  if (registration.outcome === "refused") throw new Error(`refused: ${registration.code}`);
  return registration;
}

it.each(["Creating", "Booting"] as const)(
  "lets the first boot of a machine in %s in by its nonce, and makes it Idle",
  async (state) => {
    const { register, machineNow } = await setUp({ state });

    const { bootId, session } = granted(await register({ bootNonce: "the-nonce" }));

    expect(session.length).toBeGreaterThanOrEqual(40);
    expect(await machineNow()).toMatchObject({ state: "Idle", bootId });
    expect(JSON.stringify(await machineNow())).not.toContain(session);
  },
);

it.each([
  [{ bootNonce: "another" }, "BootNonceRefused"],
  [{}, "BootNonceRefused"],
  [{ session: "made-up" }, "SessionRefused"],
  [{ bootNonce: "the-nonce", machineId: "m999999999" }, "MachineUnknown"],
  [{ bootNonce: "the-nonce", org: "other" }, "MachineUnknown"],
])("refuses %j with %s", async (fields, code) => {
  const { register, machineNow } = await setUp();

  expect(await register(fields)).toEqual({ outcome: "refused", code });
  expect((await machineNow())?.state).toBe("Creating");
});

it("takes a nonce once: after its session was used it is worth nothing (F43)", async () => {
  const { register, sessions } = await setUp();
  const { bootId, session } = granted(await register({ bootNonce: "the-nonce" }));
  await useSession(sessions, { ...ref, session });

  const again = await register({ bootNonce: "the-nonce" });

  expect(again).toEqual({ outcome: "refused", code: "BootNonceRefused" });
  expect((await useSession(sessions, { ...ref, session }))?.value.bootId).toBe(bootId);
});

it("gives the same boot a new session when the first reply was lost", async () => {
  const { register, sessions, machineNow } = await setUp();
  const lost = granted(await register({ bootNonce: "the-nonce" }));
  const heard = granted(await register({ bootNonce: "the-nonce" }));

  expect(heard.bootId).toBe(lost.bootId);
  expect(heard.session).not.toBe(lost.session);
  expect(await useSession(sessions, { ...ref, session: lost.session })).toBeUndefined();
  expect(await machineNow()).toMatchObject({ state: "Idle", bootId: heard.bootId });
});

it("renews the session of a restarted agent, keeps its boot and its lease, and ends the old session", async () => {
  const { register, sessions, machines, machineNow } = await setUp();
  const { bootId, session } = granted(await register({ bootNonce: "the-nonce" }));
  await useSession(sessions, { ...ref, session });
  const lease = { jobId: "j1", attempt: 1, bootId };
  const before = await machines.find(ref.org, ref.machineId);
  if (before) await machines.replace(before, { ...before.value, state: "Leased", lease });

  const renewed = granted(await register({ session, bootId }));
  await useSession(sessions, { ...ref, session: renewed.session });

  expect(renewed).toMatchObject({ bootId });
  expect(renewed.lostJobId).toBeUndefined();
  expect(await machineNow()).toMatchObject({ state: "Leased", lease });
  expect(await register({ session, bootId })).toMatchObject({ code: "SessionRefused" });
});

it("lets an agent renew again and again as long as every reply is lost", async () => {
  const { register, sessions } = await setUp();
  const { bootId, session } = granted(await register({ bootNonce: "the-nonce" }));
  await useSession(sessions, { ...ref, session });
  await register({ session, bootId });
  await register({ session, bootId });

  const heard = granted(await register({ session, bootId }));

  expect(heard.bootId).toBe(bootId);
  expect(await useSession(sessions, { ...ref, session: heard.session })).toBeDefined();
  expect(await register({ session, bootId })).toMatchObject({ code: "SessionRefused" });
});

it.each([undefined, "boot-of-before"])(
  "takes an agent that says boot %s for a reboot: a new boot id, and the lease is void (I2)",
  async (said) => {
    const { register, sessions, machines, machineNow } = await setUp();
    const { bootId, session } = granted(await register({ bootNonce: "the-nonce" }));
    await useSession(sessions, { ...ref, session });
    const before = await machines.find(ref.org, ref.machineId);
    if (before)
      await machines.replace(before, { ...before.value, state: "Leased", lease: { jobId: "j1", attempt: 1, bootId } });

    const rebooted = granted(await register({ session, ...(said !== undefined && { bootId: said }) }));

    expect(rebooted).toMatchObject({ lostJobId: "j1" });
    expect(rebooted.bootId).not.toBe(bootId);
    expect(await machineNow()).toMatchObject({ state: "Idle", bootId: rebooted.bootId });
    expect((await machineNow())?.lease).toBeUndefined();
  },
);

it.each(["Draining", "Deleting", "Deleted", "Failed", "Evicted"] as const)(
  "lets nobody into a machine that is %s (F35 F42)",
  async (state) => {
    const { register, sessions, machineNow } = await setUp(idleMachine({ state, nonceHash }));

    expect(await register({ bootNonce: "the-nonce" })).toEqual({ outcome: "refused", code: "MachineGone" });
    expect((await machineNow())?.state).toBe(state);
    expect(await sessions.find(ref.org, ref.machineId)).toBeUndefined();
  },
);

it("lets one in of two that show the nonce at the same time; the other is told to try again (F43)", async () => {
  const { register, machineNow } = await setUp();

  const answers = await Promise.allSettled([
    register({ bootNonce: "the-nonce" }),
    register({ bootNonce: "the-nonce" }),
  ]);

  expect(answers.filter(({ status }) => status === "fulfilled").length).toBeGreaterThanOrEqual(1);
  expect((await machineNow())?.state).toBe("Idle");
});

it("completes a registration that was cut off before the machine's row was written", async () => {
  const { register, sessions, machineNow } = await setUp();
  const { bootId } = granted(await register({ bootNonce: "the-nonce" }));
  const machines = new MachineTable(machinesTable());
  const row = await machines.find(ref.org, ref.machineId);
  if (row) await machines.replace(row, machineRow({ nonceHash }));

  const again = granted(await register({ bootNonce: "the-nonce" }));

  expect(again.bootId).toBe(bootId);
  expect(await machineNow()).toMatchObject({ state: "Idle", bootId });
  expect((await sessions.find(ref.org, ref.machineId))?.value.bootId).toBe(bootId);
});

it("compares secrets by their hash, and matches nothing where there is none", () => {
  expect(matchesHash("the-nonce", nonceHash)).toBe(true);
  expect(matchesHash("the-nonce2", nonceHash)).toBe(false);
  expect(matchesHash("", undefined)).toBe(false);
});
