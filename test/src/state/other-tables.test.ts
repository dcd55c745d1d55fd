import { AgentSessionTable } from "../../../src/state/agent-session-table";
import { AttemptTable } from "../../../src/state/attempt-table";
import { LeaseTable } from "../../../src/state/lease-table";
import { OfferingTable } from "../../../src/state/offering-table";
import { OrganizationTable } from "../../../src/state/organization-table";
import { deleteRow, findRow, insertRow, isStatus, replaceRow, toEntity, writeTogether } from "../../../src/state/rows";
import { useTable } from "../../support/azurite";
import { brokenTable } from "../../support/write-cut";
import {
  attemptRow,
  organizationRow,
  sampleOrganization,
  sessionRow,
  SUBSCRIPTION,
  T4_SPOT,
} from "../../support/sample-rows";

const table = useTable("Rows");

interface Case {
  readonly name: string;
  readonly insert: (marker: string) => Promise<string>;
  readonly read: () => Promise<{ value: object; etag: string } | undefined>;
  readonly replace: (before: { value: object; etag: string }, marker: string) => Promise<string>;
  readonly markerOf: (value: object) => unknown;
}

const cases: Case[] = [
  {
    name: "OrganizationTable",
    insert: (suffix) => new OrganizationTable(table()).insert(organizationRow({ suffix })),
    read: () => new OrganizationTable(table()).find("demo"),
    replace: ({ etag }, suffix) => {
      const row = organizationRow({ suffix });
      return new OrganizationTable(table()).replace({ value: row, etag }, row);
    },
    markerOf: (value) => "suffix" in value && value.suffix,
  },
  {
    name: "AttemptTable",
    insert: (machineId) => new AttemptTable(table()).insert(attemptRow({ machineId })),
    read: () => new AttemptTable(table()).find("demo", "j1", 1),
    replace: ({ etag }, machineId) => {
      const row = attemptRow({ machineId });
      return new AttemptTable(table()).replace({ value: row, etag }, row);
    },
    markerOf: (value) => "machineId" in value && value.machineId,
  },
  {
    name: "AgentSessionTable",
    insert: (vmId) => new AgentSessionTable(table()).insert(sessionRow({ vmId })),
    read: () => new AgentSessionTable(table()).find("demo", "m000000001"),
    replace: ({ etag }, vmId) => {
      const row = sessionRow({ vmId });
      return new AgentSessionTable(table()).replace({ value: row, etag }, row);
    },
    markerOf: (value) => "vmId" in value && value.vmId,
  },
  {
    name: "LeaseTable",
    insert: (holder) => new LeaseTable(table()).insertScheduler({ subscriptionId: "s1", epoch: 1, holder }),
    read: () => new LeaseTable(table()).findScheduler("s1"),
    replace: ({ etag }, holder) => {
      const row = { subscriptionId: "s1", epoch: 2, holder };
      return new LeaseTable(table()).replaceScheduler({ value: row, etag }, row);
    },
    markerOf: (value) => "holder" in value && value.holder,
  },
];

it.each(cases)(
  "$name inserts once and replaces only what was read last (F21 F22)",
  async ({ insert, read, replace, markerOf }) => {
    const inserted = [await insert("first"), await insert("second")];
    const before = await read();
    if (!before) throw new Error("nothing was stored");
    const replaced = [await replace(before, "third"), await replace(before, "fourth")];
    const after = await read();

    expect(inserted).toEqual(["inserted", "exists"]);
    expect(markerOf(before.value)).toBe("first");
    expect(replaced).toEqual(["replaced", "stale"]);
    expect(markerOf(after?.value ?? {})).toBe("third");
  },
);

it.each(cases)("$name finds nothing where nothing is", async ({ read }) => {
  expect(await read()).toBeUndefined();
});

it("calls a replace stale whose row is gone", async () => {
  const sessions = new AgentSessionTable(table());
  await sessions.insert(sessionRow());
  const before = await sessions.find("demo", "m000000001");
  await sessions.remove("demo", "m000000001");
  await sessions.remove("demo", "m000000001");

  expect(before && (await sessions.replace(before, before.value))).toBe("stale");
});

it("lists the attempts of a job in order, and of no other job", async () => {
  const attempts = new AttemptTable(table());
  for (const attempt of [10, 2, 1]) await attempts.insert(attemptRow({ attempt }));
  await attempts.insert(attemptRow({ jobId: "j1-more" }));
  await attempts.insert(attemptRow({ jobId: "j" }));
  await attempts.insert(attemptRow({ org: "demo2" }));

  expect((await attempts.listOf("demo", "j1")).map(({ attempt }) => attempt)).toEqual([1, 2, 10]);
  expect(await attempts.listAround("demo", ["j1", "j", "j1-more"])).toHaveLength(5);
});

it("lists the sessions of an organization by machine", async () => {
  const sessions = new AgentSessionTable(table());
  await sessions.insert(sessionRow());
  await sessions.insert(sessionRow({ org: "demo2", machineId: "m000000002" }));

  expect([...(await sessions.listOf("demo")).keys()]).toEqual(["m000000001"]);
});

it("lists all organizations", async () => {
  const organizations = new OrganizationTable(table());
  for (const org of ["demo", "demo2"])
    await organizations.insert(organizationRow({ settings: sampleOrganization({ org }) }));

  expect((await organizations.list()).map(({ org }) => org)).toEqual(["demo", "demo2"]);
});

it("remembers a refusal until its time is over, the newest one", async () => {
  const offerings = new OfferingTable(table());
  const now = new Date("2030-01-01T00:00:00Z");
  const listAt = async (ms: number, location = "westeurope") => {
    const rows = await offerings.listBlocked(SUBSCRIPTION, location, new Date(now.getTime() + ms));
    return rows.map(({ reason }) => reason);
  };
  await offerings.block(T4_SPOT, "first", new Date(now.getTime() + 1000));
  await offerings.block(T4_SPOT, "second", new Date(now.getTime() + 2000));

  expect(await listAt(1999)).toEqual(["second"]);
  expect(await listAt(2000)).toEqual([]);
  expect(await listAt(0, "northeurope")).toEqual([]);
});

it("throws what is neither a conflict nor a miss", async () => {
  const entity = toEntity("p", "bad/key", {});
  const gone = brokenTable(new Error("the connection was closed"));

  await expect(insertRow(table(), entity)).rejects.toThrow();
  await expect(findRow(gone, "p", "r")).rejects.toThrow("closed");
  await expect(replaceRow(gone, entity, "*")).rejects.toThrow("closed");
  await expect(deleteRow(gone, "p", "r")).rejects.toThrow("closed");
  await expect(writeTogether(gone, [["create", entity]])).rejects.toThrow("closed");
  expect(isStatus(new Error("no answer"), 404)).toBe(false);
});

it("shows the state of a row in a column of its own", () => {
  expect(toEntity("p", "r", { state: "Idle" })).toMatchObject({ state: "Idle", v: 1 });
  expect(toEntity("p", "r", { state: 7 })).not.toHaveProperty("state");
});
