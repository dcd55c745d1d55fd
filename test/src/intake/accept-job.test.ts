import { JobIntake, type Submission } from "../../../src/intake/accept-job";
import { JobAnnouncer } from "../../../src/intake/announce-job";
import { JobCancellation } from "../../../src/intake/cancel-job";
import { RejectedMessages } from "../../../src/intake/reject-message";
import { specHashOf } from "../../../src/intake/spec-hash";
import { JobTable } from "../../../src/state/job-table";
import { OrganizationTable } from "../../../src/state/organization-table";
import { useTable } from "../../support/azurite";
import { jobRow, organizationRow, sampleJob, sampleOrganization } from "../../support/sample-rows";

const jobsTable = useTable("Jobs");
const organizationsTable = useTable("Organizations");
const queue: Submission = { way: "queue", createdBy: "queue" };
const http: Submission = { way: "http", createdBy: "someone" };

async function setUp(settings: object = {}) {
  const jobs = new JobTable(jobsTable());
  const organizations = new OrganizationTable(organizationsTable());
  await organizations.insert(organizationRow({ settings: sampleOrganization(settings) }));
  return { jobs, organizations, intake: new JobIntake(jobs, organizations) };
}

it("makes a job durable before it says accepted, and knows it the second time (F1 F2 I1)", async () => {
  const { jobs, intake } = await setUp();
  const first = await intake.accept(sampleJob(), queue);
  const stored = await jobs.find("demo", "j1");
  const second = await intake.accept(sampleJob(), http);

  expect(first).toMatchObject({ outcome: "accepted", ended: false });
  expect(stored?.value).toMatchObject({
    state: "Queued",
    attempt: 0,
    createdBy: "queue",
    specHash: specHashOf(sampleJob()),
  });
  expect(second).toMatchObject({ outcome: "known", ended: false, job: { createdBy: "queue" } });
});

it("refuses another body under the same id, and keeps the first (F3)", async () => {
  const { jobs, intake } = await setUp();
  await intake.accept(sampleJob(), queue);

  const conflict = await intake.accept(sampleJob({ priority: 1 }), queue);

  expect(conflict).toMatchObject({ outcome: "refused", refusal: { reason: "JobIdConflict" } });
  expect((await jobs.find("demo", "j1"))?.value.spec.priority).toBe(0);
});

it("accepts once what comes twenty times at once (F1 F13)", async () => {
  const { jobs, intake } = await setUp();

  const answers = await Promise.all(Array.from({ length: 20 }, () => intake.accept(sampleJob(), queue)));

  expect(answers.filter(({ outcome }) => outcome === "accepted")).toHaveLength(1);
  expect(answers.filter(({ outcome }) => outcome === "known")).toHaveLength(19);
  expect((await jobs.listAll("demo")).jobs).toHaveLength(1);
});

it.each<[string, object, object, Submission]>([
  ["UnknownOrganization", {}, { org: "other" }, queue],
  ["NotAllowed", { queueSubmission: false }, {}, queue],
  ["NotAllowed", {}, { image: "ghcr.io/a/b" }, http],
])("refuses with %s: organization %j, job %j", async (...[reason, settings, job, submission]) => {
  const { jobs, intake } = await setUp(settings);

  const answer = await intake.accept(sampleJob(job), submission);

  expect(answer).toMatchObject({ outcome: "refused", refusal: { reason } });
  expect((await jobs.listAll("demo")).jobs).toEqual([]);
});

it("takes a whole job by HTTP where the queue is not trusted", async () => {
  const { intake } = await setUp({ queueSubmission: false });

  expect(await intake.accept(sampleJob(), http)).toMatchObject({ outcome: "accepted" });
});

