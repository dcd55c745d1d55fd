import { JobTable } from "../../../src/state/job-table";
import { useTable } from "../../support/azurite";
import { jobRow, sampleJob } from "../../support/sample-rows";

const table = useTable("Jobs");
const jobs = () => new JobTable(table());

async function stored(jobId = "j1") {
  const row = await jobs().find("demo", jobId);
  if (!row) throw new Error(`no row of ${jobId}`);
  return row;
}

const indexOf = async (org = "demo") => (await jobs().listLive(org)).map(({ jobId, state }) => `${jobId} ${state}`);

it("inserts a job once, with its index row", async () => {
  expect(await jobs().insert(jobRow())).toBe("inserted");
  expect(await jobs().insert(jobRow({ createdBy: "another" }))).toBe("exists");
  expect((await stored()).value).toEqual(jobRow({ ...(await stored()).value, createdBy: "test" }));
  expect(await indexOf()).toEqual(["j1 Queued"]);
});

it("finds nothing where nothing is", async () => {
  expect(await jobs().find("demo", "j1")).toBeUndefined();
});

it("replaces a row only for the one who read it last (F21)", async () => {
  await jobs().insert(jobRow());
  const [first, second] = [await stored(), await stored()];

  expect(await jobs().replace(first, { ...first.value, state: "Placing", machineId: "m1" })).toBe("replaced");
  expect(await jobs().replace(second, { ...second.value, state: "Cancelled" })).toBe("stale");
  expect((await stored()).value.state).toBe("Placing");
  expect(await indexOf()).toEqual(["j1 Placing"]);
});

it("keeps the index in step with each state, and drops the row at the end (I1)", async () => {
  await jobs().insert(jobRow());
  const seen: string[][] = [];
  for (const state of ["Placing", "Starting", "Running", "Queued", "Failed"] as const) {
    const before = await stored();
    await jobs().replace(before, { ...before.value, state });
    seen.push(await indexOf());
  }

  expect(seen).toEqual([["j1 Placing"], ["j1 Starting"], ["j1 Running"], ["j1 Queued"], []]);
  expect(await jobs().listAll("demo")).toMatchObject({ jobs: [{ state: "Failed" }], live: [] });
});

it.each(["Succeeded", "Failed", "Cancelled", "Expired"] as const)(
  "never changes a job that is %s (I1)",
  async (state) => {
    await jobs().insert(jobRow());
    const before = await stored();
    await jobs().replace(before, { ...before.value, state });
    const ended = await stored();

    expect(await jobs().replace(ended, { ...ended.value, state: "Queued" })).toBe("stale");
    expect(await stored()).toEqual(ended);
    expect(await indexOf()).toEqual([]);
  },
);

it("keeps a job with 60 KB of environment, character for character", async () => {
  const spec = sampleJob({ env: { A: "x".repeat(30_000), B: "\u{1f680}\u{e4}\\\"'".repeat(2_500) } });
  await jobs().insert(jobRow({ spec }));
  const before = await stored();
  await jobs().replace(before, { ...before.value, state: "Placing" });

  expect((await stored()).value.spec).toEqual(spec);
});

it("cuts a long document between characters, never within one", async () => {
  for (const shift of ["", "a"]) {
    const spec = sampleJob({ jobId: `j${shift}`, env: { A: shift + "\u{1f680}".repeat(16_000) } });
    await jobs().insert(jobRow({ spec, jobId: spec.jobId }));
  }
  const columns: string[] = [];
  for await (const row of table().listEntities())
    columns.push(...Object.values(row).filter((value): value is string => typeof value === "string"));

  expect(columns.filter((column) => column.length > 20_000).length).toBeGreaterThanOrEqual(2);
  expect(columns.filter((column) => !column.isWellFormed())).toHaveLength(0);
  expect((await stored("ja")).value.spec.env).toEqual({ A: `a${"\u{1f680}".repeat(16_000)}` });
});

it("keeps organizations apart whose names begin alike", async () => {
  for (const org of ["demo", "demo2"]) await jobs().insert(jobRow({ org, spec: sampleJob({ org }) }));
  await jobs().insert(jobRow({ jobId: "j1-more" }));

  expect(await indexOf("demo")).toEqual(["j1 Queued", "j1-more Queued"]);
  expect(await indexOf("demo2")).toEqual(["j1 Queued"]);
  expect((await jobs().listAll("demo2")).jobs).toHaveLength(1);
});

it("writes a job and its index row together or not at all", async () => {
  await jobs().insert(jobRow());
  const before = await stored();
  await table().deleteEntity("demo", "live:j1");

  const attempt = jobs().replace(before, { ...before.value, state: "Succeeded" });

  expect(await attempt).toBe("stale");
  expect((await stored()).value.state).toBe("Queued");
});

it("lists more rows than one page of the service holds", async () => {
  const many = Array.from({ length: 40 }, (_, batch) =>
    Array.from({ length: 26 }, (__, index) => jobRow({ jobId: `j${batch}-${index}` })),
  );
  for (const batch of many) await Promise.all(batch.map((row) => jobs().insert(row)));

  expect(await jobs().listLive("demo")).toHaveLength(1040);
});
