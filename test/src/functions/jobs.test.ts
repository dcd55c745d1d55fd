import { createJobCalls } from "../../../src/functions/jobs";
import { JobViews } from "../../../src/functions/job-view";
import { JobIntake } from "../../../src/intake/accept-job";
import { JobAnnouncer } from "../../../src/intake/announce-job";
import { JobCancellation } from "../../../src/intake/cancel-job";
import { useAccess } from "../../support/access";
import { type EntraKeys, startEntraKeys } from "../../support/entra-keys";
import { type Answer, answerOf, httpRequest, invocation, noClient } from "../../support/function-calls";
import { ADMINISTRATOR, attemptRow, idleMachine, organizationRow, sampleOrganization } from "../../support/sample-rows";
import { useWorld } from "../../support/world";

const world = useWorld();
const access = useAccess();
let entra: EntraKeys;
let sent: unknown[] = [];
let isBusDown = false;
beforeAll(async () => {
  entra = await startEntraKeys();
});
afterAll(() => entra.close());
beforeEach(async () => {
  sent = [];
  isBusDown = false;
  await world().organizations.insert(organizationRow({ settings: sampleOrganization({ queueSubmission: false }) }));
});

const body = { org: "demo", jobId: "j1", image: "docker.io/library/node:24" };

function jobCalls() {
  const w = world();
  const send = (message: unknown) =>
    isBusDown ? Promise.reject(new Error("the bus is down")) : Promise.resolve(void sent.push(message));
  const { guard, audit } = access({ verifier: entra.verifier, organizations: w.organizations });
  return createJobCalls({
    guard,
    audit,
    intake: new JobIntake(w.jobs, w.organizations),
    announcer: new JobAnnouncer({ send }),
    cancellation: new JobCancellation(w.jobs),
    jobs: w.jobs,
    views: new JobViews(w.attempts, w.machines),
    instances: () => w.instances,
  });
}

async function call(
  name: "submit" | "list" | "show",
  fields: { body?: unknown; jobId?: string; org?: string; query?: string } = {},
): Promise<Answer> {
  const { jobId = "j1", org = "demo", query = "" } = fields;
  const authorization = await entra.bearerOf(ADMINISTRATOR);
  const request = httpRequest({
    authorization,
    params: { org, jobId },
    query,
    ...("body" in fields && { body: fields.body }),
  });
  return answerOf(await jobCalls()[name].handler(request, invocation()));
}

async function cancel(jobId: string): Promise<Answer> {
  const request = httpRequest({ authorization: await entra.bearerOf(ADMINISTRATOR), params: { org: "demo", jobId } });
  return answerOf(await jobCalls().cancel.handler(request, noClient, invocation()));
}

it("answers 201 with the job, and sends its pointer to the queue; the same again is 200", async () => {
  const first = await call("submit", { body });
  const second = await call("submit", { body });

  expect([first.status, second.status]).toEqual([201, 200]);
  expect(first.body).toMatchObject({ state: "Queued", attempts: [], createdBy: ADMINISTRATOR, gpus: 1 });
  expect(first.headers["Location"]).toBe("/api/orgs/demo/jobs/j1");
  expect(sent).toMatchObject([{ body: { org: "demo", jobId: "j1" } }, { body: { org: "demo", jobId: "j1" } }]);
});

it("answers 201 for a job that is durable though the bus is down (F10)", async () => {
  isBusDown = true;

  expect((await call("submit", { body })).status).toBe(201);
  expect((await world().jobs.listLive("demo")).map(({ jobId }) => jobId)).toEqual(["j1"]);
});

it.each<[object, number, string, string | undefined]>([
  [{ ...body, org: "demo2" }, 400, "InvalidRequest", "org"],
  [{ ...body, jobId: "A" }, 400, "InvalidRequest", "jobId"],
  [{ ...body, image: "ghcr.io/a/b" }, 403, "NotAllowed", undefined],
])("refuses %j", async (...[job, status, code, target]) => {
  expect(await call("submit", { body: job })).toMatchObject({ status, code, target });
  expect(sent).toEqual([]);
});

it("refuses another body under a known id with 409 (F3)", async () => {
  await call("submit", { body });

  expect(await call("submit", { body: { ...body, priority: 1 } })).toMatchObject({
    status: 409,
    code: "JobIdConflict",
  });
});

it("shows a job with its attempts and phases, alone and in the list alike", async () => {
  await call("submit", { body });
  const row = await world().jobs.find("demo", "j1");
  if (row) await world().jobs.replace(row, { ...row.value, state: "Running", attempt: 1, machineId: "m000000001" });
  await world().machines.insert(idleMachine());
  for (const attempt of [1, 2])
    await world().attempts.insert(attemptRow({ attempt, startedAt: "2030-01-01T00:00:00.000Z" }));
  const shown = await call("show");
  const listed = await call("list");

  expect(shown.body["attempts"]).toEqual([
    {
      attempt: 1,
      machineId: "m000000001",
      offering: "westeurope/Standard_NC4as_T4_v3/spot",
      startedAt: "2030-01-01T00:00:00.000Z",
    },
  ]);
  expect(listed.body["value"]).toEqual([shown.body]);
});

it.each(["j9", "live:j1", "a'b", ""])("finds no job %j", async (jobId) => {
  await call("submit", { body });

  expect(await call("show", { jobId })).toMatchObject({ status: 404 });
  expect(await cancel(jobId)).toMatchObject({ status: 404 });
});

it("notes a cancellation and tells the run; a job that is over is left as it is", async () => {
  await call("submit", { body });
  const first = await cancel("j1");
  const row = await world().jobs.find("demo", "j1");
  if (row) await world().jobs.replace(row, { ...row.value, state: "Cancelled" });
  const late = await cancel("j1");

  expect(first.status).toBe(202);
  expect(world().instances.woken).toEqual(["job-demo-j1"]);
  expect(late).toMatchObject({ status: 409, code: "JobAlreadyTerminal" });
});

it("lists jobs by pages, each with its attempts and none twice, and no index row (T26)", async () => {
  const ids = ["a", "a-b", "a.b", "live", "live-1", "m", "z"];
  for (const jobId of ids) await call("submit", { body: { ...body, jobId } });
  for (const jobId of ["a", "a-b"]) {
    const row = await world().jobs.find("demo", jobId);
    if (row) await world().jobs.replace(row, { ...row.value, attempt: 1 });
    await world().attempts.insert(attemptRow({ jobId, attempt: 1 }));
  }
  const seen: { jobId: string; attempts: unknown[] }[] = [];
  let query: string | undefined = "$top=2";
  while (query !== undefined) {
    const page: Answer = await call("list", { query });
    seen.push(...(page.body["value"] as typeof seen));
    const { nextLink } = page.body;
    query = typeof nextLink === "string" ? new URL(nextLink).search.slice(1) : undefined;
  }

  expect(seen.map(({ jobId }) => jobId)).toEqual([...ids].sort());
  expect(seen.map(({ attempts }) => attempts.length)).toEqual([1, 1, 0, 0, 0, 0, 0]);
});

it.each(["$top=0", "$top=1001", "$top=x", "colour=red"])(
  "refuses a list with %s, and names the field",
  async (query) => {
    expect(await call("list", { query })).toMatchObject({ status: 400, target: query.split("=")[0] });
  },
);