it("still knows a job that it would not accept today", async () => {
  const { jobs, organizations, intake } = await setUp();
  await intake.accept(sampleJob(), queue);
  const before = await organizations.find("demo");
  if (before)
    await organizations.replace(before, { ...before.value, settings: sampleOrganization({ registries: ["ghcr.io"] }) });

  const again = await intake.accept(sampleJob(), queue);
  const fresh = await intake.accept(sampleJob({ jobId: "j2" }), queue);

  expect(again).toMatchObject({ outcome: "known" });
  expect(fresh).toMatchObject({ outcome: "refused", refusal: { reason: "NotAllowed" } });
  expect((await jobs.listAll("demo")).jobs).toHaveLength(1);
});

it("says of a job that is over that it has ended", async () => {
  const { jobs, intake } = await setUp();
  await jobs.insert(jobRow());
  const row = await jobs.find("demo", "j1");
  if (row) await jobs.replace(row, { ...row.value, state: "Succeeded" });

  expect(await intake.accept(sampleJob(), queue)).toMatchObject({ outcome: "known", ended: true });
});

it("follows a pointer to the row, and refuses one that leads nowhere or to another body", async () => {
  const { intake } = await setUp({ queueSubmission: false });
  await intake.accept(sampleJob(), http);
  const pointer = { org: "demo", jobId: "j1", specHash: specHashOf(sampleJob()) };
  const reasonOf = async (fields: object) => {
    const answer = await intake.acceptPointer({ ...pointer, ...fields });
    return answer.outcome === "refused" ? answer.refusal.reason : answer.outcome;
  };

  expect(await reasonOf({})).toBe("known");
  expect(await reasonOf({ jobId: "j2" })).toBe("UnknownJob");
  expect(await reasonOf({ org: "other" })).toBe("UnknownOrganization");
  expect(await reasonOf({ specHash: "0".repeat(64) })).toBe("JobIdConflict");
});

it("gives the same pointer the same message id, so that the queue keeps one", async () => {
  const sent: { messageId: string }[] = [];
  const announcer = new JobAnnouncer({ send: (message) => Promise.resolve(void sent.push(message)) });
  await announcer.announce(jobRow());
  await announcer.announce(jobRow({ state: "Running" }));
  await announcer.announce(jobRow({ jobId: "j2" }));
  const ids = sent.map(({ messageId }) => messageId);

  expect(sent[0]).toMatchObject({ body: { org: "demo", jobId: "j1", specHash: jobRow().specHash } });
  expect(ids[0]).toBe(ids[1]);
  expect(ids[0]).not.toBe(ids[2]);
});

it("parks the same message under the same id, with its reason and a short description (F7)", async () => {
  const sent: { messageId?: string; applicationProperties?: Readonly<Record<string, string>> }[] = [];
  const rejected = new RejectedMessages({ send: (message) => Promise.resolve(void sent.push(message)) });
  const refusal = { reason: "InvalidJob", description: "x".repeat(5000) } as const;
  await rejected.park({ a: 1 }, refusal, "m1");
  await rejected.park({ a: 1 }, refusal, "m1");
  await rejected.park({ a: 1 }, refusal, "m2");
  await rejected.park({ a: 2 }, refusal, "m1");
  const ids = sent.map(({ messageId }) => messageId);

  expect(ids[0]).toBe(ids[1]);
  expect(new Set(ids).size).toBe(3);
  expect(sent[0]?.applicationProperties).toEqual({ reason: "InvalidJob", description: "x".repeat(1024) });
});

it("notes a cancellation once and for all, until the job is over", async () => {
  const { jobs } = await setUp();
  const cancellation = new JobCancellation(jobs);
  await jobs.insert(jobRow({ state: "Running" }));

  const unknown = await cancellation.request("demo", "j9");
  const [first, second] = [await cancellation.request("demo", "j1"), await cancellation.request("demo", "j1")];
  const row = await jobs.find("demo", "j1");
  if (row) await jobs.replace(row, { ...row.value, state: "Failed" });
  const late = await cancellation.request("demo", "j1");

  expect(unknown).toEqual({ outcome: "unknown" });
  expect(first).toMatchObject({ outcome: "requested", job: { cancelRequested: true } });
  expect(second).toMatchObject({ outcome: "requested" });
  expect(late).toMatchObject({ outcome: "terminal", job: { state: "Failed" } });
});
