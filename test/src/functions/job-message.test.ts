import { createJobMessage } from "../../../src/functions/job-message";
import { JobIntake } from "../../../src/intake/accept-job";
import { AuditLog } from "../../../src/intake/audit-trail";
import { RejectedMessages } from "../../../src/intake/reject-message";
import { specHashOf } from "../../../src/intake/spec-hash";
import { AuditTable } from "../../../src/state/audit-table";
import { JobTable } from "../../../src/state/job-table";
import { OrganizationTable } from "../../../src/state/organization-table";
import { useTable } from "../../support/azurite";
import { invocation, noClient } from "../../support/function-calls";
import { MemoryInstances } from "../../support/memory-instances";
import { organizationRow, sampleJob, SUBSCRIPTION } from "../../support/sample-rows";
import { brokenTable } from "../../support/write-cut";

const jobsTable = useTable("Jobs");
const organizationsTable = useTable("Organizations");
const auditTable = useTable("Audit");
const body = { org: "demo", jobId: "j1", image: "docker.io/library/node:24" };

interface Parked {
  readonly body: unknown;
  readonly messageId?: string;
  readonly applicationProperties?: Readonly<Record<string, string>>;
}

async function setUp(jobsClient = jobsTable(), { isAuditDown = false } = {}) {
  const auditRows = new AuditTable(auditTable());
  const organizations = new OrganizationTable(organizationsTable());
  await organizations.insert(organizationRow());
  const jobs = new JobTable(jobsClient);
  const instances = new MemoryInstances();
  const parked: Parked[] = [];
  const { handler } = createJobMessage({
    queueName: "jobs",
    intake: new JobIntake(jobs, organizations),
    rejected: new RejectedMessages({ send: (message) => Promise.resolve(void parked.push(message)) }),
    instances: () => instances,
    audit: new AuditLog([
      { append: (entry) => (isAuditDown ? Promise.reject(new Error("down")) : auditRows.append(entry)) },
    ]),
  });
  const deliver = (message: unknown, messageId = "m1") => handler(message, noClient, invocation({ messageId }));
  return { deliver, parked, jobs, instances, auditRows };
}

it("makes a job durable, starts its run once and has it placed, however often it comes (F1)", async () => {
  const { deliver, jobs, instances, parked } = await setUp();
  await deliver(body);
  await deliver(body, "m2");

  expect((await jobs.listAll("demo")).jobs).toHaveLength(1);
  expect(instances.started).toEqual([
    { orchestration: "runJob", instanceId: "job-demo-j1", input: { org: "demo", jobId: "j1" } },
    { orchestration: "scheduler", instanceId: `scheduler-${SUBSCRIPTION}`, input: { subscriptionId: SUBSCRIPTION } },
  ]);
  expect(parked).toEqual([]);
});

it("starts the run of a job whose pointer comes", async () => {
  const { deliver, jobs, instances } = await setUp();
  await deliver(body);
  const { length } = instances.started;
  await deliver({ org: "demo", jobId: "j1", specHash: specHashOf(sampleJob()) });

  expect(length).toBe(2);
  expect((await jobs.listAll("demo")).jobs).toHaveLength(1);
});

it("starts nothing for a job that is over", async () => {
  const { deliver, jobs } = await setUp();
  await deliver(body);
  const row = await jobs.find("demo", "j1");
  if (row) await jobs.replace(row, { ...row.value, state: "Succeeded" });
  const later = await setUp();

  await later.deliver(body);

  expect(later.instances.started).toEqual([]);
  expect(later.parked).toEqual([]);
});

it.each<[unknown, string, string]>([
  ["not json", "InvalidJob", "(body): must be a JSON object"],
  [[body], "InvalidJob", "(body): must be a JSON object"],
  [undefined, "InvalidJob", "(body): must be a JSON object"],
  [7, "InvalidJob", "(body): must be a JSON object"],
  [{ ...body, tags: { a: "x".repeat(65_536) } }, "InvalidJob", "(body): must be at most 65536 bytes"],
  [{ ...body, gpu: 1 }, "InvalidJob", "gpu: unknown field"],
  [{ ...body, retry: { failures: -1 } }, "InvalidJob", "retry.failures: "],
  [{ ...body, org: "nobody" }, "UnknownOrganization", "org: "],
  [{ ...body, image: "ghcr.io/a/b" }, "NotAllowed", "image: "],
  [{ org: "demo", jobId: "j9", specHash: "0".repeat(64) }, "UnknownJob", "jobId: "],
])("parks message %# with its reason and the name of the field (F7)", async (message, reason, description) => {
  const { deliver, parked, jobs, instances } = await setUp();

  await deliver(message);

  expect(parked).toHaveLength(1);
  expect(parked[0]?.applicationProperties?.["reason"]).toBe(reason);
  expect(parked[0]?.applicationProperties?.["description"]).toContain(description);
  expect((await jobs.listAll("demo")).jobs).toEqual([]);
  expect(instances.started).toEqual([]);
});

it("parks a second body under a known id, and the same message under the same id (F3)", async () => {
  const { deliver, parked } = await setUp();
  await deliver(body);
  await deliver({ ...body, priority: 1 }, "m2");
  await deliver({ ...body, priority: 1 }, "m2");

  expect(parked.map((each) => each.applicationProperties?.["reason"])).toEqual(["JobIdConflict", "JobIdConflict"]);
  expect(parked[0]?.messageId).toBe(parked[1]?.messageId);
});

it("throws what it did not expect, so that the message comes again (F8)", async () => {
  const { deliver, parked, instances } = await setUp(brokenTable(new Error("the table does not answer")));

  await expect(deliver(body)).rejects.toThrow("the table does not answer");
  expect(parked).toEqual([]);
  expect(instances.started).toEqual([]);
});

it("has a line in the audit before and after a job from the queue, the same for each delivery (E14)", async () => {
  const { deliver, auditRows } = await setUp();
  await deliver(body);
  const lines = (await auditRows.list("demo", { top: 10 })).values;

  expect(lines).toMatchObject([
    { phase: "intent", operation: "Corral/organizations/jobs/write", target: "/orgs/demo/jobs/j1" },
    { phase: "outcome", outcome: "succeeded" },
  ]);
});

it("takes no job from the queue while the audit cannot be written: the message comes again (T27)", async () => {
  const { deliver, jobs, parked } = await setUp(undefined, { isAuditDown: true });

  await expect(deliver(body)).rejects.toThrow("the audit cannot be written");
  expect((await jobs.listAll("demo")).jobs).toEqual([]);
  expect(parked).toEqual([]);
});
