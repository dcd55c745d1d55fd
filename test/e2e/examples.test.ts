import { execFile } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { promisify } from "node:util";
import { readExamples, sendExamples } from "../../local/stack/examples";
import { writeStackFile } from "../../local/stack/stack-file";
import { complaintsOf, readSummary } from "../../local/stack/summary";
import { nodeJob, TestStack } from "./test-stack";

const ROOT = resolve(__dirname, "..", "..");
const run = promisify(execFile);

let stack: TestStack;

beforeAll(async () => {
  // Too few cores for the largest sizes.
  stack = await TestStack.start({ quota: { lowPriorityCores: 64 } });
}, 120_000);

afterAll(async () => {
  await stack.close();
}, 60_000);

interface CliEnd {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** The compiled CLI in a process of its own, against the running stack. */
async function corral(...args: readonly string[]): Promise<CliEnd> {
  const cli = join(resolve(ROOT, process.env["CORRAL_BUILD"] ?? "dist"), "cli", "main.js");
  const stackFile = writeStackFile(stack.folder, stack.stack);
  try {
    const { stdout, stderr } = await run(process.execPath, [cli, ...args, "--stack", stackFile]);
    return { code: 0, stdout, stderr };
  } catch (error) {
    const { code, stdout, stderr } = error as CliEnd;
    return { code, stdout, stderr };
  }
}

it("runs every example to the end that it expects, and leaves nothing but its artefact", async () => {
  const examples = readExamples(join(ROOT, "examples", "jobs"));
  const jobIds = examples.flatMap(({ jobId, expected }) => (jobId !== undefined && expected.state ? [jobId] : []));

  await sendExamples(stack.stack.facts, stack.session, examples);
  await stack.settled(jobIds);
  const summary = await readSummary(stack.stack.facts, stack.session, await stack.look());
  const artefacts = await stack.session.listBlobs(stack.artifactsUrl);

  expect(complaintsOf(summary, examples)).toEqual([]);
  expect(summary.rejected.map(({ description }) => description)).toEqual([
    expect.stringContaining("(body)"),
    expect.stringContaining("jobId"),
  ]);
  expect(artefacts.map(({ name }) => name)).toEqual(
    expect.arrayContaining(["train-xor/model.json", ".corral/logs/exits-with-3-1.log"]),
  );
});

it("gives the service's own identity no way to an organization's data (E13)", async () => {
  const { identityEnvironment, runtime } = stack.stack.facts;
  const endpoint = `${identityEnvironment["IDENTITY_ENDPOINT"] ?? ""}?api-version=2019-08-01&resource=https://storage.azure.com&client_id=${runtime.clientId}`;
  const issued = (await stack.session.http.expect({
    method: "GET",
    url: endpoint,
    headers: { "x-identity-header": identityEnvironment["IDENTITY_HEADER"] ?? "" },
  })) as { access_token: string };

  const read = await stack.session.http.call({
    method: "GET",
    url: `${stack.artifactsUrl}?restype=container&comp=list`,
    token: issued.access_token,
  });
  const anonymous = await stack.session.http.call({
    method: "GET",
    url: `${stack.artifactsUrl}?restype=container&comp=list`,
  });

  expect(read.status).toBe(403);
  expect(anonymous.status).toBe(401);
});

it("submits a job with the CLI and follows it to its end", async () => {
  const folder = mkdtempSync(join(tmpdir(), "corral-cli-"));
  const file = join(folder, "job.json");
  writeFileSync(file, JSON.stringify(nodeJob("from-the-cli", "console.log(42)")));

  const submitted = await corral("submit", file, "--wait");
  const again = await corral("submit", file);
  const ledger = await corral("ledger");
  rmSync(folder, { recursive: true });

  expect(submitted).toMatchObject({ code: 0, stdout: expect.stringContaining("Succeeded") as string });
  expect(again).toMatchObject({ code: 0, stdout: expect.stringContaining("from-the-cli") as string });
  expect(JSON.parse(ledger.stdout)).toMatchObject({ differences: [] });
});

it.each([
  { what: "text that is no JSON", text: "{", said: "not JSON" },
  { what: "an unknown field", text: JSON.stringify({ ...nodeJob("x", ""), gpu: 1 }), said: "gpu: unknown field" },
  { what: "a missing field", text: JSON.stringify({ org: "demo", jobId: "x" }), said: "image" },
  { what: "a wrong type", text: JSON.stringify({ ...nodeJob("x", ""), gpus: "one" }), said: "gpus" },
  { what: "an illegal id", text: JSON.stringify({ ...nodeJob("a..b", "") }), said: "jobId" },
])("refuses $what with the CLI and names the field", async ({ text, said }) => {
  const folder = mkdtempSync(join(tmpdir(), "corral-cli-"));
  const file = join(folder, "job.json");
  writeFileSync(file, text);

  const refused = await corral("submit", file);
  rmSync(folder, { recursive: true });

  expect(refused.code).toBe(1);
  expect(refused.stderr).toContain(said);
});

it("parks a message of 70 KB and one for an unknown organization with their reasons", async () => {
  const before = (await readSummary(stack.stack.facts, stack.session, await stack.look())).rejected.length;

  await stack.send(nodeJob("too-long", "x".repeat(70_000)), { ...nodeJob("nowhere", ""), org: "nobody" });
  const reasons = async () =>
    (await readSummary(stack.stack.facts, stack.session, await stack.look())).rejected.slice(before);
  await stack.until("both are rejected", async () => (await reasons()).length === 2);

  expect((await reasons()).map(({ reason }) => reason).sort()).toEqual(["InvalidJob", "UnknownOrganization"]);
});

it("ends a waiting job that is cancelled, and refuses to cancel it again", async () => {
  await stack.send(nodeJob("never-placed", "", { vmSizes: ["Standard_ND96isr_H100_v5"], gpuTypes: ["H100"] }));
  await stack.until("the job waits", ({ jobs }) =>
    jobs.some(({ jobId, waitingFor }) => jobId === "never-placed" && !!waitingFor),
  );

  const cancelled = await corral("cancel", "never-placed");
  const { jobs } = await stack.until("the job is cancelled", (snapshot) =>
    snapshot.jobs.some(({ jobId, state }) => jobId === "never-placed" && state === "Cancelled"),
  );
  const again = await corral("cancel", "never-placed");

  expect(cancelled.code).toBe(0);
  expect(jobs.find(({ jobId }) => jobId === "never-placed")?.attempts).toEqual([]);
  expect(again.stderr).toContain("JobAlreadyTerminal");
});
