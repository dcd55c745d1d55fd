import { MachineTable } from "../../../src/state/machine-table";
import { useTable } from "../../support/azurite";
import { machineRow } from "../../support/sample-rows";
import { WriteCut } from "../../support/write-cut";

const table = useTable("Machines");
const machines = () => new MachineTable(table());
const machineId = "m000000001";

async function stored() {
  const row = await machines().find("demo", machineId);
  if (!row) throw new Error("no row");
  return row;
}

async function moveToDeleted(through = machines()) {
  const before = await stored();
  return through.replace(before, { ...before.value, state: "Deleted" });
}

const liveIds = async (org = "demo") => (await machines().listLive(org)).map(({ value }) => value.machineId);
const endedIds = async (org = "demo") => (await machines().listEnded(org)).map((row) => row.machineId);

it("inserts a machine once", async () => {
  expect(await machines().insert(machineRow())).toBe("inserted");
  expect(await machines().insert(machineRow({ state: "Idle" }))).toBe("exists");
  expect((await stored()).value).toMatchObject({ machineId, state: "Creating" });
});

it("replaces a row only for the one who read it last: lease and drain cannot both win (I2 I4 F59)", async () => {
  await machines().insert(machineRow({ state: "Idle" }));
  const [scheduler, cleanup] = [await stored(), await stored()];

  const outcomes = await Promise.all([
    machines().replace(scheduler, { ...scheduler.value, state: "Leased" }),
    machines().replace(cleanup, { ...cleanup.value, state: "Draining" }),
  ]);

  expect([...outcomes].sort()).toEqual(["replaced", "stale"]);
});

it("moves a deleted machine from the live ones to the ended ones", async () => {
  await machines().insert(machineRow());

  expect(await moveToDeleted()).toBe("replaced");
  expect(await liveIds()).toEqual([]);
  expect(await endedIds()).toEqual([machineId]);
  expect((await stored()).value.state).toBe("Deleted");
});

it("does not move a machine that somebody changed meanwhile", async () => {
  await machines().insert(machineRow());
  const before = await stored();
  await machines().replace(before, { ...before.value, state: "Idle" });

  expect(await machines().replace(before, { ...before.value, state: "Deleted" })).toBe("stale");
  expect(await liveIds()).toEqual([machineId]);
  expect(await endedIds()).toEqual([]);
});

it("changes a deleted machine no more", async () => {
  await machines().insert(machineRow());
  await moveToDeleted();
  const ended = await stored();

  expect(await machines().replace(ended, { ...ended.value, state: "Idle" })).toBe("stale");
  expect((await stored()).value.state).toBe("Deleted");
});

it("changes a machine no more whose move was cut off after it was called deleted", async () => {
  await machines().insert(machineRow());
  const cut = new WriteCut();
  cut.arm(1);
  await moveToDeleted(new MachineTable(cut.watch(table()))).catch(() => undefined);
  const ended = await stored();

  expect(await machines().replace(ended, { ...ended.value, state: "Idle" })).toBe("stale");
  expect(await liveIds()).toEqual([]);
});

it("counts a machine as ended whose move was cut off before the last write", async () => {
  await machines().insert(machineRow());
  const cut = new WriteCut();
  cut.arm(1);

  await expect(moveToDeleted(new MachineTable(cut.watch(table())))).rejects.toThrow("cut");

  expect(await liveIds()).toEqual([]);
  expect(await endedIds()).toEqual([machineId]);
  expect((await stored()).value.state).toBe("Deleted");
});

it("keeps organizations apart whose names begin alike", async () => {
  await machines().insert(machineRow());
  await machines().insert(machineRow({ org: "demo2", machineId: "m000000002" }));

  expect(await liveIds("demo")).toEqual([machineId]);
  expect(await liveIds("demo2")).toEqual(["m000000002"]);
  expect(await machines().find("demo", "m000000002")).toBeUndefined();
});
